//! A project that `sluice connector new` wrote, and what is done with it.

use std::path::PathBuf;

use serde_json::{Value, json};
use sluice_tests::binary::{Ran, Workspace, finish};
use sluice_tests::conformance::assert_conforms;

pub(crate) struct Project {
    workspace: Workspace,
}

impl Project {
    /// The template of a language.
    pub(crate) fn new(language: &str) -> Self {
        let workspace = Workspace::new();
        let written = finish(&mut workspace.command(&["connector", "new", "widgets", "--language", language]));
        assert_eq!(written.code(), Some(0), "{written:?}");
        Self { workspace }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.workspace.path().join("widgets")
    }

    /// Runs `sluice connector …` in its folder.
    pub(crate) fn connector(&self, arguments: &[&str]) -> Ran {
        let all: Vec<&str> = ["connector"].iter().chain(arguments).copied().collect();
        finish(self.workspace.command(&all).current_dir(self.path()))
    }

    /// Builds it; what was said of the component.
    pub(crate) fn build(&self) -> Value {
        let built = self.connector(&["build"]);
        assert_eq!(built.code(), Some(0), "{built:?}");
        built.lines.last().unwrap().clone()
    }

    /// Builds it as it was written, in less than a hundred lines.
    pub(crate) fn builds(&self, code: &str) {
        let lines = std::fs::read_to_string(self.path().join(code)).unwrap().lines().count();
        assert!(lines < 100, "{code} has {lines} lines");
        let built = self.build();
        assert_eq!(built["warnings"], json!([]), "{built}");
    }

    /// Makes every check of the conformance kit.
    pub(crate) fn conforms(&self) {
        assert_conforms(&self.connector(&["test"]), &["past-state", "recordings", "splits"]);
    }

    /// Replaces a part of a file.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }
}
