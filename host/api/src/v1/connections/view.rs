//! What the API shows of a connection: never a secret, only which fields have one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_core::RunError;
use sluice_core::pipeline::Grants;
use sluice_store::{Connection, Scope, SecretField};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::state::{App, instant};

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionView {
    /// Names it for ever.
    id: String,
    /// What people call it.
    name: String,
    /// The connector's name.
    connector: String,
    /// Its configuration without the secrets.
    #[schema(value_type = Object)]
    config: Value,
    /// The fields of the configuration that have a secret, as JSON pointers. The secrets themselves are never shown.
    secrets: Vec<String>,
    /// Of these, under which name Google Secret Manager keeps those that are not kept here.
    references: BTreeMap<String, String>,
    /// What it may do beyond the sandbox's defaults.
    grants: GrantsBody,
    /// Grows with every change; the `ETag`.
    revision: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who changed it last: `user ID` or `token ID`.
    updated_by: String,
}

/// What a connection may do beyond the sandbox's defaults, as far as whoever operates the service offers it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::v1) struct GrantsBody {
    /// Its own configured hosts may be private addresses.
    private_network: bool,
    /// Folders that it may read: the connector's name for each, and the name under which the service offers it.
    folders: BTreeMap<String, String>,
    /// It may authenticate to Google as the service itself does.
    google_identity: bool,
    /// Where keys of service accounts are exchanged for tokens instead of Google's own endpoint.
    #[schema(max_length = 2000)]
    google_token_endpoint: Option<String>,
}

impl From<GrantsBody> for Grants {
    fn from(body: GrantsBody) -> Self {
        Self {
            private_network: body.private_network,
            folders: body.folders.into_iter().map(|(inside, offered)| (inside, offered.into())).collect(),
            google_identity: body.google_identity,
            google_token_endpoint: body.google_token_endpoint,
        }
    }
}

impl From<Grants> for GrantsBody {
    fn from(grants: Grants) -> Self {
        let folders = grants.folders.into_iter();
        Self {
            private_network: grants.private_network,
            folders: folders.map(|(inside, offered)| (inside, offered.to_string_lossy().into_owned())).collect(),
            google_identity: grants.google_identity,
            google_token_endpoint: grants.google_token_endpoint,
        }
    }
}

/// The grants of a stored connection.
pub(in crate::v1) fn grants_of(connection: &Connection) -> Result<Grants, RunError> {
    serde_json::from_value(connection.grants.clone())
        .map_err(|e| RunError::internal(format!("the grants of a connection: {e}")))
}

/// A stored connection, as it is shown.
pub(super) async fn shown(app: &App, scope: Scope<'_>, connection: Connection) -> Result<ConnectionView, Problem> {
    let secrets = app.store.secret_fields(scope, &connection.id).await?;
    with_fields(connection, secrets)
}

/// A stored connection of whose secrets the fields are known.
pub(super) fn with_fields(connection: Connection, secrets: Vec<SecretField>) -> Result<ConnectionView, Problem> {
    let grants = grants_of(&connection)?.into();
    let elsewhere = secrets.iter().filter_map(|one| Some((one.field.clone(), one.reference.clone()?)));
    Ok(ConnectionView {
        id: connection.id,
        name: connection.name,
        connector: connection.connector,
        config: connection.config,
        references: elsewhere.collect(),
        secrets: secrets.into_iter().map(|one| one.field).collect(),
        grants,
        revision: connection.revision,
        created_at: instant(connection.created_us),
        updated_at: instant(connection.updated_us),
        updated_by: connection.updated_by,
    })
}

/// The connection of an address.
pub(in crate::v1) async fn find(app: &App, scope: Scope<'_>, id: &str) -> Result<Connection, Problem> {
    app.store.connection(scope, id).await?.ok_or_else(|| Problem::not_found("connection"))
}
