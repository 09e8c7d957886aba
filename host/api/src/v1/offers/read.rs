//! `GET /v1/tenants/{tenant}/offers`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_core::pipeline::ExecutionMode;
use utoipa::ToSchema;

use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// What this service offers the tenant. Anything else is refused when it is saved.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OffersView {
    /// Whether pipelines may load into Parquet files of a warehouse of the service.
    local_warehouse: bool,
    /// Where in BigQuery pipelines may load.
    bigquery: Vec<DatasetView>,
    /// Whether sinks may be at endpoints of one's own, such as emulators.
    endpoints: bool,
    /// Where runs can be carried out: `local`.
    #[schema(value_type = Vec<String>)]
    runs: Vec<ExecutionMode>,
    /// Whether connections may reach private addresses.
    private_network: bool,
    /// Whether connections may authenticate to Google as the service does.
    google_identity: bool,
    /// The names of folders that connections may read.
    folders: Vec<String>,
    /// Secrets of Google Secret Manager that connections may refer to: `projects/P/secrets/S`, where a `*` stands for any ending.
    secrets: Vec<String>,
}

/// Where in BigQuery a pipeline may load.
#[derive(Debug, Serialize, ToSchema)]
struct DatasetView {
    /// The project.
    project: String,
    /// The dataset; any of the project if there is none.
    dataset: Option<String>,
}

/// What this service offers the tenant
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/offers", tag = "tenants", operation_id = "get_offers",
    params(("tenant" = String, Path)),
    responses((status = 200, body = OffersView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn read(State(app): State<App>, member: Member) -> Result<Json<OffersView>, Problem> {
    let offers = &app.resolver.offers;
    let mine = offers.bigquery.iter().filter(|one| one.tenant.as_deref().is_none_or(|only| only == member.tenant));
    Ok(Json(OffersView {
        local_warehouse: offers.warehouse.is_some(),
        bigquery: mine.map(|one| DatasetView { project: one.project.clone(), dataset: one.dataset.clone() }).collect(),
        endpoints: offers.endpoints,
        runs: vec![ExecutionMode::Local],
        private_network: offers.private_network,
        google_identity: offers.google_identity,
        folders: offers.folders.keys().cloned().collect(),
        secrets: offers.secrets.iter().filter_map(|one| one.shown_to(&member.tenant)).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_core::offers::DatasetOffer;
    use sluice_core::secret::SecretOffer;

    use crate::testing::Service;

    #[tokio::test]
    async fn a_tenant_sees_what_is_offered_to_it_and_no_path_of_the_host() {
        let service = Service::with(|parts| {
            let offers = &mut parts.resolver.offers;
            offers.folders.insert("lake".into(), "/srv/secret-place".into());
            let secrets = ["*=vault/{tenant}-*", "globex=own", "acme=own/db"];
            offers.secrets = secrets.iter().map(|text| SecretOffer::parse(text).unwrap()).collect();
            let all = ["p.shared", "acme=q", "globex=r.own"];
            offers.bigquery = all.iter().map(|text| DatasetOffer::parse(text).unwrap()).collect();
        })
        .await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let told = service.call(Method::GET, "/v1/tenants/acme/offers", Some(&viewer), None).await.body;
        let bigquery = json!([{"project": "p", "dataset": "shared"}, {"project": "q", "dataset": null}]);
        assert_eq!(told["bigquery"], bigquery);
        assert_eq!(
            (&told["folders"], &told["runs"], &told["local_warehouse"]),
            (&json!(["lake"]), &json!(["local"]), &true.into())
        );
        assert_eq!(told["secrets"], json!(["projects/vault/secrets/acme-*", "projects/own/secrets/db"]));
        assert!(!told.to_string().contains("secret-place"));
    }
}
