//! Makes cargo see a new migration: the macro that embeds them only tracks the files it knows.

#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
