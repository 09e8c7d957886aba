//! Generated from `wit/v0.1`; nothing is written by hand here.

#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1",
    world: "connector",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "sluice:source/net.connection": crate::imports::net::OpenConnection },
});
