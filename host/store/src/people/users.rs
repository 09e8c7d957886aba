//! People, wherever they belong to.

use std::fmt;

use sluice_core::RunError;
use sluice_core::access::Role;

use super::tenants::{self, NewTenant};
use crate::change::{found, inserted, unchanged};
use crate::db::{Row, Tx, built, sql};
use crate::people::members;
use crate::value::to_sql;
use crate::{ChangeError, Scope, Store};

/// The hash of a password, in PHC form. Debugging does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A person who is to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Names the person for ever.
    pub id: String,
    /// Unique, whatever the case of its letters.
    pub email: String,
    /// What others see.
    pub name: String,
    /// None for who comes in through an identity provider only.
    pub password: Option<PasswordHash>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Names the person for ever.
    pub id: String,
    /// As it was typed.
    pub email: String,
    /// What others see.
    pub name: String,
    /// The password's hash, if there is one.
    pub password: Option<PasswordHash>,
    /// Grows with every change of the name.
    pub revision: u64,
    /// When the person was made known.
    pub created_us: i64,
    /// Since when the person may not come in any more.
    pub disabled_us: Option<i64>,
}

/// What identifies a person besides the id: `A@x` and `a@x` are one person.
pub(crate) fn fold(email: &str) -> String {
    email.trim().to_lowercase()
}

pub(super) const COLUMNS: &str = "u.id, u.email, u.name, u.password_hash, u.revision, u.created_us, u.disabled_us";

impl Store {
    /// Makes a person known.
    ///
    /// # Errors
    /// If the id or the e-mail address is taken, or it cannot be stored.
    pub async fn create_user(&self, new: &NewUser, now_us: i64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("making a user").await?;
        insert(&mut tx, new, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// Makes the first person, who owns the first tenant. Of several that try at once, one does.
    ///
    /// # Errors
    /// If there is a person already, or it cannot be stored.
    pub async fn create_first_user(&self, tenant: &NewTenant, new: &NewUser, now_us: i64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("making the first user").await?;
        if let Some(alone) = tx.dialect().lock_users() {
            sql(alone).run_in(&mut tx).await?;
        }
        if sql("SELECT id FROM users LIMIT 1").one_in(&mut tx).await?.is_some() {
            return Err(ChangeError::Refused("there is a user already; ask an owner for an invitation".to_owned()));
        }
        tenants::insert(&mut tx, tenant, now_us).await?;
        insert(&mut tx, new, now_us).await?;
        members::insert(&mut tx, Scope { tenant: &tenant.id }, &new.id, Role::Owner, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// Whether nobody is known yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_no_users(&self) -> Result<bool, RunError> {
        let row = sql("SELECT id FROM users LIMIT 1").one_on(&self.db, "looking for users").await?;
        Ok(row.is_none())
    }

    /// A person by id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn user(&self, id: &str) -> Result<Option<User>, RunError> {
        let row = built(format!("SELECT {COLUMNS} FROM users u WHERE u.id = $1")).bind(id);
        row.one_on(&self.db, "reading a user").await?.as_ref().map(user).transpose()
    }

    /// A person by e-mail address, whatever the case of its letters.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, RunError> {
        let row = built(format!("SELECT {COLUMNS} FROM users u WHERE u.email_key = $1")).bind(fold(email));
        row.one_on(&self.db, "looking for a user").await?.as_ref().map(user).transpose()
    }

    /// Changes what others see of a person. The new revision.
    ///
    /// # Errors
    /// If it was changed since it was read, or it cannot be stored.
    pub async fn rename_user(&self, id: &str, seen: u64, name: &str) -> Result<u64, ChangeError> {
        let mut tx = self.db.begin("renaming a user").await?;
        let lock = tx.dialect().for_update();
        let row = built(format!("SELECT revision FROM users WHERE id = $1{lock}")).bind(id).one_in(&mut tx).await?;
        unchanged("user", row.map(|row| row.count("revision")).transpose()?, seen)?;
        let next = seen + 1;
        let renamed = sql("UPDATE users SET name = $2, revision = $3 WHERE id = $1").bind(id).bind(name);
        renamed.bind(to_sql(next)?).run_in(&mut tx).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// Sets or removes the password. Sessions stay as they are; see [`Store::revoke_sessions`].
    ///
    /// # Errors
    /// If there is no such user, or it cannot be stored.
    pub async fn set_password(&self, id: &str, password: Option<&PasswordHash>) -> Result<(), ChangeError> {
        let set =
            sql("UPDATE users SET password_hash = $2 WHERE id = $1").bind(id).bind(password.map(|p| p.0.as_str()));
        found(set.run_on(&self.db, "setting a password").await?, "user")
    }

    /// Keeps a person out from now on, with all sessions ended, or lets the person in again.
    ///
    /// # Errors
    /// If there is no such user, or it cannot be stored.
    pub async fn disable_user(&self, id: &str, disabled: bool, now_us: i64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("disabling a user").await?;
        let set = sql("UPDATE users SET disabled_us = $2 WHERE id = $1").bind(id).bind(disabled.then_some(now_us));
        found(set.run_in(&mut tx).await?, "user")?;
        if disabled {
            let ended = sql("UPDATE sessions SET revoked_us = $2 WHERE user_id = $1 AND revoked_us IS NULL");
            ended.bind(id).bind(now_us).run_in(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }
}

pub(super) async fn insert(tx: &mut Tx, new: &NewUser, now_us: i64) -> Result<(), ChangeError> {
    let rows = sql("INSERT INTO users (id, email, email_key, name, password_hash, revision, created_us) \
                    VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT DO NOTHING")
    .bind(&new.id)
    .bind(new.email.trim())
    .bind(fold(&new.email))
    .bind(&new.name)
    .bind(new.password.as_ref().map(|password| password.0.as_str()))
    .bind(now_us)
    .run_in(tx)
    .await?;
    inserted(rows, "user", "e-mail address")
}

pub(super) fn user(row: &Row) -> Result<User, RunError> {
    Ok(User {
        id: row.text("id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        password: row.get::<Option<String>>("password_hash")?.map(PasswordHash),
        revision: row.count("revision")?,
        created_us: row.number("created_us")?,
        disabled_us: row.get("disabled_us")?,
    })
}
