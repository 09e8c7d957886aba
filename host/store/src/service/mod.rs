//! The service: what people configure, what is to run when, and what happened.

mod connections;
mod pipelines;
mod vault;
mod webhooks;

pub use connections::{Connection, ConnectionChange, NewConnection, SecretChange, SecretValue};
pub use pipelines::{NewPipeline, PipelineChange, PipelineRecord, PipelineRevision, Timing};
pub use vault::{OpenSecret, Vault};
