//! What streams remember item by item: looked up while a run is planned, put aside before it reads, and applied in the
//! transaction that moves the stream's state.

use std::collections::HashMap;

use sluice_core::RunError;
use sluice_core::items::{ItemKey, Items, unpack};
use sluice_core::load::LoadId;
use sluice_core::run::ItemsAfter;

use crate::db::{Sql, Tx, built, sql};
use crate::{Lease, Scope, Store};

/// Items of one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535; larger statements are not faster.
const AT_ONCE: usize = 500;

/// Entries of a chunk that is put aside.
const CHUNK: usize = 5_000;

impl Store {
    /// What a stream remembers under these keys, in their order.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn recall_items(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        stream: &str,
        keys: &[ItemKey],
    ) -> Result<Vec<Option<Vec<u8>>>, RunError> {
        let doing = "looking up what a stream remembers";
        let Some(row) = self.db.one(doing, number_of(scope, pipeline, stream)).await? else {
            return Ok(vec![None; keys.len()]);
        };
        let number = row.number("number")?;
        let mut found: HashMap<ItemKey, Vec<u8>> = HashMap::with_capacity(keys.len());
        let places: Vec<String> = (0..AT_ONCE).map(|at| format!("${}", at + 2)).collect();
        let text = format!(
            "SELECT item, value FROM stream_items WHERE stream_number = $1 AND item IN ({})",
            places.join(", ")
        );
        for part in keys.chunks(AT_ONCE) {
            let mut query = built(text.clone()).bind(number);
            // The last statement repeats a key instead of being another statement.
            let padding = part.last().into_iter().cycle().take(AT_ONCE - part.len());
            for key in part.iter().chain(padding) {
                query = query.bind(key.as_bytes().as_slice());
            }
            for row in self.db.all(doing, query).await? {
                let stored: Vec<u8> = row.get("item")?;
                let Some(key) = ItemKey::from_stored(&stored) else {
                    return Err(row.unreadable("item", &"it has another length than all have"));
                };
                found.insert(key, row.get("value")?);
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// How many items a stream remembers.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn count_items(&self, scope: Scope<'_>, pipeline: &str, stream: &str) -> Result<u64, RunError> {
        let count =
            sql("SELECT COUNT(*) AS items FROM stream_items i JOIN item_streams s ON s.number = i.stream_number \
             WHERE s.tenant = $1 AND s.pipeline = $2 AND s.stream = $3")
            .bind(scope.tenant)
            .bind(pipeline)
            .bind(stream);
        let row = self.db.one("counting what a stream remembers", count).await?;
        row.map_or(Ok(0), |row| row.count("items"))
    }

    /// Puts aside what a plan wants remembered, under the load that made the plan. It holds once a commit names it
    /// ([`crate::NewIntent::items_after`]) and is recorded. Doing it again replaces it.
    ///
    /// # Errors
    /// If the lease is lost, or it cannot be stored; nothing is put aside then.
    pub async fn plan_items(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        load: &LoadId,
        items: Items,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, "putting aside what a stream is to remember").await?;
        drop_planned(&mut tx, scope, load).await?;
        for (number, chunk) in (0_i64..).zip(items.into_chunks(CHUNK)) {
            let put = sql(
                "INSERT INTO planned_items (tenant, load_id, chunk, pipeline, entries) VALUES ($1, $2, $3, $4, $5)",
            );
            let put = put.bind(scope.tenant).bind(load.as_str()).bind(number).bind(lease.pipeline()).bind(chunk);
            tx.run(put).await?;
        }
        tx.commit().await
    }

    /// Forgets what plans of a pipeline wanted remembered that will never be carried out: no open commit and no stream that
    /// was stopped goes back to them. Called when no run of the pipeline is under way.
    ///
    /// # Errors
    /// If the lease is lost, or it cannot be stored.
    pub async fn drop_stale_items(&self, scope: Scope<'_>, lease: &Lease) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, "forgetting what was never to be remembered").await?;
        let stale = sql("DELETE FROM planned_items WHERE tenant = $1 AND pipeline = $2 \
             AND NOT EXISTS (SELECT 1 FROM commit_intents i WHERE i.tenant = $1 AND i.pipeline = $2) \
             AND NOT EXISTS (SELECT 1 FROM stream_state s WHERE s.tenant = $1 AND s.pipeline = $2 \
             AND s.planned_by = planned_items.load_id)");
        tx.run(stale.bind(scope.tenant).bind(lease.pipeline())).await?;
        tx.commit().await
    }

    /// Applies what a plan wanted remembered, within the transaction of a commit.
    pub(crate) async fn apply_items(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        (pipeline, stream): (&str, &str),
        after: &ItemsAfter,
    ) -> Result<(), RunError> {
        let row = tx.one(number_of(scope, pipeline, stream)).await?;
        let mut number = row.map(|row| row.number("number")).transpose()?;
        if let (true, Some(number)) = (after.anew, number) {
            forget(tx, number).await?;
        }
        let mut chunk = 0_i64;
        loop {
            let packed = sql("SELECT entries FROM planned_items WHERE tenant = $1 AND load_id = $2 AND chunk = $3");
            let packed = packed.bind(scope.tenant).bind(after.plan.as_str()).bind(chunk);
            let Some(row) = tx.one(packed).await? else { break };
            let packed: Vec<u8> = row.get("entries")?;
            let entries =
                unpack(&packed).ok_or_else(|| tx.unreadable("what is to be remembered", &"a chunk is cut off"))?;
            let known = match number {
                Some(known) => known,
                None => make_number(tx, scope, pipeline, stream).await?,
            };
            number = Some(known);
            for part in entries.chunks(AT_ONCE) {
                upsert(tx, known, part).await?;
            }
            chunk += 1;
        }
        drop_planned(tx, scope, &after.plan).await
    }

    /// Forgets everything that a stream remembers.
    pub(crate) async fn forget_items(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        pipeline: &str,
        stream: &str,
    ) -> Result<bool, RunError> {
        let Some(row) = tx.one(number_of(scope, pipeline, stream)).await? else { return Ok(false) };
        Ok(forget(tx, row.number("number")?).await? > 0)
    }
}

fn number_of(scope: Scope<'_>, pipeline: &str, stream: &str) -> Sql {
    sql("SELECT number FROM item_streams WHERE tenant = $1 AND pipeline = $2 AND stream = $3")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
}

/// Gives a stream its number.
async fn make_number(tx: &mut Tx, scope: Scope<'_>, pipeline: &str, stream: &str) -> Result<i64, RunError> {
    let insert = "INSERT INTO item_streams (tenant, pipeline, stream, number) \
                  SELECT $1, $2, $3, COALESCE(MAX(number), 0) + 1 FROM item_streams RETURNING number";
    if let Some(alone) = tx.dialect().lock_item_streams() {
        sql(alone).run_in(tx).await?;
    }
    let row = sql(insert).bind(scope.tenant).bind(pipeline).bind(stream).one_in(tx).await?;
    row.map_or_else(|| Err(RunError::internal("a stream got no number in the store")), |row| row.number("number"))
}

async fn forget(tx: &mut Tx, number: i64) -> Result<u64, RunError> {
    sql("DELETE FROM stream_items WHERE stream_number = $1").bind(number).run_in(tx).await
}

async fn drop_planned(tx: &mut Tx, scope: Scope<'_>, load: &LoadId) -> Result<(), RunError> {
    let drop_it = sql("DELETE FROM planned_items WHERE tenant = $1 AND load_id = $2");
    tx.run(drop_it.bind(scope.tenant).bind(load.as_str())).await.map(drop)
}

async fn upsert(tx: &mut Tx, number: i64, entries: &[(ItemKey, &[u8])]) -> Result<(), RunError> {
    let rows: Vec<String> = (0..entries.len()).map(|at| format!("($1, ${}, ${})", at * 2 + 2, at * 2 + 3)).collect();
    let text = format!(
        "INSERT INTO stream_items (stream_number, item, value) VALUES {} \
         ON CONFLICT (stream_number, item) DO UPDATE SET value = excluded.value",
        rows.join(", ")
    );
    let mut query = built(text).bind(number);
    for (key, value) in entries {
        query = query.bind(key.as_bytes().as_slice()).bind(*value);
    }
    tx.run(query).await.map(drop)
}
