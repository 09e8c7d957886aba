//! What every operation shares of HTTP: problems, pages, revisions, bodies, headers.

pub mod body;
pub mod fetch;
pub mod page;
pub mod problem;
pub mod query;
pub mod revision;
pub mod security;
