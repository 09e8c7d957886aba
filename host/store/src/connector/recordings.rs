//! Recordings that a tenant keeps of a connector.

use sluice_core::RunError;

use crate::change::{found, lock_names};
use crate::db::{Row, Tx, built, sql};
use crate::value::to_sql;
use crate::{ChangeError, Scope, Store};

/// Most recordings of one connector: each is replayed before another version takes the installed one's place.
const MOST: u64 = 20;

/// A recording that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecording {
    /// The connector.
    pub connector: String,
    /// What it is called; unique within the connector.
    pub name: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// The version that was recorded.
    pub version: String,
    /// SHA-256 of its component, hexadecimal.
    pub digest: String,
    /// Calls in it.
    pub calls: u64,
    /// Rows that they delivered.
    pub rows: u64,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecording {
    /// What was added.
    pub new: NewRecording,
    /// The file's size, bytes.
    pub size: u64,
    /// When it was added, or last replaced by another file.
    pub added_us: i64,
    /// By whom.
    pub added_by: String,
}

impl Store {
    /// Keeps a recording, in place of another one of this name. False if there was one.
    ///
    /// # Errors
    /// If the connector has as many as there may be, or it cannot be stored.
    pub async fn put_connector_recording(
        &self,
        scope: Scope<'_>,
        new: &NewRecording,
        bytes: &[u8],
        by: &str,
        now_us: i64,
    ) -> Result<bool, ChangeError> {
        let mut tx = self.db.begin("keeping a recording").await?;
        // Two at once would not count each other.
        lock_names(&mut tx, scope).await?;
        let known = sql("DELETE FROM connector_recordings WHERE tenant = $1 AND connector = $2 AND name = $3")
            .bind(scope.tenant)
            .bind(&new.connector)
            .bind(&new.name)
            .run_in(&mut tx)
            .await?;
        if count(&mut tx, scope, &new.connector).await? >= MOST {
            let message = format!("{} has {MOST} recordings already; delete one that tells less", new.connector);
            return Err(ChangeError::Refused(message));
        }
        sql("INSERT INTO connector_recordings (tenant, connector, name, sha256, bytes, size, version, digest, calls, rows_read, \
             added_us, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(scope.tenant)
        .bind(&new.connector)
        .bind(&new.name)
        .bind(&new.sha256)
        .bind(bytes)
        .bind(to_sql(bytes.len() as u64)?)
        .bind(&new.version)
        .bind(&new.digest)
        .bind(to_sql(new.calls)?)
        .bind(to_sql(new.rows)?)
        .bind(now_us)
        .bind(by)
        .run_in(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(known == 0)
    }

    /// A recording, without its bytes.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_recording(
        &self,
        scope: Scope<'_>,
        connector: &str,
        name: &str,
    ) -> Result<Option<KeptRecording>, RunError> {
        let text = format!("{SELECT} WHERE tenant = $1 AND connector = $2 AND name = $3");
        let row = built(text).bind(scope.tenant).bind(connector).bind(name);
        row.one_on(&self.db, "reading a recording").await?.map(|row| read(&row)).transpose()
    }

    /// The recordings of a connector by name, behind one of them, at most so many.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_recordings(
        &self,
        scope: Scope<'_>,
        connector: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<KeptRecording>, RunError> {
        let text = format!("{SELECT} WHERE tenant = $1 AND connector = $2 AND name > $3 ORDER BY name LIMIT $4");
        let rows = built(text).bind(scope.tenant).bind(connector).bind(after.unwrap_or_default()).bind(limit);
        rows.all_on(&self.db, "listing recordings").await?.iter().map(read).collect()
    }

    /// The bytes of a recording.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn connector_recording_bytes(
        &self,
        scope: Scope<'_>,
        connector: &str,
        name: &str,
    ) -> Result<Option<Vec<u8>>, RunError> {
        let row = sql("SELECT bytes FROM connector_recordings WHERE tenant = $1 AND connector = $2 AND name = $3");
        let row = row.bind(scope.tenant).bind(connector).bind(name).one_on(&self.db, "reading a recording").await?;
        row.map(|row| row.get("bytes")).transpose()
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// If there is none, or it cannot be deleted.
    pub async fn delete_connector_recording(
        &self,
        scope: Scope<'_>,
        connector: &str,
        name: &str,
    ) -> Result<(), ChangeError> {
        let deleted = sql("DELETE FROM connector_recordings WHERE tenant = $1 AND connector = $2 AND name = $3")
            .bind(scope.tenant)
            .bind(connector)
            .bind(name)
            .run_on(&self.db, "deleting a recording")
            .await?;
        found(deleted, "recording")
    }
}

const SELECT: &str = "SELECT connector, name, sha256, size, version, digest, calls, rows_read, added_us, added_by FROM connector_recordings";

async fn count(tx: &mut Tx, scope: Scope<'_>, connector: &str) -> Result<u64, RunError> {
    let row = sql("SELECT COUNT(*) AS kept FROM connector_recordings WHERE tenant = $1 AND connector = $2");
    row.bind(scope.tenant).bind(connector).one_in(tx).await?.map_or(Ok(0), |row| row.count("kept"))
}

fn read(row: &Row) -> Result<KeptRecording, RunError> {
    Ok(KeptRecording {
        new: NewRecording {
            connector: row.text("connector")?,
            name: row.text("name")?,
            sha256: row.text("sha256")?,
            version: row.text("version")?,
            digest: row.text("digest")?,
            calls: row.count("calls")?,
            rows: row.count("rows_read")?,
        },
        size: row.count("size")?,
        added_us: row.number("added_us")?,
        added_by: row.text("added_by")?,
    })
}
