//! What streams remember item by item: looked up while a run is planned, put aside before it reads, and applied in the
//! transaction that moves the stream's state.

use std::collections::HashMap;

use sluice_core::RunError;
use sluice_core::items::{ItemKey, Items, unpack};
use sluice_core::load::LoadId;
use sluice_core::run::ItemsAfter;
use sqlx::{Row, SqliteConnection};

use crate::error::unreadable;
use crate::{Scope, Store};

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
        let bad = |e: sqlx::Error| self.failed(doing, &e);
        let mut connection = self.pool.acquire().await.map_err(bad)?;
        let number = number_of(&mut connection, scope, pipeline, stream).await.map_err(bad)?;
        let Some(number) = number else { return Ok(vec![None; keys.len()]) };
        let mut found: HashMap<ItemKey, Vec<u8>> = HashMap::with_capacity(keys.len());
        let places: Vec<String> = (0..AT_ONCE).map(|at| format!("${}", at + 2)).collect();
        let sql = format!(
            "SELECT item, value FROM stream_items WHERE stream_number = $1 AND item IN ({})",
            places.join(", ")
        );
        for part in keys.chunks(AT_ONCE) {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql.as_str())).bind(number);
            // The last statement repeats a key instead of being another statement.
            let padding = part.last().into_iter().cycle().take(AT_ONCE - part.len());
            for key in part.iter().chain(padding) {
                query = query.bind(key.as_bytes().as_slice());
            }
            for row in query.fetch_all(&mut *connection).await.map_err(bad)? {
                let stored: Vec<u8> = row.try_get("item").map_err(bad)?;
                let Some(key) = ItemKey::from_stored(&stored) else {
                    return Err(unreadable(&self.path, "an item", &"its key has another length than all have"));
                };
                found.insert(key, row.try_get("value").map_err(bad)?);
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// How many items a stream remembers.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn count_items(&self, scope: Scope<'_>, pipeline: &str, stream: &str) -> Result<u64, RunError> {
        let doing = "counting what a stream remembers";
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM stream_items i JOIN item_streams s ON s.number = i.stream_number \
             WHERE s.tenant = $1 AND s.pipeline = $2 AND s.stream = $3",
        )
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.failed(doing, &e))?;
        crate::value::from_sql(&self.path, "a count of items", count)
    }

    /// Puts aside what a plan wants remembered, under the load that made the plan. It holds once a commit names it
    /// ([`crate::NewIntent::items_after`]) and is recorded. Doing it again replaces it.
    ///
    /// # Errors
    /// If it cannot be stored; nothing is put aside then.
    pub async fn plan_items(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        load: &LoadId,
        items: Items,
    ) -> Result<(), RunError> {
        let doing = "putting aside what a stream is to remember";
        let bad = |e: sqlx::Error| self.failed(doing, &e);
        let mut transaction = self.pool.begin().await.map_err(bad)?;
        drop_planned(&mut transaction, scope, load).await.map_err(bad)?;
        for (number, chunk) in (0_i64..).zip(items.into_chunks(CHUNK)) {
            sqlx::query(
                "INSERT INTO planned_items (tenant, load_id, chunk, pipeline, entries) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(scope.tenant)
            .bind(load.as_str())
            .bind(number)
            .bind(pipeline)
            .bind(chunk)
            .execute(&mut *transaction)
            .await
            .map_err(bad)?;
        }
        transaction.commit().await.map_err(bad)
    }

    /// Forgets what plans of a pipeline wanted remembered that will never be carried out: no open commit and no stream that
    /// was stopped goes back to them. Called when no run of the pipeline is under way.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn drop_stale_items(&self, scope: Scope<'_>, pipeline: &str) -> Result<(), RunError> {
        sqlx::query(
            "DELETE FROM planned_items WHERE tenant = $1 AND pipeline = $2 \
             AND NOT EXISTS (SELECT 1 FROM commit_intents i WHERE i.tenant = $1 AND i.pipeline = $2) \
             AND NOT EXISTS (SELECT 1 FROM stream_state s WHERE s.tenant = $1 AND s.pipeline = $2 \
             AND s.planned_by = planned_items.load_id)",
        )
        .bind(scope.tenant)
        .bind(pipeline)
        .execute(&self.pool)
        .await
        .map_err(|e| self.failed("forgetting what was never to be remembered", &e))?;
        Ok(())
    }

    /// Applies what a plan wanted remembered, within the transaction of a commit.
    pub(crate) async fn apply_items(
        &self,
        connection: &mut SqliteConnection,
        scope: Scope<'_>,
        stream: (&str, &str),
        after: &ItemsAfter,
    ) -> Result<(), RunError> {
        let doing = "recording what a stream remembers";
        let bad = |e: sqlx::Error| self.failed(doing, &e);
        let mut number = number_of(connection, scope, stream.0, stream.1).await.map_err(bad)?;
        if let (true, Some(number)) = (after.anew, number) {
            forget(connection, number).await.map_err(bad)?;
        }
        let mut chunk = 0_i64;
        loop {
            let packed: Option<Vec<u8>> = sqlx::query_scalar(
                "SELECT entries FROM planned_items WHERE tenant = $1 AND load_id = $2 AND chunk = $3",
            )
            .bind(scope.tenant)
            .bind(after.plan.as_str())
            .bind(chunk)
            .fetch_optional(&mut *connection)
            .await
            .map_err(bad)?;
            let Some(packed) = packed else { break };
            let entries = unpack(&packed)
                .ok_or_else(|| unreadable(&self.path, "what is to be remembered", &"a chunk is cut off"))?;
            let known = match number {
                Some(known) => known,
                None => make_number(connection, scope, stream.0, stream.1).await.map_err(bad)?,
            };
            number = Some(known);
            for part in entries.chunks(AT_ONCE) {
                upsert(connection, known, part).await.map_err(bad)?;
            }
            chunk += 1;
        }
        drop_planned(connection, scope, &after.plan).await.map_err(bad)
    }

    /// Forgets everything that a stream remembers.
    pub(crate) async fn forget_items(
        &self,
        connection: &mut SqliteConnection,
        scope: Scope<'_>,
        pipeline: &str,
        stream: &str,
    ) -> Result<bool, RunError> {
        let bad = |e: sqlx::Error| self.failed("forgetting what a stream remembers", &e);
        let number = number_of(connection, scope, pipeline, stream).await.map_err(bad)?;
        let Some(number) = number else { return Ok(false) };
        Ok(forget(connection, number).await.map_err(bad)? > 0)
    }
}

async fn number_of(
    connection: &mut SqliteConnection,
    scope: Scope<'_>,
    pipeline: &str,
    stream: &str,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT number FROM item_streams WHERE tenant = $1 AND pipeline = $2 AND stream = $3")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .fetch_optional(connection)
        .await
}

/// Gives a stream its number.
async fn make_number(
    connection: &mut SqliteConnection,
    scope: Scope<'_>,
    pipeline: &str,
    stream: &str,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO item_streams (tenant, pipeline, stream, number) \
         SELECT $1, $2, $3, COALESCE(MAX(number), 0) + 1 FROM item_streams RETURNING number",
    )
    .bind(scope.tenant)
    .bind(pipeline)
    .bind(stream)
    .fetch_one(connection)
    .await
}

async fn forget(connection: &mut SqliteConnection, number: i64) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query("DELETE FROM stream_items WHERE stream_number = $1").bind(number).execute(connection).await?;
    Ok(done.rows_affected())
}

async fn drop_planned(connection: &mut SqliteConnection, scope: Scope<'_>, load: &LoadId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM planned_items WHERE tenant = $1 AND load_id = $2")
        .bind(scope.tenant)
        .bind(load.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn upsert(
    connection: &mut SqliteConnection,
    number: i64,
    entries: &[(ItemKey, &[u8])],
) -> Result<(), sqlx::Error> {
    let rows: Vec<String> = (0..entries.len()).map(|at| format!("($1, ${}, ${})", at * 2 + 2, at * 2 + 3)).collect();
    let sql = format!(
        "INSERT INTO stream_items (stream_number, item, value) VALUES {} \
         ON CONFLICT (stream_number, item) DO UPDATE SET value = excluded.value",
        rows.join(", ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(number);
    for (key, value) in entries {
        query = query.bind(key.as_bytes().as_slice()).bind(*value);
    }
    query.execute(connection).await?;
    Ok(())
}
