//! Uploaded connectors: versions and their bytes, which one runs use, whose key a publisher's are signed with,
//! what tenants have recorded of them, and which tenants stay with a version of the operator's.
//!
//! What a tenant has uploaded is under its scope. What the operator installs for all tenants is under [`Scope::OPERATOR`]; that tenants
//! see it too is for whoever asks to say, by asking twice.

mod holds;
mod installs;
mod outcomes;
mod publishers;
mod recordings;
mod versions;

pub use holds::Hold;
pub use installs::{Approval, Install};
pub use publishers::Publisher;
pub use recordings::{KeptRecording, NewRecording};
pub use versions::{ConnectorVersion, NewVersion, VersionsBehind};
