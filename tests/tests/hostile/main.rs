//! Every attack of the list in `tests/guests/lib.rs` ends as the list says, and the sandbox that it was made in serves a healthy guest
//! afterwards. Each line of the list becomes a test, which calls the function of the attack's name in [`suite`]: an attack without
//! one does not compile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failed assertion is how a test fails"
)]

mod components;
mod docs;
mod guests;
mod instances;
mod manifests;
mod network;
mod servers;

use sluice_core::error::Kind;
use sluice_tests::attack::{assert_ended, assert_healthy};

/// One function for each attack.
mod suite {
    pub(crate) use super::components::*;
    pub(crate) use super::guests::*;
    pub(crate) use super::instances::*;
    pub(crate) use super::manifests::*;
    pub(crate) use super::network::*;
    pub(crate) use super::servers::*;
}

macro_rules! kind {
    (Contained) => {
        None
    };
    ($kind:ident) => {
        Some(Kind::$kind)
    };
}

macro_rules! tested {
    ($($name:ident: $does:literal / $promise:literal => $kind:ident $words:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let outcome = crate::suite::$name().await;
            assert_ended(&outcome, kind!($kind), $words);
            assert_healthy().await;
        }
    )*};
}

/// Attacks that a guest makes.
mod made_by_guests {
    use super::*;

    hostile_guests::guest_attacks!(tested);
}

/// Attacks that are files, servers and configurations.
mod made_by_tests {
    use super::*;

    hostile_guests::made_attacks!(tested);
}
