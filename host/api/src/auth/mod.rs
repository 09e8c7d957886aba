//! Who asks, and whether they may.
//!
//! A request is authenticated by the session's [`cookie`] or by an API token ([`principal`]); then [`guard`] compares the member's role
//! in the tenant with the one that the operation needs. Both happen before a handler runs: an operation cannot be added without saying
//! what it needs. Another service that calls a hook shows an [`identity`] that an issuer vouches for.

pub mod cookie;
pub mod guard;
pub mod identity;
pub mod oidc;
pub mod password;
pub mod principal;
pub mod rules;
pub mod throttle;
pub mod token;
