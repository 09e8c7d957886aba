//! `sluice connector publish`: a component and its signature to a service, or into a registry.

use std::path::PathBuf;

use serde_json::json;
use sluice_core::RunError;
use sluice_core::signature::{MAX_BYTES, Signature, Statement};

use super::oci::{Layout, Published};
use super::{bytes, component, project, say, upload, with_end};
use crate::cli::{Options, PublishArgs};

pub(super) async fn run(options: &Options, args: &PublishArgs) -> Result<(), RunError> {
    let folder = args.to.strip_prefix("oci:").filter(|folder| !folder.is_empty());
    if folder.is_none() && !args.to.starts_with("https://") && !args.to.starts_with("http://") {
        let message = "name a service as https://HOST, or an OCI image layout on disk as oci:DIR";
        return Err(RunError::config("--to", message));
    }
    let path = project::component(&args.component)?;
    let (component, inspected) = component(&path)?;
    let manifest = &inspected.manifest;
    let beside = with_end(&path, ".sig");
    let file = args.signature.clone().or_else(|| beside.is_file().then_some(beside));
    let signature = file.map(|file| bytes(&file, MAX_BYTES as u64)).transpose()?;
    if let Some(signature) = &signature {
        // Nobody is served by a signature that does not hold.
        let statement = Statement::new(&manifest.name, &manifest.version, &component, &inspected.manifest_bytes);
        Signature::parse(signature)?.verify(&statement)?;
    }
    let Some(folder) = folder else { return upload::run(options, args, component, signature).await };
    let layout = Layout::open(PathBuf::from(folder))?;
    let published = Published {
        manifest,
        imports: &inspected.imports,
        component: &component,
        manifest_json: &inspected.manifest_bytes,
        signature: signature.as_deref(),
    };
    let digest = layout.put(&published)?;
    let signed = if signature.is_some() { "with its signature" } else { "without a signature" };
    let sentence = format!("{}:{} is in {folder}, {signed} ({digest})", manifest.name, manifest.version);
    let event = json!({
        "event": "published", "name": manifest.name, "version": manifest.version, "registry": args.to, "digest": digest,
        "signed": signature.is_some(),
    });
    say(options, &sentence, &event);
    Ok(())
}
