//! The project that a command is run in, whatever its language, and the component that was built of it.

use std::path::{Path, PathBuf};

use sluice_core::RunError;

use super::languages::{self, LanguageProject};
use super::rust::CargoProject;
use super::wrong;
use crate::cli::ComponentArgs;

/// A project.
pub(super) enum Project {
    /// Has a `Cargo.toml`.
    Rust(CargoProject),
    /// Has a `sluice.yaml`.
    Other(LanguageProject),
}

impl Project {
    /// The project in a folder.
    pub(super) fn find(folder: &Path) -> Result<Self, RunError> {
        if folder.join(languages::FILE).is_file() {
            return LanguageProject::open(folder).map(Self::Other);
        }
        if folder.join("Cargo.toml").is_file() {
            return CargoProject::find(folder).map(Self::Rust);
        }
        let file = languages::FILE;
        Err(wrong(format!("there is no project in {}: it has neither Cargo.toml nor {file}", folder.display())))
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Rust(project) => project.package.clone(),
            Self::Other(project) => project.name(),
        }
    }

    /// Where its component is once it was built.
    pub(super) fn component(&self) -> PathBuf {
        match self {
            Self::Rust(project) => project.component.clone(),
            Self::Other(project) => project.component(),
        }
    }

    /// Builds it. What tools say goes to standard error.
    pub(super) fn build(&self, offline: bool) -> Result<(), RunError> {
        match self {
            Self::Rust(project) => project.build(offline),
            Self::Other(project) => project.build(offline),
        }
    }
}

/// The component that was named, or that of the project in the working folder.
pub(super) fn component(args: &ComponentArgs) -> Result<PathBuf, RunError> {
    if let Some(named) = &args.component {
        return Ok(named.clone());
    }
    let project = Project::find(Path::new(".")).map_err(|error| {
        wrong(format!("name a component with --component, or go to the folder of a connector: {}", error.message))
    })?;
    let component = project.component();
    if !component.is_file() {
        return Err(wrong(format!("{} was not built yet; run `sluice connector build`", project.name())));
    }
    Ok(component)
}
