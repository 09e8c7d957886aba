//! A specification with the program that serves its source.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use sluice_conformance::{Server, Spec};
use sluice_core::RunError;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::wrong;
use crate::file;

/// How long a server may take until it says where it is.
const READY: Duration = Duration::from_secs(30);

/// What stands for the server's URL, and for its parts. A value that is the port alone is a number.
const URL: &str = "{server}";
const HOST: &str = "{server.host}";
const PORT: &str = "{server.port}";

/// Servers that speak HTTP, and others.
const SCHEMES: [&str; 3] = ["http://", "https://", "tcp://"];

/// A program that runs as long as this value lives.
pub(super) struct Running {
    _child: Child,
    /// Kept open: a program that cannot write any more may end.
    _stdout: BufReader<ChildStdout>,
}

/// Reads a specification, starts its server, and fills in secrets and the server's URL.
pub(super) async fn specification(path: &Path) -> Result<(Spec, Option<Running>), RunError> {
    let mut value: Value = file::parse(path)?;
    let folder = file::folder(path);
    let mut running = None;
    if let Some(server) = value.get("server").filter(|server| !server.is_null()) {
        let server: Server =
            serde_json::from_value(server.clone()).map_err(|e| RunError::config("server", e.to_string()))?;
        let (url, child) = start(&server, &folder).await?;
        fill(&mut value, &url);
        running = Some(child);
    }
    file::resolve(&mut value, "conformance", &folder)?;
    let mut spec: Spec =
        serde_json::from_value(value).map_err(|e| wrong(format!("{} is not valid: {e}", path.display())))?;
    for granted in spec.connection.grants.folders.values_mut() {
        *granted = folder.join(&*granted);
    }
    for recording in &mut spec.recordings {
        *recording = folder.join(&*recording);
    }
    Ok((spec, running))
}

async fn start(server: &Server, folder: &Path) -> Result<(String, Running), RunError> {
    let failed = |message: String| RunError::config("server.command", message);
    let (program, arguments) =
        server.command.split_first().ok_or_else(|| failed("name a program and its arguments".into()))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| failed(format!("{program} cannot be started: {e}")))?;
    let stdout = child.stdout.take().ok_or_else(|| failed("it has no standard output".into()))?;
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    let read = tokio::time::timeout(READY, stdout.read_line(&mut line)).await;
    read.map_err(|_| failed(format!("it did not say where it is within {} s", READY.as_secs())))?
        .map_err(|e| failed(format!("it cannot be heard: {e}")))?;
    let url = line.trim();
    if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(failed(format!(
            "its first line must be its URL (http://…, https://… or tcp://HOST:PORT), and is {:?}",
            url.chars().take(200).collect::<String>()
        )));
    }
    Ok((url.trim_end_matches('/').to_owned(), Running { _child: child, _stdout: stdout }))
}

fn fill(value: &mut Value, url: &str) {
    let authority = url.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    match value {
        Value::String(text) if text == PORT => *value = port.parse::<u16>().map_or(Value::Null, Value::from),
        Value::String(text) if text.contains("{server") => {
            *text = text.replace(URL, url).replace(HOST, host).replace(PORT, port);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, url)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, url)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_is_filled_in_as_a_whole_and_in_parts() {
        let mut value =
            json!({"url": "{server}/a", "host": "{server.host}", "at": ["{server.port}", "port {server.port}"]});
        fill(&mut value, "tcp://127.0.0.1:4000");
        let filled = json!({"url": "tcp://127.0.0.1:4000/a", "host": "127.0.0.1", "at": [4000, "port 4000"]});
        assert_eq!(value, filled);
    }
}
