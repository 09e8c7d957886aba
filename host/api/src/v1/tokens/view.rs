//! How tokens are shown.

use jiff::Timestamp;
use serde::Serialize;
use sluice_store::ApiToken;
use utoipa::ToSchema;

use crate::state::instant;
use crate::v1::session::RoleWord;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenView {
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
    /// What it may do at most.
    pub(super) role: RoleWord,
    /// The id of who made it.
    pub(super) created_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) expires_at: Option<Timestamp>,
    /// When it was last used, within a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) revoked_at: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewToken)]
pub(super) struct NewTokenView {
    /// The token itself. It is shown this once.
    #[schema(read_only)]
    pub(super) secret: String,
    #[serde(flatten)]
    pub(super) token: TokenView,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            role: token.role.into(),
            created_by: token.created_by,
            created_at: instant(token.created_us),
            expires_at: token.expires_us.map(instant),
            last_used_at: token.last_used_us.map(instant),
            revoked_at: token.revoked_us.map(instant),
        }
    }
}
