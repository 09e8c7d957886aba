//! What people did to the state of streams: who, when, what was before and after; and taking it back.
//!
//! A change needs the pipeline's lease, so no run is under way that started from the state before it.

use sluice_core::RunError;
use sluice_core::run::StreamState;

use crate::db::{Row, Tx, sql};
use crate::value::{to_json, to_sql};
use crate::{ChangeError, Lease, Scope, Store};

/// A change that a person makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewState {
    /// Names the change.
    pub id: String,
    /// The stream.
    pub stream: String,
    /// What it becomes; none to have the stream read from its beginning, with everything forgotten that it remembers item by item.
    pub state: Option<StreamState>,
    /// The revision of the state that the person saw; 0 for none.
    pub seen: u64,
    /// The id of who changes it.
    pub by: String,
}

/// A change that a person made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Names the change.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// The stream.
    pub stream: String,
    /// When.
    pub changed_us: i64,
    /// The id of who changed it.
    pub changed_by: String,
    /// What it was.
    pub before: Option<StreamState>,
    /// What it became.
    pub after: Option<StreamState>,
    /// Whether what the stream remembered item by item was forgotten, which cannot be taken back.
    pub forgot_items: bool,
    /// The change that this one took back.
    pub undoes: Option<String>,
}

const COLUMNS: &str =
    "id, pipeline, stream, changed_us, changed_by, state_before, state_after, revision, forgot_items, undoes";

impl Store {
    /// Sets or resets the state of a stream, and writes that down. If a run was refused because the table was not as the store expects
    /// it, this accepts the table as it is.
    ///
    /// # Errors
    /// If the lease is lost, the state has moved since it was seen, or it cannot be stored.
    pub async fn change_state(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        new: &NewState,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.begin_held(scope, lease, "changing the state of a stream").await?;
        self.apply_change(&mut tx, scope, lease, new, None, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a change back, as a change of its own. Only the last thing that happened to the state can be taken back: a run that has
    /// committed since then stands in the way.
    ///
    /// # Errors
    /// If there is no such change of this pipeline, something happened to the state since then, it forgot items, the lease is lost, or
    /// it cannot be stored.
    pub async fn undo_state(
        &self,
        scope: Scope<'_>,
        lease: &Lease,
        change: &str,
        (id, by): (&str, &str),
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.begin_held(scope, lease, "taking a change of a state back").await?;
        let text = "SELECT stream, state_before, revision, forgot_items FROM state_history \
                    WHERE tenant = $1 AND id = $2 AND pipeline = $3";
        let row = sql(text).bind(scope.tenant).bind(change).bind(lease.pipeline()).one_in(&mut tx).await?;
        let Some(row) = row else { return Err(ChangeError::Missing { what: "change" }) };
        if row.flag("forgot_items")? {
            let message = "the change also forgot which files and items the stream had read, which cannot be brought back; the \
                           stream is read from its beginning";
            return Err(ChangeError::Refused(message.to_owned()));
        }
        let new = NewState {
            id: id.to_owned(),
            stream: row.text("stream")?,
            state: row.optional_json("state_before")?,
            seen: row.count("revision")?,
            by: by.to_owned(),
        };
        self.apply_change(&mut tx, scope, lease, &new, Some(change), now_us).await?;
        Ok(tx.commit().await?)
    }

    /// What people did to the states of a pipeline, or of one of its streams, before this change, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn state_changes(
        &self,
        scope: Scope<'_>,
        pipeline: &str,
        stream: Option<&str>,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<StateChange>, RunError> {
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        let text = format!(
            "SELECT {COLUMNS} FROM state_history WHERE tenant = $1 AND pipeline = $2 AND ($3 IS NULL OR stream = $3) \
             AND (changed_us, id) < ($4, $5) ORDER BY changed_us DESC, id DESC LIMIT $6"
        );
        let rows = crate::db::built(text).bind(scope.tenant).bind(pipeline).bind(stream).bind(at).bind(id).bind(limit);
        rows.all_on(&self.db, "reading changes of states").await?.iter().map(change_of).collect()
    }

    async fn apply_change(
        &self,
        tx: &mut Tx,
        scope: Scope<'_>,
        lease: &Lease,
        new: &NewState,
        undoes: Option<&str>,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let pipeline = lease.pipeline();
        let before =
            sql("SELECT state, revision FROM stream_state WHERE tenant = $1 AND pipeline = $2 AND stream = $3");
        let before = before.bind(scope.tenant).bind(pipeline).bind(&new.stream).one_in(tx).await?;
        let (state_before, revision) = match &before {
            Some(row) => (Some(row.text("state")?), row.count("revision")?),
            None => (None, 0),
        };
        if revision != new.seen {
            return Err(ChangeError::Stale { what: "state", seen: new.seen, now: revision });
        }
        self.give_up_held(tx, scope, (pipeline, &new.stream)).await?;
        // A reset keeps the row: if revisions began again, a change seen long ago could be taken for the last one.
        let state = new.state.clone().unwrap_or_default();
        self.set_state(tx, scope, (pipeline, &new.stream, &new.id), &state, now_us).await?;
        // Who changes the state of a refused stream was told what is in its table.
        self.accept_refused(tx, scope, (pipeline, &new.stream)).await?;
        let forgot_items = match new.state {
            Some(_) => false,
            None => self.forget_items(tx, scope, pipeline, &new.stream).await?,
        };
        sql("INSERT INTO state_history (tenant, id, pipeline, stream, changed_us, changed_by, state_before, state_after, \
             revision, forgot_items, undoes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(scope.tenant)
        .bind(&new.id)
        .bind(pipeline)
        .bind(&new.stream)
        .bind(now_us)
        .bind(&new.by)
        .bind(state_before)
        .bind(new.state.as_ref().map(to_json).transpose()?)
        .bind(to_sql(revision.saturating_add(1))?)
        .bind(forgot_items)
        .bind(undoes)
        .run_in(tx)
        .await?;
        Ok(())
    }
}

fn change_of(row: &Row) -> Result<StateChange, RunError> {
    Ok(StateChange {
        id: row.text("id")?,
        pipeline: row.text("pipeline")?,
        stream: row.text("stream")?,
        changed_us: row.number("changed_us")?,
        changed_by: row.text("changed_by")?,
        before: row.optional_json("state_before")?,
        after: row.optional_json("state_after")?,
        forgot_items: row.flag("forgot_items")?,
        undoes: row.get("undoes")?,
    })
}
