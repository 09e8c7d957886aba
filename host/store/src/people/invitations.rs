//! Who is asked to belong to a tenant.

use sluice_core::RunError;
use sluice_core::access::Role;

use super::identities::{self, Identity};
use super::members;
use super::users::{self, NewUser};
use crate::change::inserted;
use crate::db::{Row, Tx, built, sql};
use crate::{ChangeError, Scope, Store};

/// An invitation that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// Names it.
    pub id: String,
    /// The hash of what the link holds.
    pub token_hash: Vec<u8>,
    /// Whom it is sent to.
    pub email: String,
    /// What the person will be.
    pub role: Role,
    /// The id of who invites.
    pub invited_by: String,
    /// Until when it can be accepted.
    pub expires_us: i64,
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The tenant.
    pub tenant: String,
    /// Names it.
    pub id: String,
    /// Whom it was sent to.
    pub email: String,
    /// What the person will be.
    pub role: Role,
    /// The id of who invited.
    pub invited_by: String,
    /// When it was made.
    pub created_us: i64,
    /// Until when it can be accepted.
    pub expires_us: i64,
    /// When it was accepted.
    pub accepted_us: Option<i64>,
}

const COLUMNS: &str = "tenant, id, email, role, invited_by, created_us, expires_us, accepted_us";

impl Store {
    /// Records an invitation.
    ///
    /// # Errors
    /// If its id or hash is taken, or it cannot be stored.
    pub async fn invite(&self, scope: Scope<'_>, new: &NewInvitation, now_us: i64) -> Result<(), ChangeError> {
        let rows =
            sql("INSERT INTO invitations (tenant, id, token_hash, email, role, invited_by, created_us, expires_us) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
            .bind(scope.tenant)
            .bind(&new.id)
            .bind(new.token_hash.as_slice())
            .bind(new.email.trim())
            .bind(new.role.as_str())
            .bind(&new.invited_by)
            .bind(now_us)
            .bind(new.expires_us)
            .run_on(&self.db, "inviting somebody")
            .await?;
        inserted(rows, "invitation", "id")
    }

    /// The invitations after this one, in the order of their ids, accepted ones as well.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn invitations(
        &self,
        scope: Scope<'_>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Invitation>, RunError> {
        let text = format!("SELECT {COLUMNS} FROM invitations WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3");
        let rows = built(text).bind(scope.tenant).bind(after.unwrap_or_default()).bind(limit);
        rows.all_on(&self.db, "listing invitations").await?.iter().map(invitation).collect()
    }

    /// Whose link this is: an invitation that can still be accepted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn open_invitation(&self, token_hash: &[u8], now_us: i64) -> Result<Option<Invitation>, RunError> {
        let text = format!(
            "SELECT {COLUMNS} FROM invitations WHERE token_hash = $1 AND accepted_us IS NULL AND expires_us > $2"
        );
        let row = built(text).bind(token_hash).bind(now_us).one_on(&self.db, "reading an invitation").await?;
        row.as_ref().map(invitation).transpose()
    }

    /// Makes a person a member through the link, once.
    ///
    /// # Errors
    /// If the link is unknown, used or expired, if the person is a member already, or it cannot be stored.
    pub async fn accept_invitation(
        &self,
        token_hash: &[u8],
        user: &str,
        now_us: i64,
    ) -> Result<Invitation, ChangeError> {
        let mut tx = self.db.begin("accepting an invitation").await?;
        let accepted = accept(&mut tx, token_hash, user, now_us).await?;
        tx.commit().await?;
        Ok(accepted)
    }

    /// Makes a person known who comes through the link, also by an identity at a provider if they have one, and a member, once. Nobody is
    /// made known without becoming a member.
    ///
    /// # Errors
    /// If the link is unknown, used or expired, if the id, the e-mail address or the identity is taken, or it cannot be stored.
    pub async fn accept_invitation_as(
        &self,
        token_hash: &[u8],
        new: &NewUser,
        identity: Option<&Identity>,
        now_us: i64,
    ) -> Result<Invitation, ChangeError> {
        let mut tx = self.db.begin("accepting an invitation").await?;
        users::insert(&mut tx, new, now_us).await?;
        if let Some(identity) = identity {
            identities::link(&mut tx, identity, &new.id, now_us).await?;
        }
        let accepted = accept(&mut tx, token_hash, &new.id, now_us).await?;
        tx.commit().await?;
        Ok(accepted)
    }

    /// How many invitations can still be accepted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn open_invitations(&self, scope: Scope<'_>, now_us: i64) -> Result<u64, RunError> {
        let row = sql(
            "SELECT COUNT(*) AS open FROM invitations WHERE tenant = $1 AND accepted_us IS NULL AND expires_us > $2",
        );
        let row = row.bind(scope.tenant).bind(now_us).one_on(&self.db, "counting invitations").await?;
        row.map_or(Ok(0), |row| row.count("open"))
    }

    /// Takes an invitation back. False if there was none that could be.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn withdraw_invitation(&self, scope: Scope<'_>, id: &str) -> Result<bool, RunError> {
        let gone = sql("DELETE FROM invitations WHERE tenant = $1 AND id = $2 AND accepted_us IS NULL");
        Ok(gone.bind(scope.tenant).bind(id).run_on(&self.db, "withdrawing an invitation").await? > 0)
    }
}

async fn accept(tx: &mut Tx, token_hash: &[u8], user: &str, now_us: i64) -> Result<Invitation, ChangeError> {
    let text = format!(
        "UPDATE invitations SET accepted_us = $2 WHERE token_hash = $1 AND accepted_us IS NULL AND expires_us > $2 \
         RETURNING {COLUMNS}"
    );
    let row = built(text).bind(token_hash).bind(now_us).one_in(tx).await?;
    let Some(row) = row else { return Err(ChangeError::Missing { what: "invitation" }) };
    let accepted = invitation(&row)?;
    members::insert(tx, Scope { tenant: &accepted.tenant }, user, accepted.role, now_us).await?;
    Ok(accepted)
}

fn invitation(row: &Row) -> Result<Invitation, RunError> {
    Ok(Invitation {
        tenant: row.text("tenant")?,
        id: row.text("id")?,
        email: row.text("email")?,
        role: row.word("role", Role::parse)?,
        invited_by: row.text("invited_by")?,
        created_us: row.number("created_us")?,
        expires_us: row.number("expires_us")?,
        accepted_us: row.get("accepted_us")?,
    })
}
