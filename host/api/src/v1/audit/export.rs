//! `GET /v1/tenants/{tenant}/audit/export`

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use sluice_core::RunError;
use sluice_store::{AuditEntry, Scope};

use super::view::AuditView;
use crate::auth::principal::Member;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;

/// Entries that are in memory at once.
const PAGE: u32 = 500;

/// The whole log, the oldest entry first, one JSON object per line
///
/// The export is an entry itself, the last one of it: a file that does not end with it is not whole.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/audit/export", tag = "audit", operation_id = "export_audit",
    params(("tenant" = String, Path)),
    responses(
        (status = 200, description = "A line per entry", body = String, content_type = "application/x-ndjson"),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn export(State(app): State<App>, member: Member) -> Result<Response, Problem> {
    let entry = AuditEntry {
        actor: member.caller.actor(),
        action: "audit.export".into(),
        object: format!("tenant {}", member.tenant),
        address: member.caller.address.clone(),
        detail: serde_json::json!({}),
    };
    let last = app.store.audit(member.scope(), &entry, app.now_us()).await?;
    let pages = stream::try_unfold(0, move |after| {
        let (app, tenant) = (app.clone(), member.tenant.clone());
        async move { page(&app, Scope { tenant: &tenant }, after, last).await }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.ndjson\"")),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// The lines behind this entry and the number of the last of them; none at the end. A failure breaks the connection off, so that no
/// client takes a part for the whole.
async fn page(app: &App, scope: Scope<'_>, after: u64, last: u64) -> Result<Option<(Bytes, u64)>, RunError> {
    if after >= last {
        return Ok(None);
    }
    let found = app.store.audit_after(scope, after, PAGE).await?;
    let (mut lines, mut then) = (Vec::new(), last);
    for record in found.into_iter().filter(|record| record.seq <= last) {
        then = record.seq;
        let line = serde_json::to_writer(&mut lines, &AuditView::from(record));
        line.map_err(|e| RunError::internal(format!("writing an audit entry: {e}")))?;
        lines.push(b'\n');
    }
    Ok(Some((Bytes::from(lines), then)))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::Value;
    use sluice_core::access::Role;
    use sluice_store::{AuditEntry, Scope};

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn the_whole_log_is_exported_and_so_is_that() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let admin = service.token("acme", Role::Admin).await;
        for number in 1..=1_001 {
            let entry = AuditEntry {
                actor: "host".into(),
                action: "secret.use".into(),
                object: format!("connection {number}"),
                address: None,
                detail: serde_json::json!({}),
            };
            let scope = Scope { tenant: if number == 1 { "globex" } else { "acme" } };
            service.app.store.audit(scope, &entry, START_US).await.unwrap();
        }
        let answer = service.call(Method::GET, "/v1/tenants/acme/audit/export", Some(&admin), None).await;
        assert_eq!(
            (answer.status, &answer.headers["content-type"]),
            (StatusCode::OK, &"application/x-ndjson".parse().unwrap())
        );
        let lines: Vec<Value> =
            answer.body.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1_001);
        for (line, seq) in lines.iter().zip(1..) {
            assert_eq!(line["seq"], seq);
        }
        assert_eq!((&lines[0]["object"], &lines[1_000]["action"]), (&"connection 2".into(), &"audit.export".into()));
    }
}
