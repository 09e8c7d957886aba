//! A collector of OpenTelemetry: Rotel, as the binary that a Python package carries. It takes spans over OTLP and hands them on to a small
//! program that reads them with OpenTelemetry's own definitions and writes them to a file, for tests to read.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{connect, free_ports, get};
use crate::process::{Interrupt, run};
use crate::python;
use crate::tools;
use crate::workspace::cache;

/// The package, and the Python that its binary is linked against: Debian's own.
const ROTEL: &str = "0.0.1a15";
const LINKED: &str = "3.11";

/// Starts both and waits until they listen.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    let venv = python::venv("otlp-sink", &services.join("otlp-sink.lock.txt"), &python::interpreter(10)?)?;
    let python = venv.join("bin/python");
    let file = group.folder.join("spans.jsonl");
    std::fs::write(&file, "")?;
    let [sink, collector, grpc] = free_ports()?;
    let mut server = Command::new(&python);
    server.arg(services.join("otlp-sink.py")).args(["--port", &sink.to_string(), "--file"]).arg(&file);
    group.spawn("otlp-sink", false, server)?;
    group.until_ready("otlp-sink", interrupt, || get(sink, "/"))?;

    let mut server = Command::new(rotel(&python)?);
    server.args(["start", "--otlp-http-endpoint", &format!("127.0.0.1:{collector}")]);
    server.args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}"), "--batch-timeout", "100ms"]);
    server.args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"]);
    server.args(["--otlp-exporter-endpoint", &format!("http://127.0.0.1:{sink}")]);
    server.arg("--pid-file").arg(group.folder.join("rotel.pid"));
    group.spawn("rotel", false, server)?;
    group.until_ready("rotel", interrupt, || connect(collector).map(drop))?;
    group.facts.add("SLUICE_TEST_OTLP_ENDPOINT", format!("http://127.0.0.1:{collector}"));
    group.facts.add("SLUICE_TEST_OTLP_SPANS", file.display());
    Ok(())
}

/// The collector's program. Its package is chosen for the Python that Debian has, whatever runs pip.
fn rotel(python: &Path) -> Result<PathBuf> {
    tools::debian(&["libpython3.11"])?;
    let folder = cache()?.join("tools").join(format!("rotel-{ROTEL}"));
    let program = folder.join("rotel/rotel-agent");
    let complete = folder.join("complete");
    if !complete.is_file() {
        eprintln!("xtask: installing Rotel {ROTEL} into {} (once)", folder.display());
        let mut install = Command::new(python);
        install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--upgrade"]);
        install.args(["--implementation", "cp", "--python-version", LINKED, "--target"]).arg(&folder);
        run(install.arg(format!("rotel=={ROTEL}")).stdout(std::io::stderr()))?;
        executable(&program)?;
        std::fs::write(&complete, "")?;
    }
    Ok(program)
}

/// Not every version of pip keeps the mode that the package states.
fn executable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))?)
}
