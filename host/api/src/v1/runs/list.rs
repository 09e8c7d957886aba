//! `GET /v1/tenants/{tenant}/runs`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_core::request::RequestState;
use sluice_store::RequestFilter;

use super::view::RunView;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::App;

/// Which runs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this pipeline.
    #[param(max_length = 100)]
    pipeline: Option<String>,
    /// Only those in this state: `queued`, `running`, `succeeded`, `failed`, `stopped`, `cancelled` or `skipped`.
    #[param(max_length = 20)]
    state: Option<String>,
}

/// The tenant's runs, the newest first
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/runs", tag = "runs", operation_id = "list_runs",
    params(("tenant" = String, Path), Filter, PageQuery),
    responses((status = 200, body = Page<RunView>), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    member: Member,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RunView>>, Problem> {
    let limit = page.limit()?;
    let state = filter.state.as_deref().map(|word| {
        let known = RequestState::ALL.map(RequestState::as_str).join(", ");
        RequestState::parse(word).ok_or_else(|| Problem::field("state", format!("a state is one of {known}")))
    });
    let filter =
        RequestFilter { pipeline: filter.pipeline.as_deref(), state: state.transpose()?, after: page.after.as_deref() };
    let found = app.store.run_requests(member.scope(), filter, limit + 1).await?;
    Ok(Json(Page::of(found, limit, |run| run.asked.id.clone()).map(RunView::from)))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::json;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn they_are_found_by_pipeline_and_state_page_by_page() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let (a, b) = (service.pipeline("acme", &editor).await, service.pipeline("acme", &editor).await);
        let mut runs = Vec::new();
        for pipeline in [&a, &b, &a] {
            service.pass(1);
            runs.push(service.run("acme", &editor, pipeline).await);
        }
        let cancel = format!("/v1/tenants/acme/runs/{}/cancel", runs[0]);
        service.call(Method::POST, &cancel, Some(&editor), Some(json!({}))).await;
        let ask = async |query: &str| {
            let path = format!("/v1/tenants/acme/runs?{query}");
            let body = service.call(Method::GET, &path, Some(&editor), None).await.body;
            let ids = body["items"].as_array().unwrap_or(&Vec::new()).clone();
            let ids: Vec<String> = ids.iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect();
            (ids, body["next"].as_str().map(str::to_owned), body["field"].clone())
        };
        let (first, next, _) = ask("limit=2").await;
        assert_eq!((&first[..], next.as_ref()), (&[runs[2].clone(), runs[1].clone()][..], Some(&runs[1])));
        assert_eq!(ask(&format!("limit=2&after={}", runs[1])).await.0, [runs[0].clone()]);
        assert_eq!(ask(&format!("pipeline={b}")).await.0, [runs[1].clone()]);
        assert_eq!(ask("state=cancelled").await.0, [runs[0].clone()]);
        assert_eq!(ask("state=done").await.2, "state");
    }
}
