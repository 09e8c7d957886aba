//! The names that columns have in a sink, remembered so that they never change.

use std::collections::BTreeMap;

use crate::db::sql;
use crate::{Lease, Scope, Store};
use sluice_core::RunError;

impl Store {
    /// The names that the columns of a stream were given, by their names at the source.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn names_of(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        stream: &str,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let doing = "reading the names of columns";
        let rows =
            sql("SELECT source_name, sink_name FROM column_names WHERE tenant = $1 AND pipeline = $2 AND stream = $3")
                .bind(scope.tenant)
                .bind(pipeline)
                .bind(stream)
                .all_on(&self.db, doing)
                .await?;
        rows.iter().map(|row| Ok((row.text("source_name")?, row.text("sink_name")?))).collect()
    }

    /// Remembers names, all or none. A column that has a name already keeps it, whatever is said here.
    ///
    /// That no two columns of a level share a name is what `sluice_core::naming` sees to: fields of different structs may.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub async fn save_names(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        stream: &str,
        names: &BTreeMap<String, String>,
    ) -> Result<(), RunError> {
        let doing = format!("remembering the names of columns of stream {stream}");
        let mut tx = self.begin_held(scope, lease, doing).await?;
        for (source, sink) in names {
            sql(
                "INSERT INTO column_names (tenant, pipeline, stream, source_name, sink_name) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (tenant, pipeline, stream, source_name) DO NOTHING",
            )
            .bind(scope.tenant)
            .bind(lease.pipeline())
            .bind(stream)
            .bind(source)
            .bind(sink).run_in(&mut tx).await?;
        }
        tx.commit().await
    }
}
