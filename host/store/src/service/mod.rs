//! The service: what people configure, what is to run when, and what happened.

mod connections;
mod drafts;
mod pipelines;
mod rewrap;
mod vault;
mod webhooks;

pub use connections::{Connection, ConnectionChange, NewConnection, SecretChange, SecretField, SecretValue};
pub use drafts::{Draft, DraftChange, Finished, Owner};
pub use pipelines::{NewPipeline, PipelineChange, PipelineRecord, PipelineRevision, Timing};
pub use rewrap::Rewrapped;
pub use vault::{OpenSecret, Vault};
pub use webhooks::SigningSecrets;
