//! Runs of `sluice connector`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sluice_tests::binary::{Ran, Workspace, finish};

/// Runs `sluice connector …` in a folder.
pub(crate) fn connector(folder: &Path, arguments: &[&str]) -> Ran {
    let workspace = Workspace::new();
    let all: Vec<&str> = ["connector"].iter().chain(arguments).copied().collect();
    finish(workspace.command(&all).current_dir(folder))
}

/// The API that the template is tried against, until it is dropped.
pub(crate) struct Api {
    child: Child,
    pub(crate) url: String,
}

impl Api {
    pub(crate) fn start(project: &Path) -> Self {
        let mut child = Command::new("python3")
            .arg("fixtures/api.py")
            .current_dir(project)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
