//! A connector's whole way, against its source.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::plan::{DiscoverFilter, DiscoverPage, Pages, PlanHints, ReadMode, ReadPlan, Selection};
use sluice_core::recording::Instance;
use sluice_runtime::{Budget, Connection, Connector, Environment, NothingRecalled, Taping};

use crate::kit::{production, whole};
use crate::reading::{IN_FLIGHT, planned};
use crate::spec::Connected;

/// Streams on a page of the listing, and most pages that are recorded.
const PAGE: u32 = 1000;
const PAGES: usize = 20;

/// Streams that are read where none is named.
const STREAMS: usize = 20;

/// Bytes that a batch should have: small ones, so that a read can be cut where it has the rows that are wanted.
const BATCH: u64 = 16 << 10;

/// What is to be recorded.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Streams to read; the first of those that are listed if there are none.
    pub streams: Vec<String>,
    /// Of each stream so many rows, and what its batches have more.
    pub rows: Option<u64>,
    /// The column by which increments are read; all rows are read without one.
    pub incremental: Option<String>,
    /// What the host would like of the plan; production's with small batches if it does not say.
    pub hints: Option<PlanHints>,
}

/// What was taken down.
pub(crate) struct Lived {
    pub(crate) instances: Vec<Instance>,
    /// Why the way ended early.
    pub(crate) ended: Option<RunError>,
}

/// Checks, discovers, plans and reads.
pub(crate) async fn live(
    connector: &Connector,
    connected: &Connected,
    environment: &Environment,
    wanted: &Wanted,
) -> Result<Lived, RunError> {
    let taping = Taping::record();
    let environment = Environment { tape: Some(taping.clone()), ..environment.clone() };
    let Connected { config, grants, limits } = connected;
    let connection = Connection::new(connector.clone(), config, grants.clone(), limits.clone(), &environment)?;
    let ended = way(&connection, &taping, wanted).await.err();
    let instances = taping.take()?;
    if let (Some(error), true) = (&ended, instances.iter().all(|instance| instance.calls().next().is_none())) {
        return Err(error.clone());
    }
    Ok(Lived { instances, ended })
}

async fn way(connection: &Connection, taping: &Taping, wanted: &Wanted) -> Result<(), RunError> {
    connection.instance().await?.check().await?;
    let listed = discover(connection, wanted).await?;
    let streams =
        if wanted.streams.is_empty() { listed.into_iter().take(STREAMS).collect() } else { wanted.streams.clone() };
    if streams.is_empty() {
        return Err(RunError::new(Kind::NotFound, Actor::User, "the connection offers no streams to record"));
    }
    let mode = || wanted.incremental.clone().map_or(ReadMode::Full, ReadMode::Incremental);
    let selections: Vec<Selection> = streams.iter().map(|id| Selection { mode: mode(), ..whole(id) }).collect();
    let planner = connection.instance().await?;
    let hints = wanted.hints.unwrap_or_else(|| PlanHints { batch_bytes: BATCH, ..production() });
    let (plan, _) = planner.plan(selections, hints, Arc::new(NothingRecalled)).await?;
    let read = read(connection, taping, &plan, wanted.rows).await;
    planner.close().await;
    read
}

async fn discover(connection: &Connection, wanted: &Wanted) -> Result<Vec<String>, RunError> {
    let instance = connection.instance().await?;
    let filter = DiscoverFilter { ids: wanted.streams.clone(), page_size: PAGE, ..DiscoverFilter::default() };
    let (mut all, mut pages) = (Vec::new(), 0);
    let each = |page: DiscoverPage| {
        all.extend(page.streams.into_iter().map(|stream| stream.id));
        pages += 1;
        pages < PAGES
    };
    instance.discover_pages(&filter, Pages::default(), each).await?;
    Ok(all)
}

/// Reads split by split, of each stream as many rows as are wanted.
async fn read(connection: &Connection, taping: &Taping, plan: &ReadPlan, rows: Option<u64>) -> Result<(), RunError> {
    let mut left: BTreeMap<&[String], u64> = BTreeMap::new();
    for split in &plan.splits {
        let left = rows.map(|rows| left.entry(&split.stream_ids).or_insert(rows));
        if left.as_ref().is_some_and(|left| **left == 0) {
            continue;
        }
        taping.cut_reads(left.as_deref().copied());
        let instance = connection.instance().await?;
        let mut read = instance.read(split.clone(), None, planned(plan), Budget::new(IN_FLIGHT)).await?;
        let mut taken = 0;
        while let Some(event) = read.next().await {
            if let sluice_runtime::ReadEvent::Batch { batch, .. } = event {
                taken += batch.num_rows() as u64;
            }
        }
        let ended = read.finish().await;
        // A read that was cut is one that was ended.
        let cut = left.as_ref().is_some_and(|left| taken >= **left);
        if let Some(left) = left {
            *left = left.saturating_sub(taken);
        }
        if !cut {
            ended?;
        }
    }
    taping.cut_reads(None);
    Ok(())
}
