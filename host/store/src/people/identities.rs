//! Who a person is at an identity provider.

use sluice_core::RunError;

use super::users::{self, User};
use crate::change::inserted;
use crate::db::{Tx, built, sql};
use crate::{ChangeError, Store};

/// A person at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider, as its tokens name it.
    pub issuer: String,
    /// The person, as the provider's tokens name them.
    pub subject: String,
}

impl Store {
    /// The person who is this at an identity provider, also one who may not come in any more.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn user_of_identity(&self, identity: &Identity) -> Result<Option<User>, RunError> {
        let text = format!(
            "SELECT {} FROM identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2",
            users::COLUMNS
        );
        let row = built(text).bind(&identity.issuer).bind(&identity.subject);
        row.one_on(&self.db, "looking for an identity").await?.as_ref().map(users::user).transpose()
    }

    /// Records who a known person is at a provider.
    ///
    /// # Errors
    /// If that is somebody already, or it cannot be stored.
    pub async fn link_identity(&self, identity: &Identity, user: &str, now_us: i64) -> Result<(), ChangeError> {
        let mut tx = self.db.begin("linking an identity").await?;
        link(&mut tx, identity, user, now_us).await?;
        Ok(tx.commit().await?)
    }

    /// Who a person is at providers.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn identities_of(&self, user: &str) -> Result<Vec<Identity>, RunError> {
        let rows = sql("SELECT issuer, subject FROM identities WHERE user_id = $1 ORDER BY issuer, subject").bind(user);
        let rows = rows.all_on(&self.db, "listing identities").await?;
        rows.iter().map(|row| Ok(Identity { issuer: row.text("issuer")?, subject: row.text("subject")? })).collect()
    }
}

pub(super) async fn link(tx: &mut Tx, identity: &Identity, user: &str, now_us: i64) -> Result<(), ChangeError> {
    let rows = sql("INSERT INTO identities (issuer, subject, user_id, created_us) VALUES ($1, $2, $3, $4) \
                    ON CONFLICT DO NOTHING")
    .bind(&identity.issuer)
    .bind(&identity.subject)
    .bind(user)
    .bind(now_us)
    .run_in(tx)
    .await?;
    inserted(rows, "user", "identity")
}
