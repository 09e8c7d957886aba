//! Generated from `wit/v0.1`; nothing is written by hand here.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::indexing_slicing, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit/v0.1",
    world: "connector",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "sluice_sdk::__private::bindings",
});
