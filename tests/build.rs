//! Wraps an honest core module in the contract's world: the outside of the components that tests craft (`src/crafted.rs`). The tool that
//! does it is built for the bindings of guests anyway; as a dependency of the tests it would build half of the tree anew.
#![allow(clippy::expect_used, reason = "a build script that fails is a failed build")]
#![allow(clippy::disallowed_methods, reason = "cargo tells a build script what it must know in the environment")]

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "src/crafted/bare.rs"]
mod bare;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/crafted/bare.rs");
    println!("cargo::rerun-if-changed=../wit/v0.1");
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir("../wit/v0.1").expect("the contract");
    let world = resolve.select_world(&[package], Some("connector")).expect("its world");
    let mut module = bare::Core::default().module();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let shell = ComponentEncoder::default().module(&module).expect("a module").encode().expect("a component");
    let folder = std::env::var_os("OUT_DIR").expect("OUT_DIR");
    std::fs::write(Path::new(&folder).join("shell.wasm"), shell).expect("writing the component");
}
