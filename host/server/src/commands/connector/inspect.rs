//! `sluice connector inspect`: what a component is, says and asks for.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice_conformance::manifest;
use sluice_core::manifest::{AuthScheme, Manifest};
use sluice_core::{RunError, hex};
use sluice_runtime::{Counted, Inspected};

use super::{component, project};
use crate::cli::{ComponentArgs, Options};
use crate::show;

/// What becomes of the sockets that a component imports.
const SOCKETS: &str = "imported, as some languages' standard libraries do whether they are used or not; always refused";

/// SHA-256, hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn run(options: &Options, args: &ComponentArgs) -> Result<(), RunError> {
    let path = project::component(args)?;
    let (bytes, inspected) = component(&path)?;
    let notes = manifest::permissions(&inspected);
    if options.json() {
        let manifest: Value =
            serde_json::from_slice(&inspected.manifest_bytes).map_err(|e| RunError::internal(e.to_string()))?;
        println!(
            "{}",
            json!({
                "event": "component", "path": path, "bytes": bytes.len(), "digest": digest(&bytes), "manifest": manifest,
                "imports": inspected.imports, "permissions": permissions(&inspected), "notes": notes,
                "sockets": if inspected.imports_sockets() { "refused" } else { "none" }, "parts": parts(&inspected),
            })
        );
        return Ok(());
    }
    let Manifest { name, version, title, contract, publisher, description, .. } = &inspected.manifest;
    println!("{title} ({name} {version}), contract {contract}");
    if !publisher.is_empty() {
        println!("published by {publisher}");
    }
    println!("{description}");
    println!();
    println!("file       {} ({})", path.display(), show::bytes(bytes.len() as u64));
    println!("digest     sha256:{}", digest(&bytes));
    for (what, asked) in permissions(&inspected) {
        println!("{what:<10} {asked}");
    }
    println!("imports    {}", inspected.imports.join("\n           "));
    if inspected.imports_sockets() {
        println!("sockets    {SOCKETS}");
    }
    if let Some(fullest) = inspected.parts.iter().max_by_key(|part| percent(part)) {
        let Counted { what, count, most } = fullest;
        println!("size       {count} {what} of at most {most}: {} %; everything else has more room", percent(fullest));
    }
    notes.iter().for_each(|note| println!("note       {note}"));
    Ok(())
}

/// What it consists of, and how much of each a host compiles.
fn parts(inspected: &Inspected) -> Value {
    let part = |part: &Counted| (part.what.to_owned(), json!({"count": part.count, "most": part.most}));
    Value::Object(inspected.parts.iter().map(part).collect())
}

/// How much of what there may be is there.
fn percent(part: &Counted) -> u64 {
    part.count.saturating_mul(100) / part.most.max(1)
}

/// What is asked for, in words, by what it is.
fn permissions(inspected: &Inspected) -> Vec<(&'static str, String)> {
    let manifest = &inspected.manifest;
    let none = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let secrets = manifest.secret_fields().map(|field| {
        let inside = manifest.secrets.inside.iter().any(|inside| inside == field);
        format!("{field} ({})", if inside { "enters the sandbox" } else { "stays with the host" })
    });
    let capabilities = serde_json::to_value(&manifest.capabilities).unwrap_or_default();
    let can = capabilities.as_object().into_iter().flatten().filter(|(_, can)| can.as_bool() == Some(true));
    vec![
        ("hosts", none(manifest.hosts.clone())),
        ("secrets", none(secrets.collect())),
        ("signs", none(manifest.auth.iter().map(scheme).collect())),
        ("folders", none(manifest.folders.clone())),
        ("memory", manifest.memory_bytes.map_or("the default".to_owned(), show::bytes)),
        ("can", none(can.map(|(name, _)| name.clone()).collect())),
    ]
}

fn scheme(auth: &AuthScheme) -> String {
    let value = serde_json::to_value(auth).unwrap_or_default();
    let fields: Vec<&str> = auth.fields().into_iter().map(|(field, _)| field).collect();
    format!("{} with {}", value.get("scheme").and_then(Value::as_str).unwrap_or_default(), fields.join(", "))
}
