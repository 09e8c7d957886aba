//! The connector that `sluice connector new` writes, built once for all tests.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

/// The API that the template is tried against, until it is dropped.
pub struct Api {
    child: Child,
    /// Where it answers.
    pub url: String,
}

impl Api {
    /// Starts it.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(project: &Path) -> Self {
        let mut child = Command::new("python3")
            .arg("fixtures/api.py")
            .current_dir(project)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut url).expect("its address");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Another component of the same size: each text is replaced wherever it stands. Manifests are custom sections and texts are data, so
/// that what comes out is as valid as before.
///
/// # Panics
/// If a text is not there, or has another length than what takes its place.
pub fn patched(component: &[u8], changes: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    for (from, to) in changes {
        assert_eq!(from.len(), to.len(), "{from} {to}");
        let places: Vec<usize> = bytes
            .windows(from.len())
            .enumerate()
            .filter(|(_, part)| *part == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert!(!places.is_empty(), "there is no {from} in the component");
        for at in places {
            bytes.splice(at..at + to.len(), to.bytes());
        }
    }
    bytes
}
