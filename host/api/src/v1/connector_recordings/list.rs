//! `GET /v1/tenants/{tenant}/connectors/{name}/recordings`

use axum::Json;
use axum::extract::State;

use super::view::{RecordingView, connector};
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// The recordings that are kept of a connector, by name
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connectors/{name}/recordings", tag = "connector recordings",
    operation_id = "list_connector_recordings", params(("tenant" = String, Path), ("name" = String, Path), PageQuery),
    responses((status = 200, body = Page<RecordingView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Path((_, name)): Path<(String, String)>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RecordingView>>, Problem> {
    let limit = page.limit()?;
    connector(&app, member.scope(), &name).await?;
    let after = page.after.as_deref();
    let found = app.store.connector_recordings(member.scope(), &name, after, limit.saturating_add(1)).await?;
    let page = Page::of(found, limit, |recording| recording.new.name.clone());
    Ok(Json(page.map(RecordingView::from)))
}
