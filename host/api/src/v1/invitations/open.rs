//! An invitation that somebody comes with, whichever way: it is still open, and who invited may still give its role.

use serde_json::{Map, Value};
use sluice_store::{AuditEntry, Invitation, Scope};

use crate::auth::token::{Purpose, hash_of};
use crate::http::client::Client;
use crate::http::problem::{Problem, Slug};
use crate::state::App;

/// One that can be accepted.
pub(in crate::v1) struct Opened {
    /// By which the store knows the link.
    pub(in crate::v1) hash: [u8; 32],
    /// What it is for.
    pub(in crate::v1) invitation: Invitation,
}

/// The invitation of a link.
///
/// # Errors
/// If it is unknown, expired, used or withdrawn, or who invited may not give its role any more: which of them is nobody's business.
pub(in crate::v1) async fn open(app: &App, secret: &str) -> Result<Opened, Problem> {
    let gone = || Problem::new(Slug::NotFound, "this invitation is not open (any more); ask for another one");
    let hash = hash_of(Purpose::Invitation, secret).ok_or_else(gone)?;
    let invitation = app.store.open_invitation(&hash, app.now_us()).await?.ok_or_else(gone)?;
    let inviter = app.store.role_of(Scope { tenant: &invitation.tenant }, &invitation.invited_by).await?;
    if !inviter.is_some_and(|role| role.may_grant(invitation.role)) {
        return Err(gone());
    }
    Ok(Opened { hash, invitation })
}

impl Opened {
    /// Records that somebody has accepted it; `issuer` is whose token made the person known.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub(in crate::v1) async fn record(
        &self,
        app: &App,
        user: &str,
        client: Client,
        issuer: Option<&str>,
    ) -> Result<(), Problem> {
        let invitation = &self.invitation;
        let mut detail = Map::new();
        detail.insert("role".to_owned(), invitation.role.as_str().into());
        detail.insert("invited_by".to_owned(), invitation.invited_by.clone().into());
        detail.extend(issuer.map(|issuer| ("issuer".to_owned(), issuer.into())));
        let entry = AuditEntry {
            actor: format!("user {user}"),
            action: "invitation.accept".to_owned(),
            object: format!("invitation {}", invitation.id),
            address: client.address(),
            detail: Value::Object(detail),
        };
        app.store.audit(Scope { tenant: &invitation.tenant }, &entry, app.now_us()).await?;
        Ok(())
    }
}
