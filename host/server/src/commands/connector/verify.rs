//! `sluice connector verify`: is this the component that the publisher signed?

use serde_json::json;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::signature::{MAX_BYTES, PublicKey, Signature, Statement};

use super::sign::MAX_KEY;
use super::{bytes, component, project, say, with_end, wrong};
use crate::cli::{Options, VerifyArgs};

pub(super) fn run(options: &Options, args: &VerifyArgs) -> Result<(), RunError> {
    let path = project::component(&args.component)?;
    let (component, inspected) = component(&path)?;
    let file = args.signature.clone().unwrap_or_else(|| with_end(&path, ".sig"));
    let signature = Signature::parse(&bytes(&file, MAX_BYTES as u64)?)?;
    let manifest = &inspected.manifest;
    let by =
        signature.verify(&Statement::new(&manifest.name, &manifest.version, &component, &inspected.manifest_bytes))?;
    let text = String::from_utf8(bytes(&args.key, MAX_KEY)?).map_err(|_| wrong("the key file is not text"))?;
    let expected = PublicKey::from_pem(&text)?;
    if by != expected {
        let (by, expected) = (by.fingerprint(), expected.fingerprint());
        let message = format!("the signature is valid, but by another key: {by} instead of {expected}");
        return Err(RunError::new(Kind::Permission, Actor::User, message));
    }
    let fingerprint = by.fingerprint();
    let sentence = format!("{} {} was signed by {fingerprint}", manifest.name, manifest.version);
    say(options, &sentence, &json!({"event": "verified", "name": manifest.name, "fingerprint": fingerprint}));
    Ok(())
}
