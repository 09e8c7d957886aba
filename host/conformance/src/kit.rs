//! A connector under test.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::plan::{PlanHints, ReadMode, Selection};
use sluice_core::recording::Recording;
use sluice_runtime::net::Watch;
use sluice_runtime::{Connection, Connector, Environment, Inspected, Runtime};

use crate::report::{Checked, Report, Verdict};
use crate::spec::{Connected, Spec, StreamSpec, replaced};
use crate::{checks, manifest};

/// How long a check may take before it has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Hosts that were asked for, and whether they were declared.
type Asked = Arc<Mutex<BTreeMap<String, bool>>>;

/// A component, a source, and what is known of both.
pub struct Kit {
    connector: Connector,
    pub(crate) inspected: Inspected,
    pub(crate) spec: Spec,
    environment: Environment,
    asked: Asked,
    recordings: Vec<(String, Recording)>,
}

impl Kit {
    /// Loads a component. `inspected` is what can be known without running it, `environment` what production lends to connections.
    ///
    /// # Errors
    /// If it does not load; `config` where the specification speaks of a check or of a stream that is none.
    pub async fn new(
        runtime: &Runtime,
        component: &Path,
        inspected: Inspected,
        spec: Spec,
        environment: Environment,
    ) -> Result<Self, RunError> {
        let known: Vec<&str> = checks::ALL.iter().map(|check| check.name).collect();
        for (name, reason) in &spec.skip {
            if !known.contains(&name.as_str()) {
                return Err(RunError::config(
                    "skip",
                    format!("there is no check named {name}; there are {}", known.join(", ")),
                ));
            }
            if reason.trim().is_empty() {
                return Err(RunError::config(format!("skip.{name}"), "say why it is skipped"));
            }
        }
        if spec.streams.is_empty() {
            return Err(RunError::config("streams", "name at least one stream that can be read"));
        }
        let connector = runtime.load(component).await?;
        Ok(Self::with(connector, inspected, spec, environment))
    }

    /// Of a connection of which nothing is known but that it is in use, and streams that are read of it. Only for checks that read no
    /// rows ([`crate::WITHOUT_ROWS`]). Fields that look like secrets and are not marked were told when the component was looked at.
    pub fn of_connection(
        connector: Connector,
        inspected: Inspected,
        connection: Connected,
        streams: Vec<String>,
        environment: Environment,
    ) -> Self {
        let known = || "it was told when the component was looked at".to_owned();
        let unmarked = manifest::unmarked_secrets(&inspected.manifest, &BTreeMap::new());
        let spec = Spec {
            connection,
            streams: streams.into_iter().map(|id| (id, StreamSpec::default())).collect(),
            not_secret: unmarked.into_iter().map(|field| (field, known())).collect(),
            ..Spec::default()
        };
        Self::with(connector, inspected, spec, environment)
    }

    fn with(connector: Connector, inspected: Inspected, spec: Spec, environment: Environment) -> Self {
        let asked: Asked = Arc::default();
        let heard = asked.clone();
        let watch = Watch::new(move |host: &str, port, declared| {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            // Once refused is refused, whatever came before or after.
            heard.entry(format!("{host}:{port}")).and_modify(|known| *known &= declared).or_insert(declared);
        });
        let environment = Environment { watch: Some(watch), ..environment };
        Self { connector, inspected, spec, environment, asked, recordings: Vec::new() }
    }

    /// With the recordings that the specification names, each with its name.
    #[must_use]
    pub fn with_recordings(self, recordings: Vec<(String, Recording)>) -> Self {
        Self { recordings, ..self }
    }

    /// Makes the checks: all of them, or only these. `told` hears of each when it is done.
    ///
    /// # Errors
    /// `config` for a name that is none.
    pub async fn run(&self, only: &[String], mut told: impl FnMut(&Checked)) -> Result<Report, RunError> {
        if let Some(stranger) = only.iter().find(|name| checks::ALL.iter().all(|check| check.name != **name)) {
            return Err(RunError::config("--only", format!("there is no check named {stranger}")));
        }
        let mut done = Vec::new();
        for check in checks::ALL {
            if !only.is_empty() && !only.iter().any(|name| name == check.name) {
                continue;
            }
            let begun = Instant::now();
            let verdict = match self.spec.skip.get(check.name) {
                Some(reason) => Verdict::Skipped(reason.clone()),
                None => match tokio::time::timeout(PATIENCE, (check.run)(self)).await {
                    Ok(Ok(verdict)) => verdict,
                    Ok(Err(error)) => Verdict::Failed(error.to_string()),
                    Err(_) => Verdict::Failed(format!("it took longer than {} s", PATIENCE.as_secs())),
                },
            };
            let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let checked = Checked { name: check.name.to_owned(), asks: check.asks.to_owned(), verdict, milliseconds };
            told(&checked);
            done.push(checked);
        }
        let manifest = self.connector.manifest();
        Ok(Report {
            connector: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: self.connector.digest().to_owned(),
            conforms: done.iter().all(|check| !matches!(check.verdict, Verdict::Failed(_))),
            hosts: self
                .asked()
                .into_iter()
                .map(|(host, ok)| if ok { host } else { format!("{host} (not declared)") })
                .collect(),
            checks: done,
        })
    }

    /// The connection, with fields replaced.
    pub(crate) fn connection(&self, fields: &Value) -> Result<Connection, RunError> {
        let Connected { config, grants, limits } = &self.spec.connection;
        let config = replaced(config, fields);
        Connection::new(self.connector.clone(), &config, grants.clone(), limits.clone(), &self.environment)
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn recordings(&self) -> &[(String, Recording)] {
        &self.recordings
    }

    /// Hosts that were asked for so far, and whether they are declared.
    pub(crate) fn asked(&self) -> BTreeMap<String, bool> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Streams that increments are read of.
    pub(crate) fn incremental(&self) -> impl Iterator<Item = (&String, &StreamSpec, &String)> {
        let all = self.spec.streams.iter();
        all.filter_map(|(id, stream)| stream.increment.as_ref().map(|column| (id, stream, column)))
    }

    /// Whether the manifest says that the connector can read increments.
    pub(crate) fn can_increment(&self) -> bool {
        self.inspected.manifest.capabilities.incremental
    }
}

/// A stream in full, all columns.
pub(crate) fn whole(stream: &str) -> Selection {
    Selection {
        id: stream.to_owned(),
        columns: Vec::new(),
        mode: ReadMode::Full,
        filter: None,
        changed_files: None,
        state: None,
    }
}

/// Hints that make many batches and, where it can, one split.
pub(crate) fn small_batches() -> PlanHints {
    PlanHints { max_parallel: 1, split_bytes: 1 << 40, batch_bytes: 4 << 10 }
}

/// Hints as production gives them.
pub(crate) fn production() -> PlanHints {
    let limits = sluice_core::limits::RunLimits::default();
    PlanHints { max_parallel: limits.parallel, split_bytes: limits.split_bytes, batch_bytes: limits.batch_bytes }
}

/// Hints that make many splits, where it can.
pub(crate) fn many_splits() -> PlanHints {
    PlanHints { max_parallel: 4, split_bytes: 16 << 10, batch_bytes: 64 << 10 }
}
