//! Projects in other languages than Rust: `sluice.yaml` says which, where the connector's code is, and where the SDK.
//!
//! To add a language: a toolchain that `toolchain.rs` installs, a file here that makes a component with it and asks the code for its
//! manifest (or reads it from a file beside), a template in `new.rs`.

mod c;
mod javascript;
mod python;
mod section;
mod toolchain;
mod wit;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sluice_core::RunError;

use super::{write, wrong};
use crate::file;

/// The file that makes a folder such a project.
pub(super) const FILE: &str = "sluice.yaml";

/// Where all that is built goes, below the project.
const FOLDER: &str = ".sluice";

/// What it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    C,
    Python,
    JavaScript,
}

/// What `sluice.yaml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    language: Language,
    /// The file with the connector's code.
    entry: PathBuf,
    /// The SDK's folder.
    sdk: PathBuf,
}

/// A project.
pub(super) struct LanguageProject {
    language: Language,
    folder: PathBuf,
    entry: PathBuf,
    sdk: PathBuf,
}

impl LanguageProject {
    /// The project in a folder that has a `sluice.yaml`.
    pub(super) fn open(folder: &Path) -> Result<Self, RunError> {
        let Settings { language, entry, sdk } = file::parse(&folder.join(FILE))?;
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        let (entry, sdk) = (folder.join(entry), folder.join(sdk));
        for (field, path) in [("entry", &entry), ("sdk", &sdk)] {
            if !path.exists() {
                return Err(RunError::config(field, format!("{}, named in {FILE}, is not there", path.display())));
            }
        }
        Ok(Self { language, folder, entry, sdk })
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        self.entry.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where its component is once it was built.
    pub(super) fn component(&self) -> PathBuf {
        self.folder.join(FOLDER).join("connector.wasm")
    }

    /// Makes the component. What tools say goes to standard error.
    pub(super) fn build(&self, offline: bool) -> Result<(), RunError> {
        let built = self.folder.join(FOLDER);
        let wit = built.join("wit");
        wit::unpack(&wit)?;
        let raw = built.join("without-manifest.wasm");
        let manifest = match self.language {
            Language::C => c::build(self, &wit, &raw, offline)?,
            Language::Python => python::build(self, &wit, &raw, offline)?,
            Language::JavaScript => javascript::build(self, &wit, &raw, offline)?,
        };
        let component = std::fs::read(&raw).map_err(|e| wrong(format!("{} cannot be read: {e}", raw.display())))?;
        write(&self.component(), &section::with_manifest(component, manifest.as_bytes()))?;
        std::fs::remove_file(&raw).map_err(|e| wrong(format!("{} cannot be removed: {e}", raw.display())))
    }
}
