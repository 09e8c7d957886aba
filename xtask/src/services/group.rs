//! A group of servers that live and die together, and the record of it that lets a later command clean up.
//!
//! A server is stopped by its process id, and only if the process started when the record says: ids are reused.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::{
    azurite, compressors, fake_gcs, google_api, google_token, local_bigquery, mariadb, mysql, oidc, otlp, postgres, s3,
    s3rver, schemathesis, smtp, tls,
};
use crate::process::{self, Interrupt};
use crate::tools::remove_folder;
use crate::workspace::Workspace;

/// The name of the group that `services up` leaves running.
pub(crate) const BACKGROUND: &str = "up";

/// The unit of times in /proc, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// How to reach the servers: environment variables, in the order of their names.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Facts(BTreeMap<String, String>);

impl Facts {
    pub(crate) fn add(&mut self, name: &str, value: impl Display) {
        self.0.insert(name.to_owned(), value.to_string());
    }

    pub(crate) fn get(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("no server set {name}"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    pub(crate) fn exports(&self) -> String {
        self.0.iter().map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''"))).collect()
    }
}

/// How long servers live.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Lifetime {
    /// They end with us: by us, and by the kernel if we are killed.
    OfThisProcess,
    /// They stay until `services down`.
    UntilDown,
}

/// One server process.
#[derive(Clone, Serialize, Deserialize)]
struct Server {
    name: String,
    pid: u32,
    /// In the kernel's clock ticks since boot; tells a reused process id apart.
    started: u64,
    /// Whether the server wants SIGQUIT instead of SIGTERM to leave at once.
    quit: bool,
}

/// What is written down about a group, so that another process can stop it.
#[derive(Serialize, Deserialize)]
struct Record {
    owner: u32,
    owner_started: u64,
    until_down: bool,
    folder: PathBuf,
    servers: Vec<Server>,
    facts: Facts,
}

/// Running servers. Dropping it stops them and deletes their data.
pub(crate) struct Group {
    pub(crate) facts: Facts,
    pub(crate) folder: PathBuf,
    file: PathBuf,
    lifetime: Lifetime,
    servers: Vec<Server>,
    children: Vec<std::process::Child>,
    detached: bool,
}

impl Group {
    /// An empty group with a folder of its own.
    pub(crate) fn new(workspace: &Workspace, name: &str, lifetime: Lifetime) -> Result<Group> {
        let folder = tempfile::Builder::new().prefix("sluice-services-").tempdir()?.keep();
        // Servers that refuse to run as root run as somebody else, who must be able to reach their files here.
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        let group = Group {
            facts: Facts::default(),
            folder,
            file: record_file(workspace, name)?,
            lifetime,
            servers: Vec::new(),
            children: Vec::new(),
            detached: false,
        };
        group.write_record()?;
        Ok(group)
    }

    /// Starts every server.
    pub(crate) fn start(&mut self, interrupt: &Interrupt) -> Result<()> {
        compressors::install(self)?;
        schemathesis::install(self)?;
        let certificates = tls::generate(&self.folder.join("tls"))?;
        postgres::start(self, interrupt, &certificates)?;
        mariadb::start(self, interrupt, &certificates)?;
        mysql::start(self, interrupt, &certificates)?;
        local_bigquery::start(self, interrupt)?;
        s3::start(self, interrupt)?;
        azurite::start(self, interrupt)?;
        fake_gcs::start(self, interrupt)?;
        google_token::start(self, interrupt)?;
        oidc::start(self, interrupt)?;
        google_api::cloud_scheduler(self, interrupt)?;
        google_api::secret_manager(self, interrupt)?;
        smtp::start(self, interrupt, &certificates)?;
        otlp::start(self, interrupt)?;
        self.write_record()
    }

    /// Starts MariaDB only.
    pub(crate) fn start_mariadb(&mut self, interrupt: &Interrupt) -> Result<()> {
        let certificates = tls::generate(&self.folder.join("tls"))?;
        mariadb::start(self, interrupt, &certificates)
    }

    /// Starts the S3 server only.
    pub(crate) fn start_s3(&mut self, interrupt: &Interrupt) -> Result<()> {
        s3::start(self, interrupt)
    }

    /// Starts only the S3 server that serves a part of an object without reading the whole.
    pub(crate) fn start_s3rver(&mut self, interrupt: &Interrupt) -> Result<()> {
        s3rver::start(self, interrupt)
    }

    /// Starts the stand-in for BigQuery only.
    pub(crate) fn start_local_bigquery(&mut self, interrupt: &Interrupt) -> Result<()> {
        local_bigquery::start(self, interrupt)
    }

    /// User and system time that a server has taken so far; not that of processes that it may have started.
    pub(crate) fn cpu_seconds(&self, name: &str) -> Result<f64> {
        let server = self.servers.iter().find(|server| server.name == name);
        let ticks = server.and_then(|server| cpu_ticks(server.pid));
        let ticks = ticks.with_context(|| format!("{name} does not run"))?;
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    /// Starts PostgreSQL only.
    pub(crate) fn start_postgres(&mut self, interrupt: &Interrupt) -> Result<()> {
        let certificates = tls::generate(&self.folder.join("tls"))?;
        postgres::start(self, interrupt, &certificates)
    }

    /// The variables of the servers that `up` left running, if all of them still run.
    pub(crate) fn running(workspace: &Workspace) -> Result<Option<Facts>> {
        let Some(record) = read_record(&record_file(workspace, BACKGROUND)?) else { return Ok(None) };
        if !record.servers.is_empty() && record.servers.iter().all(Server::runs) {
            return Ok(Some(record.facts));
        }
        stop_recorded(workspace, BACKGROUND)?;
        Ok(None)
    }

    /// Spawns a server whose output goes to `<folder>/<name>.log`. The command may start with [`as_user`].
    pub(crate) fn spawn(&mut self, name: &str, quit: bool, command: Command) -> Result<()> {
        let log = std::fs::File::create(self.log(name))?;
        let mut command = match self.lifetime {
            Lifetime::UntilDown => command,
            Lifetime::OfThisProcess => dying_with_us(&command, quit),
        };
        // A group of its own, so that Ctrl-C reaches the tests first and the servers are stopped after them.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("starting `{}`", process::show(&command)))?;
        let started = start_time(child.id()).unwrap_or_default();
        self.servers.push(Server { name: name.to_owned(), pid: child.id(), started, quit });
        self.children.push(child);
        self.write_record()
    }

    /// Calls `ready` until it succeeds. Gives up when the server died, when a minute has passed, or on Ctrl-C.
    pub(crate) fn until_ready(
        &mut self,
        name: &str,
        interrupt: &Interrupt,
        mut ready: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let began = Instant::now();
        loop {
            interrupt.check()?;
            let Err(problem) = ready() else { return Ok(()) };
            let died = match self.servers.iter().position(|server| server.name == name) {
                Some(at) => self.children.get_mut(at).and_then(|child| child.try_wait().ok().flatten()),
                None => None,
            };
            if died.is_some() || began.elapsed() > Duration::from_secs(60) {
                let log = std::fs::read_to_string(self.log(name)).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(30).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let what =
                    died.map_or("did not become ready in a minute".to_owned(), |status| format!("ended: {status}"));
                bail!("{name} {what}: {problem:#}\nthe end of its log:\n{}", tail.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The log file of a server.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// Keeps the servers running after we have ended.
    pub(crate) fn leave_running(mut self) -> Facts {
        self.detached = true;
        self.facts.clone()
    }

    fn write_record(&self) -> Result<()> {
        let record = Record {
            owner: std::process::id(),
            owner_started: start_time(std::process::id()).unwrap_or_default(),
            until_down: self.lifetime == Lifetime::UntilDown,
            folder: self.folder.clone(),
            servers: self.servers.clone(),
            facts: self.facts.clone(),
        };
        std::fs::write(&self.file, serde_json::to_vec_pretty(&record)?)
            .with_context(|| format!("writing {}", self.file.display()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.detached {
            return;
        }
        stop(&self.servers);
        for child in &mut self.children {
            let _reaped = child.wait();
        }
        if let Err(error) = remove_folder(&self.folder) {
            eprintln!("xtask: {error:#}");
        }
        let _gone_already = std::fs::remove_file(&self.file);
    }
}

impl Server {
    fn runs(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }
}

/// Stops what dead commands left behind: servers whose owner is gone although they should have ended with it.
pub(crate) fn sweep(workspace: &Workspace) -> Result<()> {
    for entry in std::fs::read_dir(records(workspace)?)? {
        let file = entry?.path();
        let Some(record) = read_record(&file) else { continue };
        let owned = start_time(record.owner).is_some_and(|started| started == record.owner_started);
        if !record.until_down && !owned {
            eprintln!("xtask: cleaning up after an earlier run ({})", record.folder.display());
            clean(&file, &record)?;
        }
    }
    Ok(())
}

/// Stops a recorded group; false if there was none.
pub(crate) fn stop_recorded(workspace: &Workspace, name: &str) -> Result<bool> {
    let file = record_file(workspace, name)?;
    match read_record(&file) {
        Some(record) => clean(&file, &record).map(|()| true),
        None => Ok(false),
    }
}

/// One line per server of a recorded group.
pub(crate) fn describe(workspace: &Workspace, name: &str) -> Result<Vec<String>> {
    let Some(record) = read_record(&record_file(workspace, name)?) else { return Ok(Vec::new()) };
    let row = |server: &Server| {
        let state = if server.runs() { "running" } else { "gone" };
        format!("{:<20} {state:<8} pid {:<8} {}", server.name, server.pid, record.folder.display())
    };
    Ok(record.servers.iter().map(row).collect())
}

fn clean(file: &Path, record: &Record) -> Result<()> {
    stop(&record.servers);
    remove_folder(&record.folder)?;
    std::fs::remove_file(file).with_context(|| format!("deleting {}", file.display()))
}

/// Asks every server to leave, waits a little, then insists.
fn stop(servers: &[Server]) {
    for server in servers.iter().filter(|server| server.runs()) {
        process::signal(server.pid, if server.quit { Signal::QUIT } else { Signal::TERM });
    }
    let began = Instant::now();
    while servers.iter().any(Server::runs) {
        if began.elapsed() > Duration::from_secs(3) {
            for server in servers.iter().filter(|server| server.runs()) {
                process::signal(server.pid, Signal::KILL);
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

const SETPRIV: &str = "setpriv";

/// A program run as another user, which only root may do.
pub(crate) fn as_user(user: &str, program: &str) -> Command {
    let mut command = Command::new(SETPRIV);
    command.args(["--reuid", user, "--regid", user, "--init-groups", program]);
    command
}

/// The same command, killed by the kernel when we die without a chance to clean up.
fn dying_with_us(command: &Command, quit: bool) -> Command {
    let mut wrapped = Command::new(SETPRIV);
    wrapped.args(["--pdeathsig", if quit { "QUIT" } else { "TERM" }]);
    // The kernel forgets this signal when the user changes, so one setpriv has to do both.
    if command.get_program() != SETPRIV {
        wrapped.arg(command.get_program());
    }
    wrapped.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

/// When a process started, or `None` if it does not run (a zombie does not).
fn start_time(pid: u32) -> Option<u64> {
    let fields = fields(pid)?;
    if fields.first()? == "Z" {
        return None;
    }
    fields.get(19)?.parse().ok()
}

/// User and system time of a process so far.
fn cpu_ticks(pid: u32) -> Option<u64> {
    let fields = fields(pid)?;
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(number(11)? + number(12)?)
}

/// What the kernel says of a process, from its state on.
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may hold anything; the fields after it are numbered from 3 (the state).
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(str::to_owned).collect())
}

fn records(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.notes()?.join("services");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn record_file(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    Ok(records(workspace)?.join(format!("{name}.json")))
}

fn read_record(file: &Path) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
