//! `GET /v1/time-zones`

use axum::Json;
use serde::Serialize;
use sluice_core::schedule::time_zones;
use utoipa::ToSchema;

use crate::http::problem::ProblemBody;

/// Time zones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TimeZonesView {
    /// Their IANA names, in order.
    items: Vec<String>,
}

/// The time zones that schedules may have
///
/// Those that the binary has; a browser's own list may have others.
#[utoipa::path(
    get, path = "/v1/time-zones", tag = "pipelines", operation_id = "list_time_zones",
    responses((status = 200, body = TimeZonesView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn list() -> Json<TimeZonesView> {
    Json(TimeZonesView { items: time_zones() })
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn every_zone_that_is_listed_can_be_used() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let told = service.call(Method::GET, "/v1/time-zones", Some(&viewer), None).await.body;
        let zones: Vec<&str> = told["items"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert!(zones.len() > 400 && zones.contains(&"Europe/Berlin") && zones.contains(&"UTC"), "{}", zones.len());
    }
}
