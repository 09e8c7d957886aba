//! `GET /v1/tenants/{tenant}/pipelines/{pipeline}/state-changes`

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::view::ChangeView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;
use crate::v1::pipelines::view::find;

/// Which changes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this stream.
    #[param(max_length = 1000)]
    stream: Option<String>,
}

/// What people did to the states of a pipeline, the newest first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/pipelines/{pipeline}/state-changes", tag = "state",
    operation_id = "list_state_changes",
    params(("tenant" = String, Path), ("pipeline" = String, Path), Filter, PageQuery),
    responses((status = 200, body = Page<ChangeView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn changes(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ChangeView>>, Problem> {
    let limit = page.limit()?;
    let before = page.after.as_deref().map(|after| {
        let parts = after.split_once('.').and_then(|(at, id)| Some((at.parse::<i64>().ok()?, id)));
        parts.ok_or_else(|| Problem::field("after", "it is no `next` of this list"))
    });
    let before = before.transpose()?;
    find(&app, member.scope(), &id).await?;
    let found = app.store.state_changes(member.scope(), &id, filter.stream.as_deref(), before, limit + 1).await?;
    Ok(Json(Page::of(found, limit, |change| format!("{}.{}", change.changed_us, change.id)).map(ChangeView::from)))
}
