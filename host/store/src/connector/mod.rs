//! Uploaded connectors: versions and their bytes, which one runs use, whose key a publisher's are signed with.
//!
//! What a tenant has uploaded is under its scope. What the operator installs for all tenants is under [`Scope::OPERATOR`]; that tenants
//! see it too is for whoever asks to say, by asking twice.

mod installs;
mod outcomes;
mod publishers;
mod versions;

pub use installs::{Approval, Install};
pub use publishers::Publisher;
pub use versions::{ConnectorVersion, NewVersion, VersionsBehind};
