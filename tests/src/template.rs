//! The connector that `sluice connector new` writes, built once for all tests.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::binary::{Workspace, finish};
use crate::env;

/// The project, and the component that was built of it.
pub struct Template {
    /// The project's folder.
    pub project: PathBuf,
    /// The component.
    pub component: PathBuf,
    /// What `sluice connector build` said.
    pub built: Value,
}

/// Writes and builds the project, unless it is there as it would be written now. Tests are processes of their own, so they take
/// turns.
///
/// # Panics
/// If it is not written or does not build.
pub fn template() -> Template {
    let connectors = PathBuf::from(env("SLUICE_TEST_CONNECTORS"));
    let target = connectors.parent().expect("cargo's target folder").to_path_buf();
    let home = target.join("template");
    std::fs::create_dir_all(&home).expect("a folder for the template");
    let turn = File::create(home.join("lock")).expect("a lock");
    turn.lock().expect("our turn");

    let fresh = Workspace::new();
    let written = finish(&mut fresh.command(&["connector", "new", "widgets"]));
    assert_eq!(written.code(), Some(0), "{written:?}");
    let project = home.join("widgets");
    update(&fresh.path().join("widgets"), &project);

    let mut build = fresh.command(&["connector", "build", "--offline"]);
    let built = finish(build.current_dir(&project).env("CARGO_TARGET_DIR", &target));
    assert_eq!(built.code(), Some(0), "{built:?}");
    let built = built.lines.last().expect("a line").clone();
    let component = PathBuf::from(built["path"].as_str().expect("a path"));
    Template { project, component, built }
}

/// Copies what differs, so that cargo builds only what changed.
fn update(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the project's folder");
    for entry in std::fs::read_dir(from).expect("the new project") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            update(&entry.path(), &target);
            continue;
        }
        let new = std::fs::read(entry.path()).expect("a file");
        // Cargo has dropped from the lock file what the project does not need.
        let locked = entry.file_name() == "Cargo.lock" && target.is_file();
        if !locked && std::fs::read(&target).ok().as_ref() != Some(&new) {
            std::fs::write(&target, new).expect("the project's file");
        }
    }
}
