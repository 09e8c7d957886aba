//! `sluice serve`, as an operator has it: started, asked, killed, started again.

mod running;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sluice_core::access::Role;
use sluice_core::queue::Priority;
use sluice_core::request::{Cause, RequestState};
use sluice_store::{
    MasterKey, MasterKeys, NewConnection, NewPipeline, NewRequest, NewTenant, NewToken, NewUser, PipelineChange,
    RunRequest, Scope, SecretChange, Settings, Store, Timing, Vault,
};

pub use self::running::Service;
use crate::env;

/// The key that seals secrets in every test.
const KEY: [u8; 32] = [42; 32];

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder and a database that services work on.
pub struct Site {
    folder: tempfile::TempDir,
    database: Option<String>,
    store: Store,
}

impl Site {
    /// On a state file.
    ///
    /// # Panics
    /// If there is no room for it.
    pub async fn on_sqlite() -> Self {
        let folder = prepared();
        let store = Store::open(&folder.path().join("data/state.db")).await.expect("a state file");
        Self { folder, database: None, store }
    }

    /// On a PostgreSQL schema of its own.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn on_postgres() -> Self {
        let folder = prepared();
        let now = jiff::Timestamp::now().as_nanosecond();
        let schema = format!("service_{}_{now}", std::process::id());
        crate::postgres::sql(&format!("CREATE SCHEMA {schema}"));
        let url = format!(
            "postgres://{}:{}@{}:{}/{}?options[search_path]={schema}",
            env("SLUICE_TEST_POSTGRES_USER"),
            env("SLUICE_TEST_POSTGRES_PASSWORD"),
            env("SLUICE_TEST_POSTGRES_HOST"),
            env("SLUICE_TEST_POSTGRES_PORT"),
            env("SLUICE_TEST_POSTGRES_DATABASE"),
        );
        let settings = Settings { connections: 4, ..Settings::default() };
        let store = Store::connect(&url, settings).await.expect("a database");
        Self { folder, database: Some(url), store }
    }

    /// What the service remembers, seen from beside it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder of everything.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that is offered to connections as `lake`.
    pub fn lake(&self) -> PathBuf {
        self.path().join("lake")
    }

    /// A table of a tenant's local warehouse.
    pub fn table(&self, tenant: &str, pipeline: &str, table: &str) -> PathBuf {
        self.path().join("data/warehouse").join(tenant).join(pipeline).join("main").join(table)
    }

    /// Starts a service and waits until it is ready.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&self, arguments: &[&str]) -> Service {
        Self::begin(self.command(arguments))
    }

    /// Starts a service by a command and waits until it is ready.
    ///
    /// # Panics
    /// If it does not start.
    pub fn begin(mut command: Command) -> Service {
        Service::begun(&mut command)
    }

    /// The command that starts a service.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env("SLUICE_TEST_BIN"));
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--allow-private-network", "--allow-endpoints"]);
        command.args(["--data", "data", "--master-key", "master.key", "--folder", "lake=lake"]).args(arguments);
        if let Some(url) = &self.database {
            command.args(["--database", url]);
        }
        command
            .env("SLUICE_CONNECTORS", env("SLUICE_TEST_CONNECTORS"))
            .env("SLUICE_CACHE", std::env::temp_dir().join("sluice-tests-compiled"))
            .env_remove("SLUICE_KILL_AT")
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `sluice admin` on the service's database.
    ///
    /// # Panics
    /// If the binary does not start.
    pub fn admin(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env("SLUICE_TEST_BIN"));
        command.args(["--json", "admin"]).args(arguments).args(["--data", "data"]);
        if let Some(url) = &self.database {
            command.args(["--database", url]);
        }
        command
            .env("SLUICE_CONNECTORS", env("SLUICE_TEST_CONNECTORS"))
            .env("SLUICE_CACHE", std::env::temp_dir().join("sluice-tests-compiled"))
            .env_remove("SLUICE_KILL_AT")
            .current_dir(self.path())
            .stdin(Stdio::null());
        command.output().expect("the binary starts")
    }

    /// The tables of a PostgreSQL database with a row that holds a text; none on a state file, which is in the folder.
    ///
    /// # Panics
    /// If the server does not answer.
    pub fn tables_with(&self, text: &str) -> Vec<String> {
        let Some(schema) = self.database.as_ref().and_then(|url| url.rsplit('=').next()) else { return Vec::new() };
        let hex = sluice_core::hex(text.as_bytes());
        let tables = crate::postgres::sql(&format!("SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'"));
        assert!(tables.lines().any(|table| table == "connection_secrets"), "{tables}");
        let holds = |table: &&str| {
            let rows = format!("SELECT x::text AS row FROM {schema}.{table} x");
            let found = format!("SELECT COUNT(*) FROM ({rows}) t WHERE row LIKE '%{text}%' OR row LIKE '%{hex}%'");
            crate::postgres::sql(&found) != "0"
        };
        tables.lines().filter(holds).map(str::to_owned).collect()
    }

    /// Opens secrets as the service does.
    pub fn vault(&self) -> Vault {
        let keys = MasterKeys::new(MasterKey::new("test", KEY), Vec::new());
        Vault::new(
            keys,
            Arc::new(|bytes: &mut [u8]| {
                bytes.fill(3);
                Ok(())
            }),
        )
    }

    /// A tenant with a connection `lake` to the offered folder.
    ///
    /// # Panics
    /// If it cannot be stored.
    pub async fn tenant(&self, id: &str) {
        let new = NewTenant { id: id.into(), name: id.into() };
        self.store.create_tenant(&new, now_us()).await.expect("a tenant");
        let config = json!({"streams": [{"name": "t", "glob": format!("{id}/*.csv")}]});
        let grants = json!({"folders": {"/data": "lake"}});
        self.connection(id, "lake", "files", config, grants, &[]).await;
    }

    /// A connection, its id being its name.
    ///
    /// # Panics
    /// If it cannot be stored.
    pub async fn connection(
        &self,
        tenant: &str,
        name: &str,
        connector: &str,
        config: Value,
        grants: Value,
        secrets: &[SecretChange],
    ) {
        let id = format!("{tenant}-{name}");
        let new = NewConnection { id, name: name.into(), connector: connector.into(), config, grants };
        let made = self.store.create_connection(Scope { tenant }, &self.vault(), &new, secrets, "test", now_us()).await;
        made.expect("a connection");
    }

    /// A pipeline of a connection into the tenant's local warehouse; its id is `TENANT-NAME`.
    ///
    /// # Panics
    /// If it cannot be stored.
    pub async fn pipeline(
        &self,
        tenant: &str,
        name: &str,
        connection: &str,
        more: Value,
        timing: Option<&Timing>,
    ) -> String {
        let id = format!("{tenant}-{name}");
        let mut definition = json!({
            "streams": [{"id": "t", "read": {"incremental": ""}}],
            "sink": {"type": "local", "path": name},
            "retry": {"max_attempts": 3, "base_seconds": 1, "cap_seconds": 2},
        });
        for (field, value) in more.as_object().expect("fields") {
            definition[field] = value.clone();
        }
        if let Some(timing) = timing {
            definition["schedule"] = serde_json::to_value(&timing.schedule).expect("a schedule");
        }
        let connection = format!("{tenant}-{connection}");
        let first = PipelineChange { name: name.into(), connection, definition, enabled: true };
        let new = NewPipeline { id: id.clone(), first };
        let made = self.store.create_pipeline(Scope { tenant }, &new, timing, "test", now_us()).await;
        made.expect("a pipeline");
        id
    }

    /// Asks for a run; its id.
    ///
    /// # Panics
    /// If it cannot be stored.
    pub async fn ask(&self, tenant: &str, pipeline: &str) -> String {
        let id = unique();
        let new = NewRequest {
            id: id.clone(),
            pipeline: pipeline.into(),
            revision: 1,
            connection: format!("{tenant}-lake"),
            cause: Cause::Manual,
            moment_us: None,
            snapshot_date: None,
            requested_by: "user test".into(),
            priority: Priority::Normal.level(),
            not_before_us: 0,
            traceparent: None,
        };
        self.store.ask_for_run(Scope { tenant }, &new, now_us()).await.expect("a run");
        id
    }

    /// A token of an owner of the tenant, for the API.
    ///
    /// # Panics
    /// If it cannot be stored.
    pub async fn token(&self, tenant: &str) -> String {
        let (scope, now) = (Scope { tenant }, now_us());
        let id = format!("{tenant}-owner");
        let user = NewUser { id: id.clone(), email: format!("{id}@example.com"), name: id.clone(), password: None };
        self.store.create_user(&user, now).await.expect("a user");
        self.store.add_member(scope, &id, Role::Owner, now).await.expect("a member");
        let text =
            format!("slua_{}", URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, id.as_bytes())));
        let new = NewToken {
            id: format!("{id}-token"),
            user: Some(id.clone()),
            name: "test".into(),
            token_hash: ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref().to_vec(),
            role: Role::Owner,
            created_by: id,
            expires_us: None,
        };
        self.store.create_token(scope, &new, now).await.expect("a token");
        text
    }

    /// A run as it is now.
    ///
    /// # Panics
    /// If there is none.
    pub async fn run(&self, tenant: &str, id: &str) -> RunRequest {
        self.store.run_request(Scope { tenant }, id).await.expect("an answer").expect("a run")
    }

    /// A run once it is in a state.
    ///
    /// # Panics
    /// If that takes too long, or it ends otherwise.
    pub async fn run_in(&self, tenant: &str, id: &str, state: RequestState) -> RunRequest {
        let begun = Instant::now();
        loop {
            let run = self.run(tenant, id).await;
            if run.state == state {
                return run;
            }
            assert!(!run.state.is_final(), "{run:?}");
            assert!(begun.elapsed() < PATIENCE, "{run:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A file with rows `from..to` of one column `id` in the tenant's part of the lake.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn put(&self, tenant: &str, name: &str, rows: std::ops::Range<i64>) {
        let folder = self.lake().join(tenant);
        std::fs::create_dir_all(&folder).expect("a folder");
        let text: String = std::iter::once("id\n".to_owned()).chain(rows.map(|id| format!("{id}\n"))).collect();
        std::fs::write(folder.join(name), text).expect("a file");
    }
}

fn prepared() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["data", "lake"] {
        std::fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let key = folder.path().join("master.key");
    std::fs::write(&key, format!("test {}\n", STANDARD.encode(KEY))).expect("a key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("a key of one's own");
    folder
}

fn unique() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{:020}-{}-{next:06}", jiff::Timestamp::now().as_microsecond(), std::process::id())
}

/// Now, as the store keeps times.
pub fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
