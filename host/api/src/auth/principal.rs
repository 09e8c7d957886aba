//! Who asks: a person with a session, or a program with an API token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use sluice_core::access::Role;
use sluice_store::{Bearer, Scope, Session, User};

use super::cookie;
use super::token::{Purpose, hash_of};
use crate::http::client::Client;
use crate::http::problem::{Problem, Slug};
use crate::http::security::same_site;
use crate::state::App;

/// A session that is not used for so long ends.
pub const IDLE_US: i64 = 24 * 3_600 * 1_000_000;

/// A session ends after so long, used or not (OWASP ASVS 5.0, V7.3).
pub const LONGEST_US: i64 = 14 * 24 * 3_600 * 1_000_000;

/// The use of a session or token is recorded this often, not with every request.
const RECORDED_US: i64 = 60 * 1_000_000;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// How they showed it.
    pub by: Credential,
    /// Where the request comes from.
    pub address: Option<String>,
}

/// What a request was authenticated by.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A browser's session.
    Session(Box<(Session, User)>),
    /// An API token, good for one tenant.
    Token(Bearer),
}

/// Who asks, in the tenant of the address: somebody whose role allows the operation.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who it is.
    pub caller: Caller,
    /// The tenant of the address.
    pub tenant: String,
    /// What they may do there.
    pub role: Role,
}

impl Caller {
    /// The person's id; none for a service's token.
    pub fn user(&self) -> Option<&str> {
        match &self.by {
            Credential::Session(session) => Some(&session.1.id),
            Credential::Token(bearer) => bearer.user.as_deref(),
        }
    }

    /// Who it is, as the audit log and the records of changes have it: `user ID` or `token ID`.
    pub fn actor(&self) -> String {
        match &self.by {
            Credential::Session(session) => format!("user {}", session.1.id),
            Credential::Token(bearer) => format!("token {}", bearer.token),
        }
    }

    /// What requests are counted by: the session's or the token's id.
    pub(crate) fn credential(&self) -> &str {
        match &self.by {
            Credential::Session(session) => &session.0.id,
            Credential::Token(bearer) => &bearer.token,
        }
    }

    /// The session and its person.
    ///
    /// # Errors
    /// If it is a token: a route that is for people only says [`Needs::Person`](super::rules::Needs::Person).
    pub fn session(&self) -> Result<&(Session, User), Problem> {
        match &self.by {
            Credential::Session(session) => Ok(session),
            Credential::Token(_) => Err(unguarded()),
        }
    }

    /// What they may do in a tenant; none for who is no member. A token is good for its own tenant only.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn role_in(&self, app: &App, tenant: &str) -> Result<Option<Role>, Problem> {
        match &self.by {
            Credential::Session(session) => Ok(app.store.role_of(Scope { tenant }, &session.1.id).await?),
            Credential::Token(bearer) => Ok((bearer.tenant == tenant).then_some(bearer.role)),
        }
    }
}

impl Member {
    /// The tenant's rows.
    pub fn scope(&self) -> Scope<'_> {
        Scope { tenant: &self.tenant }
    }
}

/// Finds out who asks.
///
/// # Errors
/// If nobody is signed in; if a change comes with a cookie but from another site.
pub async fn authenticate(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Caller, Problem> {
    let address = Client::of(extensions).address();
    let by = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let text = value.to_str().ok().and_then(|value| {
                let (scheme, text) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then_some(text.trim())
            });
            Credential::Token(bearer(app, text.ok_or_else(unknown)?).await?)
        }
        None => {
            let secret = cookie::SESSION.read(headers).ok_or_else(unknown)?;
            let session = session(app, secret).await?;
            same_site(method, headers, &app.origin)?;
            Credential::Session(Box::new(session))
        }
    };
    Ok(Caller { by, address })
}

fn unknown() -> Problem {
    let detail = "sign in, or send an API token as `Authorization: Bearer …`; a session or token that ended is none";
    Problem::new(Slug::Unauthenticated, detail)
}

async fn bearer(app: &App, text: &str) -> Result<Bearer, Problem> {
    let hash = hash_of(Purpose::Api, text).ok_or_else(unknown)?;
    let now = app.now_us();
    let bearer = app.store.bearer(&hash, now).await?.ok_or_else(unknown)?;
    if bearer.last_used_us.is_none_or(|last| now.saturating_sub(last) > RECORDED_US) {
        app.store.touch_token(Scope { tenant: &bearer.tenant }, &bearer.token, now).await?;
    }
    Ok(bearer)
}

async fn session(app: &App, secret: &str) -> Result<(Session, User), Problem> {
    let hash = hash_of(Purpose::Session, secret).ok_or_else(unknown)?;
    let now = app.now_us();
    let (session, user) = app.store.session(&hash, now).await?.ok_or_else(unknown)?;
    if now.saturating_sub(session.last_seen_us) > RECORDED_US {
        let ends = now.saturating_add(IDLE_US).min(session.created_us.saturating_add(LONGEST_US));
        app.store.touch_session(&session.id, ends, now).await?;
    }
    Ok((session, user))
}

/// Who passed the guard of a route that asks for somebody.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unguarded)
    }
}

/// Who passed the guard of a route that asks for a member.
impl<S: Sync> FromRequestParts<S> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unguarded)
    }
}

fn unguarded() -> Problem {
    tracing::error!("an operation asks for more than its route does");
    Problem::new(Slug::Internal, "the service's log has the details")
}
