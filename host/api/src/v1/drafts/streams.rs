//! `GET /v1/tenants/{tenant}/drafts/{draft}/streams`

use axum::Json;
use axum::extract::{Path, State};

use super::open::{place, source};
use super::view::{content, find};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;
use crate::v1::connections::{StreamsQuery, StreamsView, told};

/// The streams that a draft can choose from
///
/// As those of a connection; the source's answer is remembered until what is read from changes.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/drafts/{draft}/streams", tag = "drafts", operation_id = "list_draft_streams",
    params(("tenant" = String, Path), ("draft" = String, Path), StreamsQuery),
    responses(
        (status = 200, body = StreamsView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn streams(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<StreamsQuery>,
) -> Result<Json<StreamsView>, Problem> {
    let draft = find(&app, &member, &id).await?;
    let content = content(&draft)?;
    let place = place(&app, &member, &draft, &content).await?;
    let opening = source(&app, &member, (&draft, &content), "discover");
    Ok(Json(told(&app, &member.tenant, place, query, opening).await?))
}
