//! Who belongs to a tenant, with which role. A tenant always has an owner.

use sluice_core::RunError;
use sluice_core::access::{Role, keeps_an_owner};

use crate::change::inserted;
use crate::db::{Row, Tx, built, sql};
use crate::{ChangeError, Scope, Store};

/// A person in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person's id.
    pub user: String,
    /// The person's e-mail address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Since when.
    pub created_us: i64,
    /// Since when the person may not come in any more.
    pub disabled_us: Option<i64>,
}

/// A tenant of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant's id.
    pub tenant: String,
    /// The tenant's name.
    pub name: String,
    /// What the person may do there.
    pub role: Role,
}

impl Store {
    /// Makes a person a member.
    ///
    /// # Errors
    /// If the person is one already, tenant or person do not exist, or it cannot be stored.
    pub async fn add_member(&self, scope: Scope<'_>, user: &str, role: Role, now_us: i64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("adding a member").await?;
        insert(&mut tx, scope, user, role, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// What a person may do in a tenant; none for who is no member.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn role_of(&self, scope: Scope<'_>, user: &str) -> Result<Option<Role>, RunError> {
        let row = sql("SELECT role FROM memberships WHERE tenant = $1 AND user_id = $2").bind(scope.tenant).bind(user);
        let row = row.one_on(&self.db, "reading a membership").await?;
        row.map(|row| row.word("role", Role::parse)).transpose()
    }

    /// The members after this one, in the order of their ids.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn members(&self, scope: Scope<'_>, after: Option<&str>, limit: u32) -> Result<Vec<Member>, RunError> {
        let rows = sql("SELECT m.user_id, u.email, u.name, m.role, m.created_us, u.disabled_us FROM memberships m \
                        JOIN users u ON u.id = m.user_id WHERE m.tenant = $1 AND m.user_id > $2 \
                        ORDER BY m.user_id LIMIT $3")
        .bind(scope.tenant)
        .bind(after.unwrap_or_default())
        .bind(limit)
        .all_on(&self.db, "listing members")
        .await?;
        rows.iter().map(member).collect()
    }

    /// Every tenant that a person belongs to.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn memberships_of(&self, user: &str) -> Result<Vec<Membership>, RunError> {
        let rows = sql("SELECT m.tenant, t.name, m.role FROM memberships m JOIN tenants t ON t.id = m.tenant \
                        WHERE m.user_id = $1 ORDER BY m.tenant")
        .bind(user)
        .all_on(&self.db, "listing a user's tenants")
        .await?;
        let membership = |row: &Row| {
            Ok(Membership {
                tenant: row.text("tenant")?,
                name: row.text("name")?,
                role: row.word("role", Role::parse)?,
            })
        };
        rows.iter().map(membership).collect()
    }

    /// Gives a member another role than the one that was `seen`.
    ///
    /// # Errors
    /// If there is no such member, the role is another one by now, no owner would be left, or it cannot be stored.
    pub async fn set_role(&self, scope: Scope<'_>, user: &str, seen: Role, role: Role) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("changing a role").await?;
        may_change(&mut tx, scope, user, seen, Some(role)).await?;
        let set = sql("UPDATE memberships SET role = $3 WHERE tenant = $1 AND user_id = $2");
        set.bind(scope.tenant).bind(user).bind(role.as_str()).run_in(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a membership of whom was `seen` with that role, and the person's tokens in the tenant with it.
    ///
    /// # Errors
    /// If there is no such member, the role is another one by now, no owner would be left, or it cannot be stored.
    pub async fn remove_member(
        &self,
        scope: Scope<'_>,
        user: &str,
        seen: Role,
        now_us: i64,
    ) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("removing a member").await?;
        may_change(&mut tx, scope, user, seen, None).await?;
        let tokens =
            sql("UPDATE api_tokens SET revoked_us = $3 WHERE tenant = $1 AND user_id = $2 AND revoked_us IS NULL");
        tokens.bind(scope.tenant).bind(user).bind(now_us).run_in(&mut tx).await?;
        let gone = sql("DELETE FROM memberships WHERE tenant = $1 AND user_id = $2").bind(scope.tenant).bind(user);
        gone.run_in(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

/// Fails if the member does not exist, has another role than the one that the change was decided on, or is the last owner and will not be
/// one any more.
async fn may_change(
    tx: &mut Tx,
    scope: Scope<'_>,
    user: &str,
    seen: Role,
    then: Option<Role>,
) -> Result<(), ChangeError> {
    // All owners are locked, so that two of them cannot leave at the same moment.
    let lock = tx.dialect().for_update();
    let owners = built(format!("SELECT user_id FROM memberships WHERE tenant = $1 AND role = 'owner'{lock}"));
    let owners = owners.bind(scope.tenant).all_in(tx).await?.len();
    let member = built(format!("SELECT role FROM memberships WHERE tenant = $1 AND user_id = $2{lock}"));
    let Some(member) = member.bind(scope.tenant).bind(user).one_in(tx).await? else {
        return Err(ChangeError::Missing { what: "member" });
    };
    let now = member.word("role", Role::parse)?;
    if now != seen {
        let message = format!("the member's role was changed to {} in the meantime; read it again", now.as_str());
        return Err(ChangeError::Refused(message));
    }
    if !keeps_an_owner(now, then, owners as u64) {
        let message = "this is the only owner of the tenant; make somebody else an owner first";
        return Err(ChangeError::Refused(message.to_owned()));
    }
    Ok(())
}

pub(super) async fn insert(
    tx: &mut Tx,
    scope: Scope<'_>,
    user: &str,
    role: Role,
    now_us: i64,
) -> Result<(), ChangeError> {
    let rows = sql("INSERT INTO memberships (tenant, user_id, role, created_us) VALUES ($1, $2, $3, $4) \
                    ON CONFLICT DO NOTHING")
    .bind(scope.tenant)
    .bind(user)
    .bind(role.as_str())
    .bind(now_us)
    .run_in(tx)
    .await?;
    inserted(rows, "member", "user")
}

fn member(row: &Row) -> Result<Member, RunError> {
    Ok(Member {
        user: row.text("user_id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        role: row.word("role", Role::parse)?,
        created_us: row.number("created_us")?,
        disabled_us: row.get("disabled_us")?,
    })
}
