//! `GET /v1/tenants/{tenant}/service-tokens`

use axum::Json;
use axum::extract::State;
use sluice_store::Whose;

use super::view::TokenView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// The tokens of the tenant's services
///
/// Revoked and expired ones as well.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/service-tokens", tag = "tokens", operation_id = "list_service_tokens",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = Page<TokenView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list_service(
    State(app): State<App>,
    member: Member,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Problem> {
    let limit = page.limit()?;
    let found = app.store.tokens(member.scope(), Whose::Services, page.after.as_deref(), limit + 1).await?;
    Ok(Json(Page::of(found, limit, |token| token.id.clone()).map(TokenView::from)))
}
