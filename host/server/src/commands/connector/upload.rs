//! `sluice connector publish --to https://…`: a component and its signature to a service, which looks at it; and, if asked, the approval.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sluice_core::RunError;

use super::say;
use super::service::{Service, report};
use crate::cli::{Options, PublishArgs};

pub(super) async fn run(
    options: &Options,
    args: &PublishArgs,
    component: Vec<u8>,
    signature: Option<Vec<u8>>,
) -> Result<(), RunError> {
    let needs = |option: &str| RunError::config(option, format!("a service needs {option}"));
    let tenant = args.tenant.as_deref().ok_or_else(|| needs("--tenant"))?;
    let variable = args.token_env.as_deref().ok_or_else(|| needs("--token-env"))?;
    let service = Service::new(&args.to, tenant, variable)?;
    let mut request = service
        .request(Method::POST, &["connector-versions"])?
        .header("Content-Type", "application/wasm")
        .body(component);
    if let Some(signature) = signature {
        request = request.header("Sluice-Signature", STANDARD.encode(signature));
    }
    let version = service.json(options, request).await?;
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
    let request = service.request(Method::POST, &["connector-versions", &sha256, "approve"])?;
    let request = request.header("Content-Type", "application/json").body(body.to_string());
    let approved = service.json(options, request).await?;
    report(options, approved.get("trial"));
    say(options, &format!("{name} {number} is installed"), &json!({"event": "approved", "version": approved}));
    Ok(())
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
