//! What can be known of a component without compiling or running it: its manifest, its imports, the contract's version.

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::manifest::{Manifest, SECTION};
use wasmparser::{Encoding, Parser, Payload};

use super::cache::HEAD;
pub use super::limits::Counted;
use super::limits::{Shape, Unfit};
use crate::contract::{SPOKEN, Version};
use crate::imports::sockets;

/// What a component says of itself.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Its manifest.
    pub manifest: Manifest,
    /// The manifest's bytes, as they are in the component.
    pub manifest_bytes: Vec<u8>,
    /// The contract that it exports.
    pub version: Version,
    /// Names of the interfaces that it imports.
    pub imports: Vec<String>,
    /// What it consists of, and how much of each is compiled at most.
    pub parts: Vec<Counted>,
}

impl Inspected {
    /// Whether it imports sockets, which its language's standard library may do on its own: they are always refused.
    pub fn imports_sockets(&self) -> bool {
        self.imports.iter().any(|import| sockets::is_known(import))
    }
}

/// Takes a component apart. Nothing of it is executed.
///
/// # Errors
/// If it is not a component, consists of more than this host compiles, has no manifest or two, exports no contract or one that this
/// host does not speak, or imports what no connector may.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, RunError> {
    let mut found = Found::default();
    found.walk(bytes)?;
    if !found.is_component {
        let message = "the file is a core WebAssembly module, not a component; build it for wasm32-wasip2";
        return Err(wrong(Kind::Protocol, message.into()));
    }
    let version = contract_version(&found.exports)?;
    if let Some(import) = found.imports.iter().find(|import| !allowed(import)) {
        let import = crate::text::printable(import, 200).replace('\n', "\\n");
        let message =
            format!("the connector imports {import}, which no connector may; see wit/README.md for what is offered");
        return Err(wrong(Kind::Permission, message));
    }
    let (manifest, manifest_bytes) = match found.manifests.as_slice() {
        [one] => (Manifest::parse(one)?, one.clone()),
        [] => return Err(wrong(Kind::Protocol, format!("the component has no custom section {SECTION}"))),
        _ => return Err(wrong(Kind::Protocol, format!("the component has more than one custom section {SECTION}"))),
    };
    if Version::of_export(&manifest.contract) != Some(version) {
        let stated = crate::text::printable(&manifest.contract, 40).replace('\n', "\\n");
        let message =
            format!("the manifest states contract {stated:?}, but the component exports another version of it");
        return Err(wrong(Kind::Protocol, message).with_field(SECTION));
    }
    Ok(Inspected { manifest, manifest_bytes, version, imports: found.imports, parts: found.shape.counted() })
}

/// Counts what a component consists of and looks at every instruction, as it is done before one is compiled.
///
/// # Errors
/// If it is not valid, or consists of more than this host compiles.
pub fn examine(bytes: &[u8]) -> Result<(), RunError> {
    Found::default().walk(bytes)?;
    Ok(super::limits::instructions(bytes)?)
}

/// The contract's version, from the name of the export.
fn contract_version(exports: &[String]) -> Result<Version, RunError> {
    let versions: Vec<&str> = exports.iter().filter_map(|name| name.strip_prefix("sluice:source/source@")).collect();
    match versions.as_slice() {
        [one] => Version::of_export(one).ok_or_else(|| {
            let message = format!(
                "the connector is built for version {} of the contract, and this host speaks {SPOKEN}; \
                 use a host that speaks it, or a build of the connector for {SPOKEN}",
                crate::text::printable(one, 40)
            );
            wrong(Kind::Unsupported, message)
        }),
        [] => {
            Err(wrong(Kind::Protocol, "the component does not export sluice:source/source: it is no connector".into()))
        }
        _ => Err(wrong(Kind::Protocol, "the component exports more than one version of sluice:source/source".into())),
    }
}

/// Interfaces that a connector may import.
fn allowed(import: &str) -> bool {
    const PREFIXES: [&str; 10] = [
        "sluice:source/types@0.1.",
        "sluice:source/output@0.1.",
        "sluice:source/items@0.1.",
        "sluice:source/log@0.1.",
        "sluice:source/net@0.1.",
        "wasi:http/",
        "wasi:clocks/",
        "wasi:random/",
        "wasi:io/",
        "wasi:cli/",
    ];
    PREFIXES.iter().any(|prefix| import.starts_with(prefix))
        || import.starts_with("wasi:filesystem/")
        || sockets::is_known(import)
}

#[derive(Default)]
struct Found {
    is_component: bool,
    shape: Shape,
    exports: Vec<String>,
    imports: Vec<String>,
    manifests: Vec<Vec<u8>>,
}

impl Found {
    /// Reads names and sections of the outermost component, and custom sections of what is nested in it: linkers put a
    /// module's custom sections one level down.
    fn walk(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        if is_compiled(bytes) {
            return Err(Unfit::Compiled);
        }
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            self.shape.count(&payload, depth)?;
            match payload {
                Payload::Version { encoding, range, .. } => {
                    if range.start == 0 {
                        self.is_component = encoding == Encoding::Component;
                    } else {
                        depth += 1;
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        self.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        self.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::CustomSection(section) if section.name() == SECTION => {
                    self.manifests.push(section.data().to_vec());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What engines write: ELF, with or without the digest that the cache puts before it.
fn is_compiled(bytes: &[u8]) -> bool {
    const ELF: &[u8] = b"\x7fELF";
    bytes.starts_with(ELF) || bytes.get(HEAD..).is_some_and(|rest| rest.starts_with(ELF))
}

fn wrong(kind: Kind, message: String) -> RunError {
    RunError::new(kind, Actor::Source, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_a_component() {
        let error = inspect(b"hello, this is no wasm").unwrap_err();
        assert!(error.message.contains("not a valid WebAssembly component"), "{error}");
    }

    #[test]
    fn compiled_code_is_told_what_it_is() {
        let cached = [[7; HEAD].as_slice(), b"\x7fELF\x02\x01"].concat();
        for bytes in [b"\x7fELF\x02\x01".as_slice(), &cached] {
            let error = inspect(bytes).unwrap_err();
            assert!(error.message.contains("it holds compiled code, which is never taken"), "{error}");
        }
    }

    #[test]
    fn a_core_module_is_told_what_it_is() {
        let error = inspect(b"\0asm\x01\0\0\0").unwrap_err();
        assert!(error.message.contains("core WebAssembly module"), "{error}");
    }

    #[test]
    fn a_version_from_the_future_names_what_this_host_speaks() {
        let error = contract_version(&["sluice:source/source@7.2.0".into()]).unwrap_err();
        assert!(error.message.contains("7.2.0") && error.message.contains("speaks 0.1"), "{error}");
    }

    #[test]
    fn what_no_connector_may_import_is_known_by_its_name() {
        assert!(allowed("wasi:http/outgoing-handler@0.2.0"));
        assert!(allowed("wasi:sockets/tcp@0.2.0"), "it is linked to refusals");
        for import in ["sluice:source/secret@0.1.0", "wasi:sockets/types@0.3.0", "wasi:keyvalue/store@0.2.0"] {
            assert!(!allowed(import), "{import}");
        }
    }
}
