//! What connectors of HTTP JSON APIs share, so that one for a small API is a description of it and little more.
//!
//! Each layer stands on the one before, and each can be used alone:
//!
//! | layer | what it does |
//! |---|---|
//! | [`Api`] | requests that wait when the API says so (`Retry-After`), try again what passes, and turn a status into a typed error |
//! | [`Paging`], [`Pages`] | follows a next link, a `Link` header, a cursor, page numbers or offsets to the end |
//! | [`Columns`] | JSON records into Arrow with a declared schema; an error names the record and its field |
//! | [`Increment`] | rows beyond a state: from where, up to where, in windows, and when a checkpoint may be made |
//! | [`Resource`], [`Resources`] | a stream described by all of these; `check`, `discover`, `plan` and `read` follow from it |
//!
//! Credentials are not here: a manifest names a scheme (`bearer`, `header`, `oauth2`, …) and the host signs, so that none of them
//! is ever inside the sandbox. `sluice connector new` writes a connector that is made of these.
//!
//! To add a way of paging: a variant of [`Paging`] and its arm in `page.rs`. To add a type: a variant of [`Type`] and its arms in
//! `columns.rs`.

mod client;
mod columns;
mod increment;
mod page;
mod read;
mod resource;
#[cfg(test)]
mod testing;
mod time;

pub use client::{Answer, Api, Patience};
pub use columns::{Columns, Type};
pub use increment::Increment;
pub use page::{Page, Pages, Paging};
pub use resource::{Resource, Resources};
