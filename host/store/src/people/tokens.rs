//! Tokens of the API: of a person, who may do no more through it than as a member, or of a service.

use sluice_core::RunError;
use sluice_core::access::Role;

use crate::change::inserted;
use crate::db::{Row, built, sql};
use crate::{ChangeError, Scope, Store};

/// A token that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Names it; may be shown.
    pub id: String,
    /// Whose it is; none for a service's.
    pub user: Option<String>,
    /// What people call it.
    pub name: String,
    /// The hash of the token.
    pub token_hash: Vec<u8>,
    /// What it may do at most.
    pub role: Role,
    /// The id of who made it.
    pub created_by: String,
    /// When it ends; none if it does not.
    pub expires_us: Option<i64>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Names it.
    pub id: String,
    /// Whose it is; none for a service's.
    pub user: Option<String>,
    /// What people call it.
    pub name: String,
    /// What it may do at most.
    pub role: Role,
    /// The id of who made it.
    pub created_by: String,
    /// When it was made.
    pub created_us: i64,
    /// When it ends.
    pub expires_us: Option<i64>,
    /// When it was last used, as far as that was recorded ([`Store::touch_token`]).
    pub last_used_us: Option<i64>,
    /// When it was revoked.
    pub revoked_us: Option<i64>,
}

/// Which tokens of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// A person's.
    Person(&'a str),
    /// Those of services.
    Services,
}

impl<'a> Whose<'a> {
    /// What restricts a query to them; `$3` is [`Whose::user`].
    fn condition(self) -> &'static str {
        match self {
            Self::Person(_) => "user_id = $3",
            // The parameter is named, so that both databases know its type.
            Self::Services => "user_id IS NULL AND $3 = ''",
        }
    }

    fn user(self) -> &'a str {
        match self {
            Self::Person(user) => user,
            Self::Services => "",
        }
    }
}

/// Who comes with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The tenant that it is good for.
    pub tenant: String,
    /// The token's id.
    pub token: String,
    /// Whose it is; none for a service's.
    pub user: Option<String>,
    /// What it may do now: a person's token no more than the person.
    pub role: Role,
    /// When it was last used, as far as that was recorded.
    pub last_used_us: Option<i64>,
}

impl Store {
    /// Records a token.
    ///
    /// # Errors
    /// If its id or hash is taken, tenant or person do not exist, or it cannot be stored.
    pub async fn create_token(&self, scope: Scope<'_>, new: &NewToken, now_us: i64) -> Result<(), ChangeError> {
        let rows = sql("INSERT INTO api_tokens (tenant, id, user_id, name, token_hash, role, created_by, created_us, \
                        expires_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING")
        .bind(scope.tenant)
        .bind(&new.id)
        .bind(&new.user)
        .bind(&new.name)
        .bind(new.token_hash.as_slice())
        .bind(new.role.as_str())
        .bind(&new.created_by)
        .bind(now_us)
        .bind(new.expires_us)
        .run_on(&self.db, "making a token")
        .await?;
        inserted(rows, "token", "id")
    }

    /// Whose token this is, if it is good: neither expired nor revoked, and its person a member who may come in.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn bearer(&self, token_hash: &[u8], now_us: i64) -> Result<Option<Bearer>, RunError> {
        let row = sql("SELECT k.tenant, k.id, k.user_id, k.role, k.last_used_us, m.role AS member_role FROM api_tokens k \
                       LEFT JOIN users u ON u.id = k.user_id \
                       LEFT JOIN memberships m ON m.tenant = k.tenant AND m.user_id = k.user_id \
                       WHERE k.token_hash = $1 AND k.revoked_us IS NULL AND (k.expires_us IS NULL OR k.expires_us > $2) \
                       AND (k.user_id IS NULL OR (u.disabled_us IS NULL AND m.role IS NOT NULL))")
        .bind(token_hash)
        .bind(now_us)
        .one_on(&self.db, "reading a token")
        .await?;
        let Some(row) = row else { return Ok(None) };
        let user: Option<String> = row.get("user_id")?;
        let granted = row.word("role", Role::parse)?;
        let role = if user.is_some() { granted.min(row.word("member_role", Role::parse)?) } else { granted };
        Ok(Some(Bearer {
            tenant: row.text("tenant")?,
            token: row.text("id")?,
            user,
            role,
            last_used_us: row.get("last_used_us")?,
        }))
    }

    /// Records that a token is used. The caller does not do so for every request.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn touch_token(&self, scope: Scope<'_>, id: &str, now_us: i64) -> Result<(), RunError> {
        let used = sql("UPDATE api_tokens SET last_used_us = $3 WHERE tenant = $1 AND id = $2");
        used.bind(scope.tenant).bind(id).bind(now_us).run_on(&self.db, "recording the use of a token").await.map(drop)
    }

    /// The tokens after this one in the order of their ids, revoked ones as well.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn tokens(
        &self,
        scope: Scope<'_>,
        whose: Whose<'_>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ApiToken>, RunError> {
        let text = format!(
            "SELECT id, user_id, name, role, created_by, created_us, expires_us, last_used_us, revoked_us \
             FROM api_tokens WHERE tenant = $1 AND id > $2 AND {} ORDER BY id LIMIT $4",
            whose.condition()
        );
        let rows = built(text).bind(scope.tenant).bind(after.unwrap_or_default()).bind(whose.user()).bind(limit);
        rows.all_on(&self.db, "listing tokens").await?.iter().map(token).collect()
    }

    /// How many tokens are good: neither expired nor revoked.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn good_tokens(&self, scope: Scope<'_>, whose: Whose<'_>, now_us: i64) -> Result<u64, RunError> {
        let text = format!(
            "SELECT COUNT(*) AS good FROM api_tokens WHERE tenant = $1 AND revoked_us IS NULL \
             AND (expires_us IS NULL OR expires_us > $2) AND {}",
            whose.condition()
        );
        let row = built(text).bind(scope.tenant).bind(now_us).bind(whose.user());
        row.one_on(&self.db, "counting tokens").await?.map_or(Ok(0), |row| row.count("good"))
    }

    /// Revokes a token. False if there is none to revoke.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn revoke_token(
        &self,
        scope: Scope<'_>,
        whose: Whose<'_>,
        id: &str,
        now_us: i64,
    ) -> Result<bool, RunError> {
        let text = format!(
            "UPDATE api_tokens SET revoked_us = $4 WHERE tenant = $1 AND id = $2 AND revoked_us IS NULL AND {}",
            whose.condition()
        );
        let ended = built(text).bind(scope.tenant).bind(id).bind(whose.user()).bind(now_us);
        Ok(ended.run_on(&self.db, "revoking a token").await? > 0)
    }
}

fn token(row: &Row) -> Result<ApiToken, RunError> {
    Ok(ApiToken {
        id: row.text("id")?,
        user: row.get("user_id")?,
        name: row.text("name")?,
        role: row.word("role", Role::parse)?,
        created_by: row.text("created_by")?,
        created_us: row.number("created_us")?,
        expires_us: row.get("expires_us")?,
        last_used_us: row.get("last_used_us")?,
        revoked_us: row.get("revoked_us")?,
    })
}
