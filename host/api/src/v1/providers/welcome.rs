//! Whom a provider's token names here: somebody known by it, somebody whom the provider may vouch for, or whom an invitation makes known.

use sluice_core::validate;
use sluice_store::{Identity, NewUser, User};

use crate::auth::oidc::{Person, Provider};
use crate::http::client::Client;
use crate::http::problem::{Problem, Slug};
use crate::state::App;
use crate::v1::invitations::open::open;

/// The id of the person here. Never an account that only has the same address, unless the operator says that the provider vouches for it.
pub(super) async fn user_of(
    app: &App,
    provider: &Provider,
    person: &Person,
    invitation: Option<&str>,
    client: Client,
) -> Result<String, Problem> {
    let identity = Identity { issuer: person.issuer.clone(), subject: person.subject.clone() };
    let known = match app.store.user_of_identity(&identity).await? {
        Some(user) => Some(user),
        None => vouched_for(app, provider, person, &identity).await?,
    };
    if known.as_ref().is_some_and(|user| user.disabled_us.is_some()) {
        return Err(unknown(provider));
    }
    match (known, invitation) {
        (Some(user), None) => Ok(user.id),
        (Some(user), Some(secret)) => accept(app, person, secret, Some(user), &identity, client).await,
        (None, Some(secret)) => accept(app, person, secret, None, &identity, client).await,
        (None, None) => Err(unknown(provider)),
    }
}

/// The same answer for who is unknown and who may not come in.
fn unknown(provider: &Provider) -> Problem {
    let title = &provider.settings().title;
    let detail = format!("nobody here is known by this identity of {title}; ask for an invitation and follow its link");
    Problem::new(Slug::Forbidden, detail)
}

async fn vouched_for(
    app: &App,
    provider: &Provider,
    person: &Person,
    identity: &Identity,
) -> Result<Option<User>, Problem> {
    let Some(email) = person.email.as_deref().filter(|_| provider.settings().vouches_for_email) else {
        return Ok(None);
    };
    let Ok(email) = validate::email("email", email) else { return Ok(None) };
    let Some(user) = app.store.user_by_email(&email).await? else { return Ok(None) };
    if user.disabled_us.is_none() {
        app.store.link_identity(identity, &user.id, app.now_us()).await?;
    }
    Ok(Some(user))
}

/// Accepts an invitation as who the token names. Its address must be the one that the provider has verified: otherwise the link could make
/// somebody known under an address of another.
async fn accept(
    app: &App,
    person: &Person,
    secret: &str,
    known: Option<User>,
    identity: &Identity,
    client: Client,
) -> Result<String, Problem> {
    let opened = open(app, secret).await?;
    let invitation = &opened.invitation;
    let verified = person.email.as_deref().and_then(|email| validate::email("email", email).ok());
    let address = known.as_ref().map(|user| user.email.clone()).or(verified);
    if address.as_deref() != Some(&invitation.email) {
        let detail = "the invitation is for another e-mail address than the one that the provider has verified";
        return Err(Problem::new(Slug::Forbidden, detail));
    }
    let user = match known {
        Some(user) => {
            app.store.accept_invitation(&opened.hash, &user.id, app.now_us()).await?;
            user.id
        }
        None if app.store.user_by_email(&invitation.email).await?.is_some() => {
            let detail =
                "there is an account with the invitation's address; sign in to it with its password, then accept";
            return Err(Problem::new(Slug::Refused, detail));
        }
        None => {
            let name = person.name.as_deref().and_then(|name| validate::name("name", name).ok());
            let name = name.unwrap_or_else(|| invitation.email.clone());
            let new = NewUser { id: app.ids.next(), email: invitation.email.clone(), name, password: None };
            app.store.accept_invitation_as(&opened.hash, &new, Some(identity), app.now_us()).await?;
            new.id
        }
    };
    opened.record(app, &user, client, Some(&identity.issuer)).await?;
    Ok(user)
}
