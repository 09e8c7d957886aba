//! The calls of a recording, made again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_core::plan::{Cursor, ReadPlan, Split};
use sluice_core::recording::{Call, Instance};
use sluice_runtime::net::Resolver;
use sluice_runtime::{Budget, Connection, Connector, Environment, NothingRecalled, Taping};

use crate::reading::{IN_FLIGHT, planned};

/// Where a recording is played.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) config: &'a Value,
    pub(crate) folders: &'a BTreeMap<String, PathBuf>,
    pub(crate) limits: &'a InstanceLimits,
}

/// Makes the calls of each instance of an instance that is answered as that one was. What these did, in the same order.
pub(crate) async fn play(
    connector: &Connector,
    place: &Place<'_>,
    recorded: &[Arc<Instance>],
    stand_ins: Option<Vec<String>>,
) -> Result<Vec<Instance>, RunError> {
    let mut played = Vec::with_capacity(recorded.len());
    let mut plan = None;
    for instance in recorded {
        let taping = Taping::replay(instance.clone(), stand_ins.clone());
        let environment = Environment { tape: Some(taping.clone()), ..offline() };
        let grants = Grants { folders: place.folders.clone(), ..Grants::default() };
        let connection = Connection::new(connector.clone(), place.config, grants, place.limits.clone(), &environment)?;
        calls(&connection, &taping, instance, &mut plan).await?;
        drop(connection);
        played.push(taping.take()?.pop().unwrap_or_default());
    }
    Ok(played)
}

/// Makes calls until all were made, or one ends the instance. What they come to is on its tape.
async fn calls(
    connection: &Connection,
    taping: &Taping,
    recorded: &Instance,
    plan: &mut Option<ReadPlan>,
) -> Result<(), RunError> {
    let instance = connection.instance().await?;
    for call in recorded.calls() {
        match call {
            Call::Check => drop(instance.check().await),
            Call::Discover { filter, page } => drop(instance.discover(filter.clone(), page.clone()).await),
            Call::Plan { selections, hints } => {
                let selections = selections.iter().map(Into::into).collect();
                let planned = instance.plan(selections, (*hints).into(), Arc::new(NothingRecalled)).await;
                *plan = planned.ok().map(|(plan, _)| plan);
            }
            Call::Read { split, start, rows } => {
                let found = plan.as_ref().and_then(|plan| Some((plan, find(plan, split)?)));
                // A plan without the split, or none at all, is a difference by itself.
                let Some((plan, split)) = found else { return Ok(()) };
                taping.cut_reads(*rows);
                let start = start.as_ref().map(|bytes| Cursor(bytes.0.clone()));
                if let Ok(mut read) = instance.read(split, start, planned(plan), Budget::new(IN_FLIGHT)).await {
                    while read.next().await.is_some() {}
                    drop(read.finish().await);
                }
            }
            Call::Acknowledge { stream, cursor } => {
                drop(instance.acknowledge(stream.clone(), Cursor(cursor.0.clone())).await);
            }
            Call::Close => {
                instance.close().await;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn find(plan: &ReadPlan, id: &str) -> Option<Split> {
    plan.splits.iter().find(|split| split.id == id).cloned()
}

/// Surroundings from which nothing is reached.
fn offline() -> Environment {
    // Epoch: nothing that is replayed asks what time it is but by the recording.
    Environment::new(Arc::new(NoNames), Arc::new(|| jiff::Timestamp::UNIX_EPOCH))
}

struct NoNames;

#[async_trait]
impl Resolver for NoNames {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        Err(std::io::Error::other("a replay resolves no names"))
    }
}
