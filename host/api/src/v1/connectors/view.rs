//! What the API shows of a connector.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sluice_engine::service::catalogue::{Installed, Origin};
use sluice_store::{Hold, Install};
use utoipa::ToSchema;

use crate::state::instant;

/// A connector that is installed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorView {
    /// Names it; what a connection says.
    name: String,
    /// Its own version.
    version: String,
    /// Name for people.
    title: String,
    /// One or two sentences for people.
    description: String,
    /// Who publishes it.
    publisher: String,
    /// Where its documentation is; may be empty.
    docs: String,
    /// Its icon as a `data:` address of an image, to be shown as an image and as nothing else.
    icon: Option<String>,
    /// Version of the contract that it was built for.
    contract: String,
    /// SHA-256 of its component, in hexadecimal digits.
    sha256: String,
    /// Whose it is: `built-in` (it lies in the operator's folder), `operator` (installed for all tenants), `tenant` (uploaded here).
    #[schema(value_type = String)]
    origin: Origin,
    /// SHA-256 of the tenant's version before this one, which one can go back to; null if there is none.
    previous: Option<String>,
    /// Why it was withdrawn; null if it was not. No run uses one that was.
    yanked: Option<String>,
    /// That this tenant stays with the version before the one that the operator has installed for all; null if it does not.
    held: Option<HoldView>,
    /// What it can do.
    capabilities: CapabilitiesView,
    /// JSON Schema of its configuration; secrets are marked `"writeOnly": true`.
    #[schema(value_type = Object)]
    config: Value,
    /// Hosts that it asks to reach: `host:port`, where `{name}` stands for a field of the configuration.
    hosts: Vec<String>,
    /// Folders that it asks to be lent.
    folders: Vec<String>,
    /// Secrets that enter its sandbox; all others stay with the host, which signs its requests.
    secrets_inside: Vec<String>,
}

/// Why a tenant stays with a version of the operator's connector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectorHoldView)]
struct HoldView {
    /// SHA-256 of the version that all other tenants use. Once the operator installs another one, this tenant uses that too.
    instead_of: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Who made it so: `user ID`, `token ID`, or `host` for the service itself.
    by: String,
    /// Why, in their words.
    reason: String,
}

/// What a connector can do.
#[derive(Debug, Serialize, ToSchema)]
struct CapabilitiesView {
    /// Reads beyond a state.
    incremental: bool,
    /// Plans more than one split.
    splits: bool,
    /// Estimates rows and bytes.
    estimate: bool,
    /// Takes a row restriction.
    filter: bool,
    /// Reads files, and does with changed ones what the pipeline says.
    changed_files: bool,
}

impl ConnectorView {
    /// What is shown of a connector; `install` is the tenant's own, where it has one of this name.
    pub(super) fn of(found: Installed, install: Option<&Install>) -> Self {
        let Installed { manifest, sha256, origin, yanked, held } = found;
        let previous = install.filter(|install| install.sha256 == sha256).and_then(|install| install.previous.clone());
        let can = &manifest.capabilities;
        let icon = (!manifest.icon.is_empty())
            .then(|| format!("data:image/svg+xml;base64,{}", STANDARD.encode(&manifest.icon)));
        Self {
            icon,
            sha256,
            origin,
            previous,
            yanked,
            held: held.map(|Hold { instead_of, since_us, by, reason, .. }| HoldView {
                instead_of,
                since: instant(since_us),
                by,
                reason,
            }),
            capabilities: CapabilitiesView {
                incremental: can.incremental,
                splits: can.splits,
                estimate: can.estimate,
                filter: can.filter,
                changed_files: can.changed_files,
            },
            name: manifest.name,
            version: manifest.version,
            title: manifest.title,
            description: manifest.description,
            publisher: manifest.publisher,
            docs: manifest.docs,
            contract: manifest.contract,
            config: manifest.config,
            hosts: manifest.hosts,
            folders: manifest.folders,
            secrets_inside: manifest.secrets.inside,
        }
    }
}
