//! Components that no compiler would emit: made by hand, whole ones and the outside of ones.

mod bare;

use serde_json::{Value, json};
use sluice_core::manifest::SECTION;

pub use self::bare::{Core, SOURCE};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A component round an honest core module, made by the build script.
const SHELL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shell.wasm"));

/// A manifest with nothing wrong.
pub fn manifest() -> Value {
    json!({"contract": "0.1", "name": "crafted", "version": "1.0.0", "title": "Crafted",
           "config": {"type": "object", "properties": {}}})
}

/// A section of a module or component.
pub fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(body.len()), body].concat()
}

/// An unsigned number in LEB128.
pub fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

fn name(text: &str) -> Vec<u8> {
    [&leb(text.len()), text.as_bytes()].concat()
}

/// A custom section.
pub fn custom(title: &str, body: &[u8]) -> Vec<u8> {
    section(0, &[&name(title), body].concat())
}

/// The custom section of a manifest.
pub fn manifest_section(manifest: &[u8]) -> Vec<u8> {
    custom(SECTION, manifest)
}

/// An export of an empty instance.
pub fn export(title: &str) -> Vec<u8> {
    [section(5, &[1, 1, 0]), section(11, &[&[1, 0][..], &name(title), &[5, 0, 0]].concat())].concat()
}

/// An import of an empty instance.
pub fn import(title: &str) -> Vec<u8> {
    [section(7, &[1, 0x42, 0]), section(10, &[&[1, 0][..], &name(title), &[5, 0]].concat())].concat()
}

/// A component of these sections, without anything else.
pub fn outside(sections: &[Vec<u8>]) -> Vec<u8> {
    [COMPONENT.to_vec(), sections.concat()].concat()
}

/// A component that seems to be a connector, with sections before the rest.
pub fn with_sections(sections: &[Vec<u8>]) -> Vec<u8> {
    let manifest = manifest_section(manifest().to_string().as_bytes());
    outside(&[sections.concat(), manifest, export(SOURCE)])
}

/// A core module of these sections, as a section of a component.
pub fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    section(1, &[MODULE.to_vec(), sections.concat()].concat())
}

/// So many functions without parameters, each with this body (its locals and instructions, without the end).
pub fn functions(count: usize, body: &[u8]) -> Vec<u8> {
    let body = [body, &[0x0b]].concat();
    let body = [leb(body.len()), body].concat();
    let types = section(1, &[1, 0x60, 0, 0]);
    let declared = section(3, &[leb(count), vec![0; count]].concat());
    module(&[types, declared, section(10, &[leb(count), body.repeat(count)].concat())])
}

/// A component whose core module and manifest are these.
///
/// # Panics
/// If the component of the build script is none.
pub fn component(core: &Core, manifest: &Value) -> Vec<u8> {
    const CORE: u8 = 1;
    let (mut bytes, mut rest, mut replaced) = (COMPONENT.to_vec(), &SHELL[COMPONENT.len()..], 0);
    while let [id, after @ ..] = rest {
        let (length, body) = unleb(after);
        let (body, next) = body.split_at(length);
        if *id == CORE {
            bytes.extend(section(CORE, &core.module()));
            replaced += 1;
        } else {
            bytes.extend(section(*id, body));
        }
        rest = next;
    }
    assert_eq!(replaced, 1, "the component of the build script has one core module");
    bytes.extend(manifest_section(manifest.to_string().as_bytes()));
    bytes
}

/// A number in LEB128, and what follows it.
fn unleb(bytes: &[u8]) -> (usize, &[u8]) {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return (value, &bytes[index + 1..]);
        }
    }
    panic!("a number without an end")
}
