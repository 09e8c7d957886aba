//! `sluice connector publish --to https://…`: a component and its signature to a service, which looks at it; and, if asked, the approval.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::plan::CheckStep;

use super::{say, wrong};
use crate::cli::{Options, PublishArgs};
use crate::show;

/// How long the service may take to look at a component, or to try it on connections.
const PATIENCE: Duration = Duration::from_secs(400);

/// Longest answer that is read, bytes.
const LONGEST: usize = 16 << 20;

/// A service, and who asks it.
struct Service {
    client: reqwest::Client,
    /// Below which its versions of connectors are.
    versions: String,
    token: String,
}

pub(super) async fn run(
    options: &Options,
    args: &PublishArgs,
    component: Vec<u8>,
    signature: Option<Vec<u8>>,
) -> Result<(), RunError> {
    let service = Service::new(args)?;
    let mut request = service.client.post(&service.versions).header("Content-Type", "application/wasm").body(component);
    if let Some(signature) = signature {
        request = request.header("Sluice-Signature", STANDARD.encode(signature));
    }
    let version = service.send(options, request).await?;
    let text = |field: &str| version.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, number, sha256, state) = (text("name"), text("version"), text("sha256"), text("state"));
    report(options, version.get("report"));
    if !options.json() {
        asked(&version);
    }
    let sentence = format!("{name} {number} is uploaded, {state} (sha256:{sha256})");
    say(options, &sentence, &json!({"event": "uploaded", "version": version}));
    if !args.approve || state == "installed" {
        return Ok(());
    }
    let body = json!({"permissions": text("permissions_digest")});
    let request = service.client.post(format!("{}/{sha256}/approve", service.versions));
    let request = request.header("Content-Type", "application/json").body(body.to_string());
    let approved = service.send(options, request).await?;
    report(options, approved.get("trial"));
    say(options, &format!("{name} {number} is installed"), &json!({"event": "approved", "version": approved}));
    Ok(())
}

impl Service {
    fn new(args: &PublishArgs) -> Result<Self, RunError> {
        let needs = |option: &str| RunError::config(option, format!("a service needs {option}"));
        let tenant = args.tenant.as_deref().ok_or_else(|| needs("--tenant"))?;
        let variable = args.token_env.as_deref().ok_or_else(|| needs("--token-env"))?;
        let token = std::env::var(variable).ok().filter(|token| !token.trim().is_empty()).ok_or_else(|| {
            RunError::config("--token-env", format!("the variable {variable} holds no token; make one in the service"))
        })?;
        let address = reqwest::Url::parse(args.to.trim_end_matches('/'));
        let mut address = address.map_err(|e| RunError::config("--to", format!("this is no address: {e}")))?;
        let near = matches!(address.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if address.scheme() != "https" && !near {
            return Err(RunError::config("--to", "the token would be sent in the clear; use https://"));
        }
        address
            .path_segments_mut()
            .map_err(|()| RunError::config("--to", "name the service as https://HOST"))?
            .pop_if_empty()
            .extend(["v1", "tenants", tenant, "connector-versions"]);
        // Fails only if there is a provider already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|e| RunError::internal(format!("no HTTP client can be made: {e}")))?;
        Ok(Self { client, versions: address.into(), token: token.trim().to_owned() })
    }

    /// The answer of a request that succeeded. What a service finds wrong is shown before it is an error.
    async fn send(&self, options: &Options, request: reqwest::RequestBuilder) -> Result<Value, RunError> {
        let away = |e: reqwest::Error| {
            let source = std::error::Error::source(&e).map(|source| format!(": {source}")).unwrap_or_default();
            RunError::new(
                Kind::Transient,
                Actor::User,
                format!("the service cannot be asked: {}{source}", e.without_url()),
            )
        };
        let mut answer = request.bearer_auth(&self.token).send().await.map_err(away)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(wrong("the service's answer is too long; is --to the address of a Sluice service?"));
            }
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        report(options, body.get("findings"));
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or("is --to the address of a Sluice service?");
        let kind = match status.as_u16() {
            401 => Kind::Auth,
            403 => Kind::Permission,
            404 => Kind::NotFound,
            _ => Kind::Config,
        };
        Err(RunError::new(kind, Actor::User, format!("the service answered {}: {detail}", status.as_u16())))
    }
}

/// What was found, one step after the other.
fn report(options: &Options, findings: Option<&Value>) {
    let steps = findings.cloned().and_then(|findings| serde_json::from_value::<Vec<CheckStep>>(findings).ok());
    for step in steps.unwrap_or_default() {
        show::step(options, &step);
    }
}

/// What it asks for and what would change, for whoever is about to approve it.
fn asked(version: &Value) {
    let each = |value: Option<&Value>, field: &str| -> Vec<String> {
        let all = value.and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|one| one.get(field).and_then(Value::as_str).map(str::to_owned)).collect()
    };
    for permission in each(version.get("permissions"), "detail") {
        println!("asks       {permission}");
    }
    for what in ["permissions", "configuration", "capabilities"] {
        for change in each(version.pointer(&format!("/difference/{what}")), "text") {
            println!("changes    {change}");
        }
    }
}
