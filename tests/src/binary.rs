//! Runs of the binary, as a user has them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::env;

/// A folder with a pipeline in it.
pub struct Workspace {
    folder: tempfile::TempDir,
}

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status; killed processes have no code.
    pub status: ExitStatus,
    /// The JSON lines that it printed.
    pub lines: Vec<Value>,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// The last line: the summary of a run.
    ///
    /// # Panics
    /// If there is none.
    pub fn summary(&self) -> &Value {
        let last = self.lines.last().unwrap_or_else(|| panic!("no summary; stderr: {}", self.stderr));
        assert_eq!(last["event"], "summary", "{self:?}");
        last
    }

    /// The exit code; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The message of the error that ended it.
    ///
    /// # Panics
    /// If it did not fail.
    pub fn error(&self) -> String {
        let last = self.lines.last().unwrap_or_else(|| panic!("no output; stderr: {}", self.stderr));
        last["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {self:?}")).to_owned()
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Workspace {
    /// An empty folder.
    ///
    /// # Panics
    /// If there is no room for one.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Another folder with all that is in this one.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        copy_into(self.path(), copy.path()).expect("a copy of the folder");
        copy
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the pipeline's file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn pipeline(&self, yaml: &str) -> PathBuf {
        let path = self.path().join("pipeline.yaml");
        std::fs::write(&path, yaml).expect("the pipeline's file");
        path
    }

    /// The binary with its usual arguments; `--json` and the connectors' folder are set.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env("SLUICE_TEST_BIN"));
        command
            .args(arguments)
            .arg("--json")
            .env("SLUICE_CONNECTORS", env("SLUICE_TEST_CONNECTORS"))
            .env("SLUICE_CACHE", std::env::temp_dir().join("sluice-tests-compiled"))
            .env_remove("SLUICE_KILL_AT")
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the pipeline.
    ///
    /// # Panics
    /// If the binary does not start.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["run", "pipeline.yaml"];
        all.extend_from_slice(arguments);
        finish(&mut self.command(&all))
    }

    /// Runs the pipeline and kills it at a point.
    ///
    /// # Panics
    /// If it was not killed: then the point is not on the path, and the test would prove nothing.
    pub fn run_killed_at(&self, point: &str, arguments: &[&str]) -> Ran {
        let mut all = vec!["run", "pipeline.yaml"];
        all.extend_from_slice(arguments);
        let ran = finish(self.command(&all).env("SLUICE_KILL_AT", point));
        let signal = std::os::unix::process::ExitStatusExt::signal(&ran.status);
        assert_eq!(signal, Some(9), "the run was not killed at {point}: {ran:?}");
        ran
    }
}

fn copy_into(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Runs a command to its end.
///
/// # Panics
/// If it does not start, or prints what is not JSON.
pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("the binary starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    Ran {
        status: output.status,
        lines: stdout.lines().map(parse).collect(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
