//! Who is asked to belong to a tenant. The secret in an invitation's link is shown once, to who invites, and sent by them.

mod accept;
mod create;
mod delete;
mod list;
pub(in crate::v1) mod open;

use jiff::Timestamp;
use serde::Serialize;
use sluice_core::access::Operation;
use sluice_store::Invitation;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};
use crate::state::instant;
use crate::v1::session::RoleWord;

/// The operations on invitations. No token invites: whoever comes in stays when the token has ended.
pub fn routes(routes: Guarded) -> Guarded {
    let create = Rules::of(Needs::PersonWho(Operation::MembersWrite)).answers_secret();
    routes
        .operation(Needs::Member(Operation::MembersWrite), routes!(list::list))
        .operation(create, routes!(create::create))
        .operation(Needs::Member(Operation::MembersWrite), routes!(delete::delete))
        .operation(Rules::of(Needs::Nobody).answers_secret(), routes!(accept::accept))
}

/// An invitation, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationView {
    id: String,
    /// Whom it is for.
    email: String,
    /// What the person will be.
    role: RoleWord,
    /// The id of who invited.
    invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when it can be accepted.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was accepted.
    #[schema(value_type = Option<String>, format = DateTime)]
    accepted_at: Option<Timestamp>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role.into(),
            invited_by: invitation.invited_by,
            created_at: instant(invitation.created_us),
            expires_at: instant(invitation.expires_us),
            accepted_at: invitation.accepted_us.map(instant),
        }
    }
}
