//! `sluice connector keygen`: a publisher's key.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use ring::rand::SystemRandom;
use serde_json::json;
use sluice_core::RunError;
use sluice_core::signature::SecretKey;

use super::{say, with_end, write, wrong};
use crate::cli::{KeygenArgs, Options};

pub(super) fn run(options: &Options, args: &KeygenArgs) -> Result<(), RunError> {
    let (secret, public) = SecretKey::generate(&SystemRandom::new())?;
    let shown = args.file.display();
    // Never over another key: what was signed with it could not be signed again.
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.file);
    let mut file = opened.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => wrong(format!("{shown} is there already; name another file")),
        _ => wrong(format!("{shown} cannot be written: {e}")),
    })?;
    file.write_all(secret.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|e| wrong(format!("{shown} cannot be written: {e}")))?;
    let beside = with_end(&args.file, ".pub");
    write(&beside, public.to_pem().as_bytes())?;
    let fingerprint = public.fingerprint();
    let sentence = format!("{shown} is secret: keep it. {} is for everybody. {fingerprint}", beside.display());
    say(
        options,
        &sentence,
        &json!({"event": "key", "secret": args.file, "public": beside, "fingerprint": fingerprint}),
    );
    Ok(())
}
