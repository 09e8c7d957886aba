//! Who one is.

use serde::{Deserialize, Serialize};
use sluice_core::access::Role;
use sluice_store::Scope;
use utoipa::ToSchema;

use crate::auth::principal::{Caller, Credential};
use crate::http::problem::Problem;
use crate::state::App;

/// A role in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Role)]
pub(crate) enum RoleWord {
    Viewer,
    Operator,
    Editor,
    Admin,
    Owner,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// The person; none for a service's token.
    user: Option<Person>,
    /// The session's id, if it is one.
    session: Option<String>,
    /// The token's id, if it is one.
    token: Option<String>,
    /// Where one may do what. Of a token, its only tenant.
    tenants: Vec<Belongs>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    id: String,
    email: String,
    name: String,
}

/// A tenant that one belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TenantRole)]
pub(crate) struct Belongs {
    id: String,
    name: String,
    role: RoleWord,
}

impl Me {
    /// Whoever sent the request.
    pub(crate) async fn of(app: &App, caller: &Caller) -> Result<Self, Problem> {
        match &caller.by {
            Credential::Session(session) => Self::of_person(app, &session.1.id, session.0.id.clone()).await,
            Credential::Token(bearer) => {
                let tenant = app.store.tenant(Scope { tenant: &bearer.tenant }).await?;
                let belongs =
                    tenant.map(|tenant| Belongs { id: tenant.id, name: tenant.name, role: bearer.role.into() });
                let user = match &bearer.user {
                    Some(user) => person(app, user).await?,
                    None => None,
                };
                Ok(Self {
                    user,
                    session: None,
                    token: Some(bearer.token.clone()),
                    tenants: belongs.into_iter().collect(),
                })
            }
        }
    }

    /// Whose session it is.
    pub(crate) async fn of_person(app: &App, user: &str, session: String) -> Result<Self, Problem> {
        let tenants = app.store.memberships_of(user).await?;
        let belongs = tenants.into_iter().map(|one| Belongs { id: one.tenant, name: one.name, role: one.role.into() });
        Ok(Self { user: person(app, user).await?, session: Some(session), token: None, tenants: belongs.collect() })
    }
}

async fn person(app: &App, id: &str) -> Result<Option<Person>, Problem> {
    let user = app.store.user(id).await?;
    Ok(user.map(|user| Person { id: user.id, email: user.email, name: user.name }))
}

impl From<Role> for RoleWord {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Editor => Self::Editor,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Operator => Self::Operator,
            RoleWord::Editor => Self::Editor,
            RoleWord::Admin => Self::Admin,
            RoleWord::Owner => Self::Owner,
        }
    }
}
