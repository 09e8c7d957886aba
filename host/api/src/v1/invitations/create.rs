//! `POST /v1/tenants/{tenant}/invitations`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_core::access::Role;
use sluice_core::validate;
use sluice_store::{Invitation, NewInvitation};
use utoipa::ToSchema;

use super::InvitationView;
use crate::auth::principal::Member;
use crate::auth::token::{Purpose, Secret};
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::state::App;
use crate::v1::record::record;
use crate::v1::session::RoleWord;

/// How long an invitation can be accepted.
const GOOD_US: i64 = 7 * 24 * 3_600 * 1_000_000;

/// Invitations of a tenant that are open at once.
const MOST: u64 = 200;

/// Who is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InvitationBody {
    #[schema(max_length = 254)]
    email: String,
    /// What the person will be, at most one's own role.
    role: RoleWord,
}

/// An invitation that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewInvitation)]
pub(super) struct NewInvitationView {
    /// What the person needs to accept. It is shown this once.
    #[schema(read_only)]
    secret: String,
    /// The address to send. The secret stands behind the #, which no server's log keeps.
    #[schema(read_only)]
    link: String,
    #[serde(flatten)]
    invitation: InvitationView,
}

/// Ask somebody to belong to the tenant
///
/// Sends nothing: the answer holds the link, once. It is good for a week.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/invitations", tag = "members", operation_id = "create_invitation",
    params(("tenant" = String, Path)),
    request_body = InvitationBody,
    responses((status = 201, body = NewInvitationView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    member: Member,
    Body(body): Body<InvitationBody>,
) -> Result<impl IntoResponse, Problem> {
    let email = validate::email("email", &body.email)?;
    let role = Role::from(body.role);
    if !member.role.may_grant(role) {
        let yours = member.role.as_str();
        return Err(Problem::field("role", format!("nobody gives a role above one's own, and yours is {yours}")));
    }
    let now = app.now_us();
    if let Some(known) = app.store.user_by_email(&email).await?
        && app.store.role_of(member.scope(), &known.id).await?.is_some()
    {
        return Err(Problem::new(Slug::Exists, "who has this address is a member already; change the role instead"));
    }
    if app.store.open_invitations(member.scope(), now).await? >= MOST {
        return Err(Problem::new(Slug::Refused, format!("there are {MOST} open invitations; withdraw some")));
    }
    let secret = Secret::new(Purpose::Invitation, app.random.as_ref());
    let (_, user) = member.caller.session()?;
    let new = NewInvitation {
        id: app.ids.next(),
        token_hash: secret.hash().to_vec(),
        email,
        role,
        invited_by: user.id.clone(),
        expires_us: now.saturating_add(GOOD_US),
    };
    app.store.invite(member.scope(), &new, now).await?;
    let detail = json!({"email": new.email, "role": role.as_str()});
    record(&app, &member, "invitation.create", format!("invitation {}", new.id), detail).await?;
    let location = [(header::LOCATION, format!("/v1/tenants/{}/invitations/{}", member.tenant, new.id))];
    let view = NewInvitationView {
        link: format!("{}/invitation#{}", app.origin, secret.expose()),
        secret: secret.expose().to_owned(),
        invitation: made(member.tenant.clone(), new, now).into(),
    };
    Ok((StatusCode::CREATED, location, Json(view)))
}

fn made(tenant: String, new: NewInvitation, now_us: i64) -> Invitation {
    Invitation {
        tenant,
        id: new.id,
        email: new.email,
        role: new.role,
        invited_by: new.invited_by,
        created_us: now_us,
        expires_us: new.expires_us,
        accepted_us: None,
    }
}
