//! The SDKs' own tests, which need no sandbox.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::Project;

fn sdk(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk").join(language)
}

fn passes(command: &mut Command, last: &str) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains(last), "{said}");
}

/// Where a build has installed the toolchain for TypeScript.
#[allow(clippy::disallowed_methods, reason = "the folder is the one that the binary takes from the environment")]
fn toolchain() -> PathBuf {
    Project::new("js").build();
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = || folder("XDG_CACHE_HOME").unwrap_or_else(|| folder("HOME").unwrap().join(".cache"));
    let home = folder("SLUICE_TOOLCHAINS").unwrap_or_else(|| cache().join("sluice/toolchains"));
    let mut folders = std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    folders.find(|path| path.is_dir() && path.to_string_lossy().contains("componentize-js")).unwrap()
}

#[test]
fn what_the_sdk_for_python_adds_to_the_host_is_right() {
    let mut python = Command::new("python3");
    python.args(["-B", "-m", "unittest", "discover", "-s", "tests"]).env("PYTHONPATH", ".").current_dir(sdk("python"));
    passes(&mut python, "\nOK");
}

#[test]
fn what_the_sdk_for_typescript_adds_to_the_host_is_right() {
    let mut node = Command::new("node");
    node.arg(sdk("js").join("tests/run.mjs")).current_dir(toolchain());
    passes(&mut node, "# fail 0");
}
