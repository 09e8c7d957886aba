//! `sluice connector build`: the tools of the project's language, and a look at what came out.

use serde_json::json;
use sluice_conformance::manifest;
use sluice_core::RunError;

use super::inspect::digest;
use super::project::Project;
use super::{component, say, write};
use crate::cli::{BuildArgs, Options};
use crate::show;

pub(super) fn run(options: &Options, args: &BuildArgs) -> Result<(), RunError> {
    let project = Project::find(&args.path)?;
    project.build(args.offline)?;
    let built = project.component();
    let (bytes, inspected) = component(&built)?;
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
        None => built,
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
