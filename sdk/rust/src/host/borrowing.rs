//! Generated from `wit/v0.1` as well, but with parameters that borrow through and through: `push-parts` takes `&[&[u8]]`
//! here, where [`super::bindings`] wants each piece as a vector of its own. Nothing is written by hand here.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::indexing_slicing, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit/v0.1",
    inline: "
        package sluice:sdk;

        world borrowing {
            import sluice:source/output@0.1.0;
        }
    ",
    world: "borrowing",
    ownership: Borrowing { duplicate_if_necessary: false },
    with: {
        "sluice:source/types@0.1.0": super::bindings::sluice::source::types,
        "sluice:source/output@0.1.0": generate,
    },
});
