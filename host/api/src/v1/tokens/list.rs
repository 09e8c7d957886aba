//! `GET /v1/tenants/{tenant}/tokens`

use axum::Json;
use axum::extract::State;
use sluice_store::Whose;

use super::view::TokenView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// One's own tokens in the tenant
///
/// Revoked and expired ones as well. A service's token has none of its own.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/tokens", tag = "tokens", operation_id = "list_tokens",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<TokenView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Problem> {
    let limit = page.limit()?;
    let found = match member.caller.user() {
        Some(user) => app.store.tokens(member.scope(), Whose::Person(user), page.after.as_deref(), limit + 1).await?,
        None => Vec::new(),
    };
    Ok(Json(Page::of(found, limit, |token| token.id.clone()).map(TokenView::from)))
}
