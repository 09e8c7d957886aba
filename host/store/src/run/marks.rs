//! What the store knows of the marks that its loads put on tables. It is restored with everything else that the store remembers,
//! so an old backup expects an old mark.

use sluice_core::RunError;
use sluice_core::load::{LoadId, TableName};
use sluice_core::mark::Expected;

use crate::db::{Row, Tx, sql};
use crate::{Lease, Scope, Store};

/// A stream's mark on a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMark {
    /// The stream.
    pub stream: String,
    /// The table.
    pub table: TableName,
    /// What should be found there.
    pub expected: Expected,
}

impl Store {
    /// The marks of all streams of a pipeline. A stream that wrote to several tables, one after the other, has one on each.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn marks_of(&self, scope: Scope<'_>, pipeline: &str) -> Result<Vec<StreamMark>, RunError> {
        let rows = sql("SELECT stream, dataset_name, table_name, last_load, intended_load FROM table_marks \
             WHERE tenant = $1 AND pipeline = $2")
        .bind(scope.tenant)
        .bind(pipeline)
        .all_on(&self.db, "reading the marks of tables")
        .await?;
        rows.iter().map(mark).collect()
    }

    /// Records which mark stands, once that is known: an intended one is none any more.
    ///
    /// # Errors
    /// If the lease is lost, or it cannot be stored.
    pub async fn settle_mark(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        (stream, table): (&str, &TableName),
        stands: &LoadId,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, "recording which mark a table has").await?;
        sql("UPDATE table_marks SET last_load = $6, intended_load = NULL, refused_load = NULL WHERE tenant = $1 \
             AND pipeline = $2 AND stream = $3 AND dataset_name = $4 AND table_name = $5")
        .bind(scope.tenant)
        .bind(lease.pipeline())
        .bind(stream)
        .bind(&table.dataset)
        .bind(&table.table)
        .bind(stands.as_str())
        .run_in(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Records that a stream was refused because of what its table shows: a load's mark, or none. A person who changes the stream's
    /// state after that ([`Store::change_state`]) knows of it, and accepts the table as it is.
    ///
    /// # Errors
    /// If the lease is lost, or it cannot be stored.
    pub async fn refuse_mark(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        (stream, table): (&str, &TableName),
        found: Option<&LoadId>,
    ) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, "recording that a table is not as it should be").await?;
        sql("INSERT INTO table_marks (tenant, pipeline, stream, dataset_name, table_name, refused_load) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, pipeline, stream, dataset_name, table_name) \
             DO UPDATE SET refused_load = excluded.refused_load")
        .bind(scope.tenant)
        .bind(lease.pipeline())
        .bind(stream)
        .bind(&table.dataset)
        .bind(&table.table)
        .bind(found.map_or("", LoadId::as_str))
        .run_in(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Takes a table as it is: from now on what was refused there is what is expected.
    ///
    /// # Errors
    /// If the lease is lost, or it cannot be stored.
    pub async fn accept_marks(&self, scope: Scope<'_>, lease: &Lease, stream: &str) -> Result<(), RunError> {
        let mut tx = self.begin_held(scope, lease, "accepting a table as it is").await?;
        self.accept_refused(&mut tx, scope, (lease.pipeline(), stream)).await?;
        tx.commit().await
    }

    /// Whether a load of any pipeline was committed, as far as the store knows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_committed(&self, scope: Scope<'_>, load: &LoadId) -> Result<bool, RunError> {
        let row = sql("SELECT 1 AS one FROM run_streams WHERE tenant = $1 AND load_id = $2 AND state = 'committed'")
            .bind(scope.tenant)
            .bind(load.as_str())
            .one_on(&self.db, "looking a load up")
            .await?;
        Ok(row.is_some())
    }

    /// Within a transaction: what was refused of a stream's tables is expected from now on. An intended mark stays so, because its
    /// commit may still have to be settled.
    pub(crate) async fn accept_refused(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        (pipeline, stream): (&str, &str),
    ) -> Result<(), RunError> {
        sql("UPDATE table_marks SET last_load = CASE WHEN refused_load = '' THEN NULL ELSE refused_load END, \
             refused_load = NULL WHERE tenant = $1 AND pipeline = $2 AND stream = $3 AND refused_load IS NOT NULL")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .run_in(tx)
        .await?;
        Ok(())
    }

    /// Within a transaction: a load is about to put its mark on its table.
    pub(crate) async fn intend_mark(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        (load, table): (&LoadId, &TableName),
    ) -> Result<(), RunError> {
        sql("INSERT INTO table_marks (tenant, pipeline, stream, dataset_name, table_name, intended_load) \
             SELECT tenant, pipeline, stream, $3, $4, load_id FROM run_streams WHERE tenant = $1 AND load_id = $2 \
             ON CONFLICT (tenant, pipeline, stream, dataset_name, table_name) \
             DO UPDATE SET intended_load = excluded.intended_load")
        .bind(scope.tenant)
        .bind(load.as_str())
        .bind(&table.dataset)
        .bind(&table.table)
        .run_in(tx)
        .await?;
        Ok(())
    }

    /// Within a transaction: a load is committed, so if it was to put its mark there, it did.
    pub(crate) async fn mark_made(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        (pipeline, stream, load): (&str, &str, &LoadId),
    ) -> Result<(), RunError> {
        sql("UPDATE table_marks SET last_load = intended_load, intended_load = NULL, refused_load = NULL \
             WHERE tenant = $1 AND pipeline = $2 AND stream = $3 AND intended_load = $4")
        .bind(scope.tenant)
        .bind(pipeline)
        .bind(stream)
        .bind(load.as_str())
        .run_in(tx)
        .await?;
        Ok(())
    }
}

fn mark(row: &Row) -> Result<StreamMark, RunError> {
    let load = |column| Ok::<_, RunError>(row.get::<Option<String>>(column)?.map(LoadId::from));
    Ok(StreamMark {
        stream: row.text("stream")?,
        table: TableName { dataset: row.text("dataset_name")?, table: row.text("table_name")? },
        expected: Expected { last: load("last_load")?, intended: load("intended_load")? },
    })
}
