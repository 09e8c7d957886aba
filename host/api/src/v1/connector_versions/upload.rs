//! `POST /v1/tenants/{tenant}/connector-versions`

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::connector::VersionState;
use sluice_core::plan::Outcome;
use sluice_core::signature::{PublicKey, Signature};
use sluice_engine::service::catalogue::Origin;
use sluice_engine::service::components::digest;
use sluice_engine::service::examine::{Examination, examine};
use sluice_store::NewVersion;

use super::view::{VersionView, own, shown};
use crate::auth::principal::Member;
use crate::http::finding::findings;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::upload::Upload;
use crate::state::App;
use crate::v1::record::record;

/// The header with a detached signature.
const SIGNATURE: &str = "Sluice-Signature";

/// Most versions of a tenant that wait for a decision: their bytes lie in the database.
const MOST_UNDECIDED: u64 = 50;

/// Upload a version of a connector
///
/// A worker with little memory and time looks at the component and compiles it; nothing of it is run. What was found is the report. A
/// component that is not valid is answered with its report in the problem's `findings`, and not kept. The same bytes twice are one
/// version: the second answer is 200 with the first one's.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/connector-versions", tag = "connector versions",
    operation_id = "upload_connector_version",
    params(
        ("tenant" = String, Path),
        ("Sluice-Signature" = Option<String>, Header,
            description = "The detached signature that `sluice connector sign` writes, its file's bytes in base64.")
    ),
    request_body(content = String, content_type = "application/wasm", description = "The component."),
    responses(
        (status = 201, body = VersionView), (status = 200, body = VersionView), (status = "4XX", body = ProblemBody),
        (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn upload(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Problem> {
    let too_large = format!("a component has at most {} MiB; leave debug information out", super::LARGEST >> 20);
    let wanted = Upload { kind: "application/wasm", what: "the component's bytes", too_large: &too_large };
    let component = wanted.read(&headers, body)?;
    let signature = signature(&headers)?;
    let (scope, sha256) = (member.scope(), digest(&component));
    if let Some(known) = own(&app, scope, &sha256).await?.filter(|known| known.state != VersionState::Rejected) {
        return Ok(Json(shown(&app, &member, known, Origin::Tenant).await?).into_response());
    }
    if app.store.undecided_versions(scope).await? >= MOST_UNDECIDED {
        let detail = format!("{MOST_UNDECIDED} versions wait for a decision already; approve or reject some first");
        return Err(Problem::new(Slug::Refused, detail));
    }
    let staged = app.resolver.components.stage(&sha256, component.to_vec()).await?;
    let mut examination = examine(&app.workers, staged.path()).await?;
    drop(staged);
    let signed = examination.verify(&component, signature.as_deref());
    name_is_free(&app, &mut examination).await?;
    publisher(&app, &member, &mut examination, signed.as_ref().map(|(_, key)| key)).await?;
    let object = format!("connector sha256:{sha256}");
    if let Some(failure) = examination.failure() {
        let found = json!({"failed": failure.name, "detail": failure.detail});
        record(&app, &member, "connector.refuse", object, found).await?;
        return Err(refused(examination));
    }
    let new = version(sha256, examination, signed)?;
    let added = app.store.add_connector_version(scope, &new, &component, &member.caller.actor(), app.now_us()).await?;
    let detail = json!({"name": new.name, "version": new.version, "publisher": new.publisher, "signed": new.signature.is_some()});
    record(&app, &member, "connector.upload", object, detail).await?;
    let kept = own(&app, scope, &new.sha256).await?;
    let kept = kept.ok_or_else(|| RunError::internal("a version is not there after it was kept"))?;
    let place = format!("/v1/tenants/{}/connector-versions/{}", member.tenant, new.sha256);
    let view = Json(shown(&app, &member, kept, Origin::Tenant).await?);
    let status = if added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(header::LOCATION, place)], view).into_response())
}

fn signature(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Problem> {
    let Some(value) = headers.get(SIGNATURE) else { return Ok(None) };
    let decoded = value.to_str().ok().and_then(|text| STANDARD.decode(text.trim()).ok());
    let wrong = || Problem::field(SIGNATURE, "send the signature's file in base64, on one line");
    decoded.ok_or_else(wrong).map(Some)
}

/// No upload takes the place of a connector that all tenants have.
async fn name_is_free(app: &App, examination: &mut Examination) -> Result<(), Problem> {
    let Some((manifest, _)) = &examination.manifest else { return Ok(()) };
    let name = manifest.name.clone();
    let whose = match app.resolver.catalogue.taken(&name).await? {
        None => return Ok(()),
        Some(Origin::BuiltIn) => "a connector that comes with the service",
        Some(Origin::Operator | Origin::Tenant) => "a connector that the operator has installed",
    };
    let remedy = "give it another name in its manifest";
    examination.add("name", Outcome::Failed, format!("{name} is the name of {whose}"), remedy);
    Ok(())
}

/// Whether the signature is by the key that the publisher is known by here. Who approves it decides; it is told early.
async fn publisher(
    app: &App,
    member: &Member,
    examination: &mut Examination,
    key: Option<&PublicKey>,
) -> Result<(), Problem> {
    let Some((manifest, _)) = &examination.manifest else { return Ok(()) };
    let name = manifest.publisher.clone();
    let Some(known) = app.store.publisher(member.scope(), &name).await? else { return Ok(()) };
    let known = PublicKey::from_pem(&known.key)?;
    if key == Some(&known) {
        examination.add("publisher", Outcome::Passed, format!("it is by the key that {name} is known by here"), "");
    } else {
        let detail = format!("connectors of {name} are signed with {}, and this one is not", known.fingerprint());
        let remedy = "ask the publisher; if the key has changed, approving it names the new one";
        examination.add("publisher", Outcome::Warned, detail, remedy);
    }
    Ok(())
}

fn refused(examination: Examination) -> Problem {
    let detail =
        examination.failure().map(|failure| format!("{}: {}; {}", failure.name, failure.detail, failure.remedy));
    let problem = Problem::field("body", detail.unwrap_or_default());
    problem.with_findings(findings(examination.findings))
}

fn version(
    sha256: String,
    examination: Examination,
    signed: Option<(Signature, PublicKey)>,
) -> Result<NewVersion, Problem> {
    let unread = || RunError::internal("a component passed without having been read");
    let (manifest, bytes) = examination.manifest.ok_or_else(unread)?;
    let as_json = |value: serde_json::Result<Value>| {
        value.map_err(|e| RunError::internal(format!("a manifest or signature is no JSON: {e}")))
    };
    let signature = match signed {
        Some((signature, key)) => Some((as_json(serde_json::to_value(&signature))?, key.to_pem())),
        None => None,
    };
    Ok(NewVersion {
        sha256,
        name: manifest.name,
        version: manifest.version,
        publisher: manifest.publisher,
        manifest: as_json(serde_json::from_slice(&bytes))?,
        report: examination.findings,
        signature,
    })
}
