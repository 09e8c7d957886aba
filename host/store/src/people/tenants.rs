//! Organisations.

use sluice_core::RunError;
use sluice_core::access::Role;

use crate::change::{inserted, unchanged};
use crate::db::{Row, Tx, built, sql};
use crate::people::members;
use crate::value::to_sql;
use crate::{ChangeError, Scope, Store};

/// An organisation that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// Names it for ever.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Names it for ever.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Grows with every change.
    pub revision: u64,
    /// When it was made.
    pub created_us: i64,
}

impl Store {
    /// Makes a tenant.
    ///
    /// # Errors
    /// If its id is taken, or it cannot be stored.
    pub async fn create_tenant(&self, new: &NewTenant, now_us: i64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("making a tenant").await?;
        insert(&mut tx, new, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// Makes a tenant that a person owns, unless the person owns `most` already.
    ///
    /// # Errors
    /// If its id is taken, there is no such person, the person owns enough of them, or it cannot be stored.
    pub async fn create_tenant_of(
        &self,
        new: &NewTenant,
        owner: &str,
        most: u64,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("making a tenant").await?;
        // The person is locked, so that many requests at once do not all find room.
        let lock = tx.dialect().for_update();
        let person = built(format!("SELECT id FROM users WHERE id = $1{lock}")).bind(owner).one_in(&mut tx).await?;
        if person.is_none() {
            return Err(ChangeError::Missing { what: "user" });
        }
        let owned = sql("SELECT COUNT(*) AS owned FROM memberships WHERE user_id = $1 AND role = 'owner'");
        let owned = owned.bind(owner).one_in(&mut tx).await?.map_or(Ok(0), |row| row.count("owned"))?;
        if owned >= most {
            let message =
                format!("a person owns at most {most} tenants; leave one, or ask somebody else to make this one");
            return Err(ChangeError::Refused(message));
        }
        insert(&mut tx, new, now_us).await?;
        members::insert(&mut tx, Scope { tenant: &new.id }, owner, Role::Owner, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// The tenant itself.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn tenant(&self, scope: Scope<'_>) -> Result<Option<Tenant>, RunError> {
        let row = sql("SELECT id, name, revision, created_us FROM tenants WHERE id = $1").bind(scope.tenant);
        row.one_on(&self.db, "reading a tenant").await?.as_ref().map(tenant).transpose()
    }

    /// All tenants in the order of their ids, those after this one: for who operates the host, nobody else.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn tenants(&self, after: Option<&str>, limit: u32) -> Result<Vec<Tenant>, RunError> {
        let rows = sql("SELECT id, name, revision, created_us FROM tenants WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = rows.bind(after.unwrap_or_default()).bind(limit).all_on(&self.db, "listing tenants").await?;
        rows.iter().map(tenant).collect()
    }

    /// Gives the tenant another name. Its new revision.
    ///
    /// # Errors
    /// If it was changed since it was read, or it cannot be stored.
    pub async fn rename_tenant(&self, scope: Scope<'_>, seen: u64, name: &str) -> Result<u64, ChangeError> {
        let mut tx = self.db.begin("renaming a tenant").await?;
        let lock = tx.dialect().for_update();
        let row = built(format!("SELECT revision FROM tenants WHERE id = $1{lock}")).bind(scope.tenant);
        let now = row.one_in(&mut tx).await?.map(|row| row.count("revision")).transpose()?;
        unchanged("tenant", now, seen)?;
        let next = seen + 1;
        let renamed = sql("UPDATE tenants SET name = $2, revision = $3 WHERE id = $1").bind(scope.tenant).bind(name);
        renamed.bind(to_sql(next)?).run_in(&mut tx).await?;
        tx.commit().await?;
        Ok(next)
    }
}

pub(super) async fn insert(tx: &mut Tx, new: &NewTenant, now_us: i64) -> Result<(), ChangeError> {
    let rows =
        sql("INSERT INTO tenants (id, name, revision, created_us) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING")
            .bind(&new.id)
            .bind(&new.name)
            .bind(now_us)
            .run_in(tx)
            .await?;
    inserted(rows, "tenant", "id")
}

fn tenant(row: &Row) -> Result<Tenant, RunError> {
    Ok(Tenant {
        id: row.text("id")?,
        name: row.text("name")?,
        revision: row.count("revision")?,
        created_us: row.number("created_us")?,
    })
}
