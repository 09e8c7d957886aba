//! Browsers that are logged in.

use sluice_core::RunError;

use super::users::{self, User};
use crate::change::inserted;
use crate::db::{Row, built, sql};
use crate::{ChangeError, Store};

/// A session that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Names it; may be shown.
    pub id: String,
    /// The hash of its cookie.
    pub token_hash: Vec<u8>,
    /// Whose it is.
    pub user: String,
    /// When it ends at the latest.
    pub expires_us: i64,
    /// What the browser says of itself, shortened by the caller.
    pub user_agent: String,
    /// Where it came from.
    pub address: String,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// When it began.
    pub created_us: i64,
    /// When it was last used, as far as that was recorded ([`Store::touch_session`]).
    pub last_seen_us: i64,
    /// When it ends at the latest.
    pub expires_us: i64,
    /// What the browser says of itself.
    pub user_agent: String,
    /// Where it came from.
    pub address: String,
}

const COLUMNS: &str = "s.id AS session_id, s.user_id, s.created_us AS session_created_us, s.last_seen_us, s.expires_us, \
                       s.user_agent, s.address";

impl Store {
    /// Records that a person has logged in.
    ///
    /// # Errors
    /// If its id or hash is taken, there is no such user, or it cannot be stored.
    pub async fn begin_session(&self, new: &NewSession, now_us: i64) -> Result<(), ChangeError> {
        let rows =
            sql("INSERT INTO sessions (id, token_hash, user_id, created_us, last_seen_us, expires_us, user_agent, \
                        address) VALUES ($1, $2, $3, $4, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
            .bind(&new.id)
            .bind(new.token_hash.as_slice())
            .bind(&new.user)
            .bind(now_us)
            .bind(new.expires_us)
            .bind(&new.user_agent)
            .bind(&new.address)
            .run_on(&self.db, "beginning a session")
            .await?;
        inserted(rows, "session", "id")
    }

    /// Whose cookie this is: a session that is neither expired nor revoked, of a person who may come in.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn session(&self, token_hash: &[u8], now_us: i64) -> Result<Option<(Session, User)>, RunError> {
        let text = format!(
            "SELECT {COLUMNS}, {} FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 \
             AND s.expires_us > $2 AND s.revoked_us IS NULL AND u.disabled_us IS NULL",
            users::COLUMNS
        );
        let row = built(text).bind(token_hash).bind(now_us).one_on(&self.db, "reading a session").await?;
        row.map(|row| Ok((session(&row)?, users::user(&row)?))).transpose()
    }

    /// Records that a session is used, and puts its end off. The caller does not do so for every request.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn touch_session(&self, id: &str, expires_us: i64, now_us: i64) -> Result<(), RunError> {
        let touched =
            sql("UPDATE sessions SET last_seen_us = $2, expires_us = $3 WHERE id = $1 AND revoked_us IS NULL");
        touched
            .bind(id)
            .bind(now_us)
            .bind(expires_us)
            .run_on(&self.db, "recording the use of a session")
            .await
            .map(drop)
    }

    /// A person's sessions that are neither expired nor revoked, the last used first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn sessions_of(&self, user: &str, now_us: i64) -> Result<Vec<Session>, RunError> {
        let text = format!(
            "SELECT {COLUMNS} FROM sessions s WHERE s.user_id = $1 AND s.expires_us > $2 AND s.revoked_us IS NULL \
             ORDER BY s.last_seen_us DESC, s.id LIMIT 1000"
        );
        let rows = built(text).bind(user).bind(now_us).all_on(&self.db, "listing sessions").await?;
        rows.iter().map(session).collect()
    }

    /// Ends a session of a person. False if there is none to end.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn revoke_session(&self, user: &str, id: &str, now_us: i64) -> Result<bool, RunError> {
        let ended = sql("UPDATE sessions SET revoked_us = $3 WHERE user_id = $1 AND id = $2 AND revoked_us IS NULL");
        Ok(ended.bind(user).bind(id).bind(now_us).run_on(&self.db, "ending a session").await? > 0)
    }

    /// Ends all sessions of a person, but for one. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn revoke_sessions(&self, user: &str, but: Option<&str>, now_us: i64) -> Result<u64, RunError> {
        let ended = sql("UPDATE sessions SET revoked_us = $3 WHERE user_id = $1 AND id <> $2 AND revoked_us IS NULL");
        let ended = ended.bind(user).bind(but.unwrap_or_default()).bind(now_us);
        ended.run_on(&self.db, "ending sessions").await
    }

    /// Forgets sessions that ended before this moment. How many.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn forget_sessions(&self, before_us: i64) -> Result<u64, RunError> {
        let gone = sql("DELETE FROM sessions WHERE expires_us < $1").bind(before_us);
        gone.run_on(&self.db, "forgetting old sessions").await
    }
}

fn session(row: &Row) -> Result<Session, RunError> {
    Ok(Session {
        id: row.text("session_id")?,
        user: row.text("user_id")?,
        created_us: row.number("session_created_us")?,
        last_seen_us: row.number("last_seen_us")?,
        expires_us: row.number("expires_us")?,
        user_agent: row.text("user_agent")?,
        address: row.text("address")?,
    })
}
