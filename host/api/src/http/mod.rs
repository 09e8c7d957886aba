//! What every operation shares of HTTP: problems, pages, revisions, bodies, headers, limits, repeated requests, metrics, traces, files that are sent.

pub mod body;
pub mod client;
pub mod fence;
pub mod fetch;
pub mod finding;
pub mod limits;
pub mod metrics;
pub mod page;
pub mod path;
pub mod problem;
pub mod query;
pub mod repeat;
pub mod revision;
pub mod security;
pub mod trace;
pub mod upload;
