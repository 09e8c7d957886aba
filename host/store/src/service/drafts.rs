//! Pipelines that somebody is still setting up, with the secrets that were typed so far. They belong to who began them: no query here
//! finds another's.

use serde_json::Value;
use sluice_core::RunError;

use super::connections::{self, NewConnection, SecretChange, SecretField};
use super::pipelines::{self, NewPipeline, Timing};
use super::vault::Vault;
use crate::change::unchanged;
use crate::db::{Row, Tx, built, sql};
use crate::value::{to_json, to_sql};
use crate::{ChangeError, Scope, Store};

/// Whose drafts a query may see: a person's, in a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The tenant.
    pub scope: Scope<'a>,
    /// Who began them, in the words of the audit log.
    pub owner: &'a str,
}

/// A pipeline that is being set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Names it; becomes the id of the connection that it makes.
    pub id: String,
    /// Everything but the secrets.
    pub content: Value,
    /// Grows when what it reads from changes.
    pub source_revision: u64,
    /// Grows with every change.
    pub revision: u64,
    /// When it was begun.
    pub created_us: i64,
    /// When it was last changed.
    pub updated_us: i64,
}

/// What a draft becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftChange {
    /// Everything but the secrets.
    pub content: Value,
    /// What becomes of its secrets; those that are not named stay.
    pub secrets: Vec<SecretChange>,
    /// Whether what it reads from changes.
    pub moves: bool,
}

/// What a draft is made into.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The connection, if the draft makes one; its id is the draft's. Its secrets are the draft's.
    pub connection: Option<NewConnection>,
    /// The pipeline.
    pub pipeline: NewPipeline,
    /// When that runs by itself.
    pub timing: Option<Timing>,
}

const WHAT: &str = "draft";

const COLUMNS: &str = "id, content, source_revision, revision, created_us, updated_us";

impl Store {
    /// Begins a draft, of which everybody has at most `most`.
    ///
    /// # Errors
    /// If there are too many, its id is taken, a secret cannot be sealed, or it cannot be stored; nothing is stored then.
    pub async fn create_draft(
        &self,
        whose: Owner<'_>,
        vault: &Vault,
        id: &str,
        new: &DraftChange,
        most: u32,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let Owner { scope, owner } = whose;
        let mut tx = self.db.begin("beginning a draft").await?;
        crate::change::lock_names(&mut tx, scope).await?;
        let count = sql("SELECT COUNT(*) AS count FROM drafts WHERE tenant = $1 AND owner = $2");
        let count = count.bind(scope.tenant).bind(owner).one_in(&mut tx).await?;
        let count = count.map(|row| row.count("count")).transpose()?.unwrap_or_default();
        if count >= u64::from(most) {
            let message = format!("you have {count} drafts, which is as many as there may be; finish or delete one");
            return Err(ChangeError::Refused(message));
        }
        sql("INSERT INTO drafts (tenant, id, owner, content, source_revision, revision, created_us, updated_us) \
             VALUES ($1, $2, $3, $4, 1, 1, $5, $5)")
        .bind(scope.tenant)
        .bind(id)
        .bind(owner)
        .bind(to_json(&new.content)?)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        change_secrets(&mut tx, scope, vault, id, &new.secrets, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// A draft.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn draft(&self, whose: Owner<'_>, id: &str) -> Result<Option<Draft>, RunError> {
        let text = format!("SELECT {COLUMNS} FROM drafts WHERE tenant = $1 AND owner = $2 AND id = $3");
        let row = built(text).bind(whose.scope.tenant).bind(whose.owner).bind(id);
        row.one_on(&self.db, "reading a draft").await?.as_ref().map(draft).transpose()
    }

    /// The drafts after this one, in the order in which they were begun.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn drafts(&self, whose: Owner<'_>, after: Option<&str>, limit: u32) -> Result<Vec<Draft>, RunError> {
        let text =
            format!("SELECT {COLUMNS} FROM drafts WHERE tenant = $1 AND owner = $2 AND id > $3 ORDER BY id LIMIT $4");
        let rows = built(text).bind(whose.scope.tenant).bind(whose.owner).bind(after.unwrap_or_default()).bind(limit);
        rows.all_on(&self.db, "listing drafts").await?.iter().map(draft).collect()
    }

    /// The fields of a draft that have a secret.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn draft_secrets(&self, scope: Scope<'_>, draft: &str) -> Result<Vec<SecretField>, RunError> {
        let rows = sql("SELECT field, reference FROM draft_secrets WHERE tenant = $1 AND draft_id = $2 ORDER BY field");
        let rows = rows.bind(scope.tenant).bind(draft).all_on(&self.db, "listing secrets").await?;
        rows.iter().map(|row| Ok(SecretField { field: row.text("field")?, reference: row.get("reference")? })).collect()
    }

    /// Changes a draft. Its new revision.
    ///
    /// # Errors
    /// If it was changed since it was read, a secret cannot be sealed, or it cannot be stored; nothing is then.
    pub async fn update_draft(
        &self,
        whose: Owner<'_>,
        vault: &Vault,
        id: &str,
        seen: u64,
        change: &DraftChange,
        now_us: i64,
    ) -> Result<u64, ChangeError> {
        let mut tx = self.db.begin("changing a draft").await?;
        lock(&mut tx, whose, id, seen).await?;
        let next = seen.saturating_add(1);
        sql("UPDATE drafts SET content = $3, source_revision = source_revision + $4, revision = $5, updated_us = $6 \
             WHERE tenant = $1 AND id = $2")
        .bind(whose.scope.tenant)
        .bind(id)
        .bind(to_json(&change.content)?)
        .bind(change.moves)
        .bind(to_sql(next)?)
        .bind(now_us)
        .run_in(&mut tx)
        .await?;
        change_secrets(&mut tx, whose.scope, vault, id, &change.secrets, now_us).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// Deletes a draft, and its secrets for good.
    ///
    /// # Errors
    /// If it was changed since it was read, or it cannot be stored.
    pub async fn delete_draft(&self, whose: Owner<'_>, id: &str, seen: u64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("deleting a draft").await?;
        lock(&mut tx, whose, id, seen).await?;
        delete(&mut tx, whose.scope, id).await?;
        Ok(tx.commit().await?)
    }

    /// Makes what a draft says, and deletes it: all of it or nothing.
    ///
    /// # Errors
    /// If it was changed since it was read, a name is taken, the connection is gone, or it cannot be stored.
    pub async fn finish_draft(
        &self,
        whose: Owner<'_>,
        id: &str,
        seen: u64,
        made: &Finished,
        by: &str,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let scope = whose.scope;
        let mut tx = self.db.begin("finishing a draft").await?;
        lock(&mut tx, whose, id, seen).await?;
        if let Some(connection) = &made.connection {
            connections::insert(&mut tx, scope, connection, by, now_us).await?;
            // Sealed for this tenant, this id and each one's own field, they open there as they are.
            sql("INSERT INTO connection_secrets (tenant, connection_id, field, sealed, reference, updated_us) \
                 SELECT tenant, draft_id, field, sealed, reference, updated_us FROM draft_secrets \
                 WHERE tenant = $1 AND draft_id = $2")
            .bind(scope.tenant)
            .bind(id)
            .run_in(&mut tx)
            .await?;
        }
        pipelines::insert(&mut tx, scope, &made.pipeline, made.timing.as_ref(), by, now_us).await?;
        delete(&mut tx, scope, id).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets the drafts of everybody that were last changed before this, with their secrets. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_drafts(&self, before_us: i64) -> Result<u64, RunError> {
        let mut tx = self.db.begin("forgetting old drafts").await?;
        let lock = tx.dialect().for_update();
        let old = format!("SELECT tenant, id FROM drafts WHERE updated_us < $1 ORDER BY tenant, id{lock}");
        let old = built(old).bind(before_us).all_in(&mut tx).await?;
        for row in &old {
            delete(&mut tx, Scope { tenant: &row.text("tenant")? }, &row.text("id")?).await?;
        }
        tx.commit().await?;
        Ok(old.len() as u64)
    }
}

async fn lock(tx: &mut Tx, whose: Owner<'_>, id: &str, seen: u64) -> Result<(), ChangeError> {
    let lock = tx.dialect().for_update();
    let text = format!("SELECT revision FROM drafts WHERE tenant = $1 AND owner = $2 AND id = $3{lock}");
    let row = built(text).bind(whose.scope.tenant).bind(whose.owner).bind(id).one_in(tx).await?;
    unchanged(WHAT, row.map(|row| row.count("revision")).transpose()?, seen)
}

async fn delete(tx: &mut Tx, scope: Scope<'_>, id: &str) -> Result<(), RunError> {
    let secrets = sql("DELETE FROM draft_secrets WHERE tenant = $1 AND draft_id = $2");
    secrets.bind(scope.tenant).bind(id).run_in(tx).await?;
    let gone = sql("DELETE FROM drafts WHERE tenant = $1 AND id = $2");
    gone.bind(scope.tenant).bind(id).run_in(tx).await.map(drop)
}

async fn change_secrets(
    tx: &mut Tx,
    scope: Scope<'_>,
    vault: &Vault,
    draft: &str,
    changes: &[SecretChange],
    now_us: i64,
) -> Result<(), RunError> {
    for SecretChange { field, value } in changes {
        let Some((sealed, reference)) = connections::kept(tx, vault, (scope, draft, field), value, now_us).await?
        else {
            let gone = "DELETE FROM draft_secrets WHERE tenant = $1 AND draft_id = $2 AND field = $3";
            sql(gone).bind(scope.tenant).bind(draft).bind(field).run_in(tx).await?;
            continue;
        };
        sql("INSERT INTO draft_secrets (tenant, draft_id, field, sealed, reference, updated_us) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, draft_id, field) DO UPDATE SET \
             sealed = excluded.sealed, reference = excluded.reference, updated_us = excluded.updated_us")
        .bind(scope.tenant)
        .bind(draft)
        .bind(field)
        .bind(sealed)
        .bind(reference)
        .bind(now_us)
        .run_in(tx)
        .await?;
    }
    Ok(())
}

fn draft(row: &Row) -> Result<Draft, RunError> {
    Ok(Draft {
        id: row.text("id")?,
        content: row.json("content")?,
        source_revision: row.count("source_revision")?,
        revision: row.count("revision")?,
        created_us: row.number("created_us")?,
        updated_us: row.number("updated_us")?,
    })
}
