//! `POST /v1/tenants/{tenant}/pipelines/validate`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_core::schedule::Timetable;
use utoipa::ToSchema;

use super::input::{PipelineBody, prepare};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// A pipeline that could be saved.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ValidView {
    /// Whether every stream and column was compared with what the connection offers. False where that is not known: list the
    /// connection's streams, then validate again.
    compared: bool,
    /// What its schedule means, in words.
    schedule: Option<String>,
}

/// Check a pipeline without saving it
///
/// Answers with the problem that saving it would have.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/validate", tag = "pipelines", operation_id = "validate_pipeline",
    params(("tenant" = String, Path)), request_body = PipelineBody,
    responses((status = 200, body = ValidView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn validate(
    State(app): State<App>,
    member: Member,
    Body(body): Body<PipelineBody>,
) -> Result<Json<ValidView>, Problem> {
    let ready = prepare(&app, member.scope(), "new", body).await?;
    let timetable = ready.definition.schedule.as_ref().map(Timetable::new).transpose()?;
    Ok(Json(ValidView { compared: ready.compared, schedule: timetable.map(|timetable| timetable.describe()) }))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn streams_and_columns_are_compared_with_what_was_found() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let connection = service.connection("acme", &editor, "shop").await;
        let path = "/v1/tenants/acme/pipelines/validate";
        let ask = async |streams: Value| {
            let mut body = service.pipeline_body(&connection);
            body["definition"]["streams"] = streams;
            service.call(Method::POST, path, Some(&editor), Some(body)).await
        };
        let wrong = json!([{"id": "public.user"}]);
        let unknown = ask(wrong.clone()).await;
        assert_eq!((unknown.status, &unknown.body["compared"]), (StatusCode::OK, &false.into()), "{unknown:?}");
        for query in ["", "?after=2"] {
            let path = format!("/v1/tenants/acme/connections/{connection}/streams{query}");
            service.call(Method::GET, &path, Some(&editor), None).await;
        }
        let named = async |streams: Value| {
            let answer = ask(streams).await;
            (answer.body["field"].as_str().unwrap().to_owned(), answer.body["detail"].as_str().unwrap().to_owned())
        };
        let (field, detail) = named(wrong).await;
        assert_eq!(field, "streams[0].id");
        assert_eq!(detail, "the connection has no stream \"public.user\"; is \"public.users\" meant?");
        let second = json!([{"id": "public.users"}, {"id": "public.orders", "columns": ["id", "updatd_at"]}]);
        let (field, detail) = named(second).await;
        assert_eq!(field, "streams[1].columns[1]");
        assert!(detail.ends_with("is \"updated_at\" meant?"), "{detail}");
        let cursor = json!([{"id": "public.orders", "read": {"incremental": "created"}}]);
        assert_eq!(named(cursor).await.0, "streams[0].read.incremental");
        let cast = json!([{"id": "public.orders", "cast": {"amount": {"to": "NUMERIC"}}}]);
        assert_eq!(named(cast).await.0, "streams[0].cast.amount");
        let good = ask(json!([{"id": "public.orders", "read": {"incremental": "updated_at"}}])).await;
        assert_eq!((good.status, &good.body["compared"]), (StatusCode::OK, &true.into()), "{good:?}");
        assert_eq!(
            service.call(Method::GET, "/v1/tenants/acme/pipelines", Some(&editor), None).await.body["items"],
            json!([])
        );
    }
}
