//! `sluice connector sign`: a detached signature over a component's digest and its manifest.

use serde_json::json;
use sluice_core::RunError;
use sluice_core::signature::{SecretKey, Statement};

use super::{bytes, component, project, say, with_end, write, wrong};
use crate::cli::{Options, SignArgs};

/// Largest key file that is read, bytes.
pub(super) const MAX_KEY: u64 = 16 << 10;

pub(super) fn run(options: &Options, args: &SignArgs) -> Result<(), RunError> {
    let path = project::component(&args.component)?;
    let (component, inspected) = component(&path)?;
    let text = String::from_utf8(bytes(&args.key, MAX_KEY)?).map_err(|_| wrong("the key file is not text"))?;
    let key = SecretKey::from_pem(&text)?;
    let manifest = &inspected.manifest;
    let statement = Statement::new(&manifest.name, &manifest.version, &component, &inspected.manifest_bytes);
    let digest = statement.digest.clone();
    let signature = key.sign(statement);
    let out = args.out.clone().unwrap_or_else(|| with_end(&path, ".sig"));
    let text = serde_json::to_vec_pretty(&signature).map_err(|e| RunError::internal(e.to_string()))?;
    write(&out, &text)?;
    let fingerprint = key.public().fingerprint();
    let sentence = format!("{} {} is signed: {} ({fingerprint})", manifest.name, manifest.version, out.display());
    say(
        options,
        &sentence,
        &json!({"event": "signed", "digest": digest, "signature": out, "fingerprint": fingerprint}),
    );
    Ok(())
}
