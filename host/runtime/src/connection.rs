//! Giving a connector what it needs to run: its configuration, the hosts it may reach, its limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::InstanceLimits;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::Grants;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx};
use wasmtime_wasi_http::WasiHttpCtx;

use crate::clocks::Coarse;
use crate::component::Connector;
use crate::contract;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::http::{Hooks, HttpClient};
use crate::imports::buffers::Buffers;
use crate::imports::folder::{Room, is_on_a_disk};
use crate::imports::items::PlanItems;
use crate::imports::log::{Log, Stdio};
use crate::imports::output::Output;
use crate::instance::Instance;
use crate::instance::actor::{self, Actor as InstanceActor, Bounds};
use crate::instance::meter::Meter;
use crate::instance::store::{Limiter, StoreData};
use crate::net::egress::{EgressPolicy, expand_hosts};
use crate::net::{Network, Resolver};
use crate::tape::{self, Tape, Taping};

/// A connector configured for use: what every one of its instances is given.
#[derive(Clone)]
pub struct Connection {
    connector: Connector,
    /// What the guest sees: no secret that its manifest does not ask for.
    inside: String,
    secrets: Vec<String>,
    grants: Grants,
    limits: InstanceLimits,
    policy: EgressPolicy,
    resolver: Arc<dyn Resolver>,
    http: HttpClient,
    buffers: Buffers,
    tape: Option<Taping>,
}

impl Connection {
    /// Configures a connector. `config` has every secret resolved, `environment` is the host's.
    ///
    /// # Errors
    /// Names the field that does not fit, or the folder that is missing.
    pub fn new(
        connector: Connector,
        config: &serde_json::Value,
        grants: Grants,
        limits: InstanceLimits,
        environment: &Environment,
    ) -> Result<Self, RunError> {
        let manifest = connector.manifest();
        let nothing = serde_json::Value::Object(serde_json::Map::new());
        let config = if config.is_null() { &nothing } else { config };
        let serde_json::Value::Object(fields) = config else {
            return Err(RunError::config("/", "the configuration must be an object of fields and values"));
        };
        let tape = environment.tape.clone();
        let plays = tape.as_ref().is_some_and(Taping::plays);
        let rules = if plays { without_rules_for_secrets(manifest) } else { manifest.config.clone() };
        sluice_core::config::validate(&rules, config)?;
        let secrets = manifest.secret_fields().filter_map(|field| fields.get(field));
        let secrets = secrets.filter_map(|value| value.as_str().map(str::to_owned)).collect();
        let stays_outside: Vec<&str> = manifest
            .secret_fields()
            .filter(|secret| !manifest.secrets.inside.iter().any(|inside| inside == secret))
            .collect();
        let inside = fields.iter().filter(|(field, _)| !stays_outside.contains(&field.as_str()));
        let inside: BTreeMap<&String, &serde_json::Value> = inside.collect();
        let full = with_defaults(&manifest.config, config);
        let hosts = expand_hosts(&manifest.hosts, &full)?;
        let policy = EgressPolicy::new(hosts, grants.private_network)
            .with_deny(environment.deny.clone())
            .with_watch(environment.watch.clone());
        // Where nothing is sent, nothing is signed: the configuration has stand-ins for what would be signed with.
        let auth = if plays { &[] } else { manifest.auth.as_slice() };
        let http = HttpClient::new(policy.clone(), environment, auth, &full, &grants)?;
        let resolver = environment.resolver.clone();
        let inside = serde_json::to_string(&inside)
            .map_err(|e| RunError::internal(format!("a configuration cannot be written down: {e}")))?;
        let buffers = Buffers::default();
        Ok(Self { inside, secrets, policy, http, connector, grants, limits, resolver, buffers, tape })
    }

    /// The connector.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Starts an instance.
    ///
    /// # Errors
    /// If the sandbox has no room for another one, a granted folder cannot be opened, or the component traps as it starts.
    pub async fn instance(&self) -> Result<Instance, RunError> {
        let inner = &self.connector.inner;
        let tape = self.tape.as_ref().map(Taping::instance).transpose()?;
        let log = Log::new(&inner.manifest.name, self.secrets.clone(), self.limits.log_bytes).with_tape(tape.clone());
        let data = self.store_data(log.clone(), tape.clone())?;
        let cancel = CancellationToken::new();
        let memory = data.limiter.used();
        let bounds = Bounds {
            limits: self.limits.clone(),
            stack_bytes: inner.settings.stack_bytes,
            meter: Meter::default(),
            cancel: cancel.clone(),
            log: log.clone(),
            http: data.hooks.last_failure(),
            tape,
        };
        let mut store = Store::try_new(&inner.sandbox.engine, data).map_err(|e| no_room(&e))?;
        store.limiter(|data| &mut data.limiter);
        store.set_hostcall_fuel(usize::try_from(self.limits.hostcall_bytes).unwrap_or(usize::MAX));
        actor::interrupt(&mut store, &bounds);
        let starting =
            async { contract::instantiate(inner.version, &inner.pre, &mut store).await.map(Ok::<_, RunError>) };
        let guest = match actor::bounded(&bounds, starting).await {
            Ok(Ok(guest)) => guest,
            Ok(Err(error)) => return Err(error),
            Err(Fault::Trap { reason }) if reason.contains("maximum concurrent") => return Err(no_room(&reason)),
            Err(fault) => return Err(fault.into()),
        };
        let (commands, received) = mpsc::channel(1);
        let actor = InstanceActor { store, guest, config: self.inside.clone(), bounds };
        tokio::spawn(actor.serve(received));
        let _ends_with_the_handle = cancel.clone().drop_guard();
        Ok(Instance { commands, log, memory, cancel, _ends_with_the_handle })
    }

    fn store_data(&self, log: Log, tape: Option<Tape>) -> Result<StoreData, RunError> {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(Stdio(log.clone())).stderr(Stdio(log.clone())).allow_tcp(false).allow_udp(false);
        wasi.monotonic_clock(Coarse::default()).wall_clock(Coarse::default());
        // Before the folders: each takes it from what holds when it is added.
        let disks = self.grants.folders.values().all(|folder| is_on_a_disk(folder));
        wasi.allow_blocking_current_thread(disks);
        for (name, folder) in &self.grants.folders {
            if !self.connector.manifest().folders.contains(name) {
                let message = format!("the connector does not ask for a folder named {name}");
                return Err(RunError::config(format!("source.grants.folders.{name}"), message));
            }
            wasi.preopened_dir(folder, name, FsPerms::ReadOnly).map_err(|e| {
                let message = format!("the folder {} cannot be opened: {e}", folder.display());
                RunError::config(format!("source.grants.folders.{name}"), message)
            })?;
        }
        if let Some(tape) = &tape {
            tape::surroundings(&mut wasi, tape);
        }
        let network = Network::new(self.policy.clone(), self.limits.connections, self.resolver.clone());
        Ok(StoreData {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks::new(self.http.clone(), self.limits.connections).with_tape(tape.clone()),
            limiter: Limiter::new(&self.limits),
            output: Output::new(self.limits.clone(), self.buffers.clone()).with_tape(tape.clone()),
            items: PlanItems::default(),
            log,
            network,
            room: Room::new(disks),
            tape,
        })
    }
}

/// The schema of a configuration that has stand-ins for its secrets: what they must look like is not asked of those.
fn without_rules_for_secrets(manifest: &Manifest) -> serde_json::Value {
    let mut schema = manifest.config.clone();
    for secret in manifest.secret_fields() {
        let property = schema.get_mut("properties").and_then(|properties| properties.get_mut(secret));
        if let Some(property) = property {
            *property = serde_json::json!({"writeOnly": true});
        }
    }
    schema
}

/// The configuration with the defaults of its schema: a host's port is one more often than not.
fn with_defaults(schema: &serde_json::Value, config: &serde_json::Value) -> serde_json::Value {
    let mut full = config.as_object().cloned().unwrap_or_default();
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(default) = property.get("default") {
            full.entry(name).or_insert_with(|| default.clone());
        }
    }
    serde_json::Value::Object(full)
}

fn no_room(why: &impl std::fmt::Display) -> RunError {
    let message = format!("no more connector instances can run at once on this host: {why}");
    RunError::new(Kind::Resources, Actor::Host, message).with_retry(sluice_core::Retry::Later)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_port_that_is_left_out_is_the_default_of_the_schema() {
        let schema = json!({"properties": {"port": {"default": 5432}, "host": {"type": "string"}}});
        assert_eq!(with_defaults(&schema, &json!({"host": "h"})), json!({"host": "h", "port": 5432}));
        assert_eq!(with_defaults(&schema, &json!({"port": 1})), json!({"port": 1}));
    }
}
