//! Python, by componentize-py: CPython and the project's modules, initialised once and kept as they are then.

use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_core::RunError;

use super::super::wrong;
use super::LanguageProject;
use super::toolchain::{self, Toolchain};
use super::wit::WORLD;

const TOOLCHAIN: Toolchain =
    Toolchain { name: "componentize-py-0.25.1", by_hand: "python3 -m venv … && pip install componentize-py==0.25.1" };

/// What is installed of it.
const PACKAGE: &str = "componentize-py==0.25.1";

/// What a project's pure packages are put into: `pip install --target packages …`.
const PACKAGES: &str = "packages";

/// Prints the manifest of a module's `Source`.
const MANIFEST: &str =
    "import importlib, sys; sys.stdout.write(importlib.import_module(sys.argv[1]).Source.manifest.json())";

const HINT: &str = "Python 3.10 or newer with venv is needed; name one in SLUICE_PYTHON";

pub(super) fn build(project: &LanguageProject, wit: &Path, to: &Path, offline: bool) -> Result<String, RunError> {
    let venv = TOOLCHAIN.folder(offline, install)?;
    let module = project.entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let home = project.entry.parent().unwrap_or(&project.folder).to_path_buf();
    let path: Vec<PathBuf> =
        [home, project.folder.join(PACKAGES), project.sdk.clone()].into_iter().filter(|path| path.is_dir()).collect();
    let joined = std::env::join_paths(&path).map_err(|e| wrong(format!("a folder's name cannot be used: {e}")))?;
    let mut python = Command::new(venv.join("bin/python"));
    python.args(["-B", "-c", MANIFEST, &module]).env("PYTHONPATH", joined).current_dir(&project.folder);
    let manifest = toolchain::output(&mut python, "reading the manifest", "the module ends with `Source = export(…)`")?;

    let mut componentize = Command::new(venv.join("bin/componentize-py"));
    componentize.arg("--quiet").arg("--wit-path").arg(wit).args(["--world", WORLD, "componentize", &module]);
    for folder in &path {
        componentize.arg("--python-path").arg(folder);
    }
    componentize.arg("--output").arg(to).env_remove("VIRTUAL_ENV").current_dir(&project.folder);
    toolchain::run(&mut componentize, "making the component", "modules that need C extensions cannot be used")?;
    Ok(manifest)
}

fn install(folder: &Path) -> Result<(), RunError> {
    let python = std::env::var_os("SLUICE_PYTHON").unwrap_or_else(|| "python3".into());
    toolchain::run(Command::new(python).args(["-m", "venv"]).arg(folder), "making a Python environment", HINT)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]);
    toolchain::run(&mut pip, "installing componentize-py", HINT)
}
