//! `sluice connector build`: cargo, with the target and profile of components, and a look at what came out.

use std::process::Stdio;

use serde_json::json;
use sluice_conformance::manifest;
use sluice_core::RunError;

use super::inspect::digest;
use super::project::{PROFILE, Project, TARGET, cargo};
use super::{component, say, write, wrong};
use crate::cli::{BuildArgs, Options};
use crate::show;

/// Flags of the target, where the author sets none: every engine that the contract names has vectors.
const FLAGS: (&str, &str) = ("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-C target-feature=+simd128");

pub(super) fn run(options: &Options, args: &BuildArgs) -> Result<(), RunError> {
    let project = Project::find(&args.path)?;
    let mut command = cargo();
    command.args(["build", "--target", TARGET, "--profile", PROFILE, "--lib", "--package", &project.package]);
    if args.offline {
        command.arg("--offline");
    }
    if std::env::var_os(FLAGS.0).is_none() {
        command.env(FLAGS.0, FLAGS.1);
    }
    // What cargo says is for people; standard output is for what this command says.
    command.current_dir(&args.path).stdin(Stdio::null()).stdout(Stdio::null());
    let status =
        command.status().map_err(|e| wrong(format!("cargo cannot be started: {e}; install Rust with rustup")))?;
    if !status.success() {
        let hint = format!(
            "if the target is missing: rustup target add {TARGET}; if the profile is: see sdk/template/rust/Cargo.toml"
        );
        return Err(wrong(format!("{} does not build; cargo says why above ({hint})", project.package)));
    }
    let (bytes, inspected) = component(&project.component)?;
    let mut problems = manifest::problems(&inspected.manifest);
    problems.extend(manifest::permissions(&inspected));
    problems.extend(
        manifest::unmarked_secrets(&inspected.manifest, &std::collections::BTreeMap::new())
            .into_iter()
            .map(|field| format!("configuration field {field} looks like a secret and is not marked as one")),
    );
    let path = match &args.out {
        Some(out) => {
            write(out, &bytes)?;
            out.clone()
        }
        None => project.component,
    };
    let (name, version) = (&inspected.manifest.name, &inspected.manifest.version);
    let mut sentence = format!("{name} {version}: {} ({})", path.display(), show::bytes(bytes.len() as u64));
    for problem in &problems {
        sentence.push_str(&format!("\n  warning: {problem}"));
    }
    let event = json!({
        "event": "built", "name": name, "version": version, "path": path, "bytes": bytes.len(), "digest": digest(&bytes),
        "warnings": problems,
    });
    say(options, &sentence, &event);
    Ok(())
}
