//! `POST /v1/tenants/{tenant}/connector-versions/{sha256}/approve`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use sluice_core::connector::VersionStep;
use sluice_core::plan::Outcome;
use sluice_engine::service::trial::{Candidate, Trial};
use sluice_store::{Approval, ChangeError};
use utoipa::ToSchema;

use super::decide::now;
use super::view::{VersionView, asked, missing, own};
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::finding::findings;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::record::record;

/// That somebody has read what a version asks for, and lets runs use it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalBody {
    /// The version's `permissions_digest`.
    permissions: String,
    /// The fingerprint of the key that it is signed with, if that is to be the publisher's from now on although another one was.
    #[serde(default)]
    pin: Option<String>,
    /// Lets it take the installed version's place without being tried on the tenant's connections and recordings first.
    #[serde(default)]
    without_trial: bool,
}

/// Approve a version: runs use it from now on
///
/// If another version is installed, this one is tried first on every connection that uses the connector, by a worker and without reading
/// rows: configuration, check, streams, plans from the committed states, and what of the conformance kit needs no rows; then with each
/// recording that the tenant keeps of the connector. If something fails that does not fail with the installed version, that one stays, and
/// the problem's `findings` say what failed. The key that the first approved version of a publisher is signed with is
/// the publisher's from then on.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connector-versions/{sha256}/approve", tag = "connector versions",
    operation_id = "approve_connector_version", params(("tenant" = String, Path), ("sha256" = String, Path)),
    request_body = ApprovalBody,
    responses(
        (status = 200, body = VersionView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn approve(
    State(app): State<App>,
    member: Member,
    Path((_, sha256)): Path<(String, String)>,
    Body(body): Body<ApprovalBody>,
) -> Result<Json<VersionView>, Problem> {
    let (scope, by) = (member.scope(), member.caller.actor());
    let found = own(&app, scope, &sha256).await?.ok_or_else(missing)?;
    let (manifest, _, permissions) = asked(&found)?;
    if body.permissions != permissions {
        let detail = "this is not the permissions_digest of this version; read what it asks for, and approve that";
        return Err(Problem::field("permissions", detail));
    }
    // Before anything is tried that may take minutes.
    found.state.after(VersionStep::Approve).map_err(ChangeError::Refused)?;
    if app.resolver.catalogue.taken(&manifest.name).await?.is_some() {
        let detail = format!("{} is by now the name of a connector that all tenants have", manifest.name);
        return Err(Problem::new(Slug::Refused, detail));
    }
    app.resolver.components.provide(scope, &sha256).await?;
    let install = app.store.connector_install(scope, &manifest.name).await?;
    let tried = install.is_some() && !body.without_trial;
    if tried {
        let trial = Trial {
            store: &app.store,
            resolver: &app.resolver,
            workers: &app.workers,
            address: &app.address,
            now_us: app.now_us(),
            by: &by,
        };
        let steps = trial.run(scope, Candidate { sha256: &sha256, manifest: &manifest }).await?;
        app.store.keep_connector_trial(scope, &sha256, &steps).await?;
        if let Some(failed) = steps.iter().find(|step| step.outcome == Outcome::Failed) {
            let object = format!("connector sha256:{sha256}");
            record(&app, &member, "connector.trial-failed", object, json!({"failed": failed.name})).await?;
            let detail = format!("the installed version stays; {}: {}", failed.name, failed.detail);
            return Err(Problem::new(Slug::Refused, detail).with_findings(findings(steps)));
        }
    }
    let instead_of = install.as_ref().map(|install| install.sha256.as_str());
    let approval = Approval { sha256: &sha256, instead_of, pin: body.pin.as_deref() };
    app.store.approve_connector(scope, approval, &by, app.now_us()).await?;
    app.discovered().forget_all(scope.tenant);
    let detail = json!({
        "name": manifest.name, "version": manifest.version, "permissions": permissions, "instead_of": instead_of,
        "tried": tried, "pin": body.pin,
    });
    record(&app, &member, "connector.approve", format!("connector sha256:{sha256}"), detail).await?;
    Ok(Json(now(&app, &member, &sha256).await?))
}
