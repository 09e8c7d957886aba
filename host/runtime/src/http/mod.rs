//! HTTP for guests: what stands behind `wasi:http/outgoing-handler`.
//!
//! Every request of a guest passes here and nowhere else: the policy of [`crate::net`] decides about its origin, the
//! name is resolved once, checked and pinned, credentials are added by the host, and the response is streamed back with
//! bounds on its head, on silence and on the number of requests at once. Connections are pooled per origin and shared
//! by all instances of one connection, never beyond it.
//!
//! **Redirects are the guest's to follow.** A 3xx answer is handed over as it is; following it is a new request, which
//! is checked like any other, and credentials are never added for an origin that the manifest does not name exactly.
//!
//! **gRPC** needs no more of a guest than its content type: a request with `content-type: application/grpc` goes over
//! HTTP/2 only, which TLS negotiates, and which is spoken at once where there is no TLS (prior knowledge, for an
//! endpoint in a granted network). Its other headers (`te: trailers`) and the length-prefixed messages are the guest's;
//! trailers arrive as the trailers of the response's body.
//!
//! This module knows the contract's `wasi:http` but no connector and no cloud.
//!
//! [`Post`] sends requests of the host's own, to webhooks, by the same rules.
//!
//! To add an authentication scheme: see `auth/`.

mod auth;
mod body;
mod client;
mod dial;
mod failure;
mod hooks;
mod origin;
mod pool;
mod post;
mod request;
mod taped;

pub use auth::GoogleIdentity;
pub use client::{HttpClient, HttpSettings};
pub use hooks::{Hooks, LastFailure};
pub use post::Post;

#[cfg(test)]
mod tests;
