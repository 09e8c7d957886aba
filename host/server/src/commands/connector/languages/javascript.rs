//! JavaScript and TypeScript: esbuild puts the project and the SDK into one module, componentize-js makes a component of it.

use std::path::Path;
use std::process::Command;

use sluice_core::RunError;

use super::super::write;
use super::LanguageProject;
use super::toolchain::{self, Toolchain};
use super::wit::WORLD;

const TOOLCHAIN: Toolchain = Toolchain {
    name: "componentize-js-0.23.0",
    by_hand: "npm install @bytecodealliance/componentize-js@0.23.0 esbuild@0.28.2",
};

/// What is installed of it; dependencies are those that were published before a day, so that they do not change either.
const PACKAGES: [&str; 2] = ["@bytecodealliance/componentize-js@0.23.0", "esbuild@0.28.2"];
const BEFORE: &str = "2026-11-20";

/// Bundles, prints the manifest, makes the component. Runs beside the packages that it imports.
const SCRIPT: &str = include_str!("../../../../../../sdk/js/build.mjs");

const HINT: &str = "Node.js 20 or newer with npm is needed";

pub(super) fn build(project: &LanguageProject, wit: &Path, to: &Path, offline: bool) -> Result<String, RunError> {
    let folder = TOOLCHAIN.folder(offline, install)?;
    let script = folder.join("build.mjs");
    write(&script, SCRIPT.as_bytes())?;
    let mut node = Command::new("node");
    node.arg(&script).arg(&project.entry).arg(&project.sdk).arg(wit).arg(WORLD).arg(to).current_dir(&project.folder);
    toolchain::output(&mut node, "making the component", HINT)
}

fn install(folder: &Path) -> Result<(), RunError> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--before", BEFORE]);
    npm.arg("--prefix").arg(folder).args(PACKAGES).current_dir(folder);
    toolchain::run(&mut npm, "installing componentize-js", HINT)
}
