//! The contract and the parts of WASI that the SDKs call, as this program was built with them.

use std::path::Path;

use sluice_core::RunError;

use super::super::write;

macro_rules! wit {
    ($($to:literal = $from:literal),* $(,)?) => {
        &[$(($to, include_str!(concat!("../../../../../../", $from)))),*]
    };
}

/// Where each file goes in a folder of WIT, and its text.
const FILES: &[(&str, &str)] = wit![
    "world.wit" = "sdk/wit/world.wit",
    "deps/clocks/clocks.wit" = "sdk/wit/deps/clocks/clocks.wit",
    "deps/http/http.wit" = "sdk/wit/deps/http/http.wit",
    "deps/io/io.wit" = "sdk/wit/deps/io/io.wit",
    "deps/source/items.wit" = "wit/v0.1/items.wit",
    "deps/source/log.wit" = "wit/v0.1/log.wit",
    "deps/source/net.wit" = "wit/v0.1/net.wit",
    "deps/source/output.wit" = "wit/v0.1/output.wit",
    "deps/source/source.wit" = "wit/v0.1/source.wit",
    "deps/source/types.wit" = "wit/v0.1/types.wit",
    "deps/source/world.wit" = "wit/v0.1/world.wit",
];

/// The world that components are made for.
pub(super) const WORLD: &str = "guest";

/// Writes all of it into a folder.
pub(super) fn unpack(folder: &Path) -> Result<(), RunError> {
    FILES.iter().try_for_each(|(path, text)| write(&folder.join(path), text.as_bytes()))
}
