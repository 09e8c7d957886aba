//! How large a component may be in each direction, so that none takes for ever to compile; and whether it is valid at all.
//!
//! Compiling takes as long as the largest function and all of them together ask for. Toolchains stay far below these bounds; what
//! exceeds one is told which.

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use wasmparser::{BinaryReaderError, FunctionBody, Operator, Parser, Payload, Validator};

/// Most functions of all modules together. An interpreter of Python or JavaScript has a third of it.
const FUNCTIONS: usize = 80_000;

/// Largest function, bytes of its code.
const FUNCTION_BYTES: usize = 2 << 20;

/// Deepest nesting of blocks in a function. The main loops of interpreters have some hundreds.
const NESTING: usize = 4_000;

/// Most modules and components in one another.
const PARTS: usize = 200;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Modules and components, the outermost one included.
    pub parts: usize,
    /// Functions with code.
    pub functions: usize,
    /// The largest of them, bytes.
    pub largest: usize,
    /// The deepest nesting of blocks.
    pub deepest: usize,
}

/// Measures a component and validates it. Nothing of it is compiled.
///
/// # Errors
/// If it is no WebAssembly, was compiled already, is larger than it may be in some direction, or is not valid.
pub fn measure(bytes: &[u8]) -> Result<Sizes, RunError> {
    if is_compiled(bytes) {
        let message = "the file holds compiled code, which is never taken: nobody could tell what it does; send the .wasm file \
                       that it was compiled from";
        return Err(wrong(Kind::Permission, message.to_owned()));
    }
    let sizes = count(bytes)?;
    let valid = Validator::new().validate_all(bytes);
    valid.map_err(|e| wrong(Kind::Protocol, format!("the file is not a valid WebAssembly component: {e}")))?;
    Ok(sizes)
}

/// What engines write: ELF, with or without the digest that the cache puts before it.
fn is_compiled(bytes: &[u8]) -> bool {
    const ELF: &[u8] = b"\x7fELF";
    bytes.starts_with(ELF) || bytes.get(32..).is_some_and(|rest| rest.starts_with(ELF))
}

fn count(bytes: &[u8]) -> Result<Sizes, RunError> {
    let broken =
        |e: BinaryReaderError| wrong(Kind::Protocol, format!("the file is not a valid WebAssembly component: {e}"));
    let mut sizes = Sizes::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(broken)? {
            Payload::Version { .. } => {
                sizes.parts = sizes.parts.saturating_add(1);
                within("modules and components", sizes.parts, PARTS)?;
            }
            Payload::CodeSectionStart { count, .. } => {
                sizes.functions = sizes.functions.saturating_add(count as usize);
                within("functions", sizes.functions, FUNCTIONS)?;
            }
            Payload::CodeSectionEntry(body) => {
                let size = body.as_bytes().len();
                sizes.largest = sizes.largest.max(size);
                within("bytes in one function", size, FUNCTION_BYTES)?;
                let deepest = nesting(&body).map_err(broken)?;
                sizes.deepest = sizes.deepest.max(deepest);
                within("blocks inside one another", deepest, NESTING)?;
            }
            _ => {}
        }
    }
    Ok(sizes)
}

/// The deepest nesting of blocks. Stops counting where there are too many.
fn nesting(body: &FunctionBody<'_>) -> Result<usize, BinaryReaderError> {
    let (mut depth, mut deepest) = (0_usize, 0);
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
                if deepest > NESTING {
                    break;
                }
            }
            Operator::End => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(deepest)
}

fn within(what: &str, found: usize, most: usize) -> Result<(), RunError> {
    if found <= most {
        return Ok(());
    }
    let message = format!("the component has {found} {what} or more, and at most {most} are compiled");
    Err(wrong(Kind::Unsupported, message))
}

fn wrong(kind: Kind, message: String) -> RunError {
    RunError::new(kind, Actor::Source, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A core module with one type and these function bodies.
    fn module(bodies: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        section(&mut bytes, 1, &[1, 0x60, 0, 0]);
        let mut functions = leb(bodies.len());
        functions.extend(std::iter::repeat_n(0, bodies.len()));
        section(&mut bytes, 3, &functions);
        let mut code = leb(bodies.len());
        for body in bodies {
            code.extend(leb(body.len()));
            code.extend(body);
        }
        section(&mut bytes, 10, &code);
        bytes
    }

    fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
        bytes.push(id);
        bytes.extend(leb(content.len()));
        bytes.extend(content);
    }

    fn leb(mut number: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = (number & 0x7f) as u8;
            number >>= 7;
            bytes.push(if number == 0 { low } else { low | 0x80 });
            if number == 0 {
                return bytes;
            }
        }
    }

    /// Blocks in one another.
    fn nested(depth: usize) -> Vec<u8> {
        let mut body = vec![0];
        body.extend([0x02, 0x40].repeat(depth));
        body.extend(std::iter::repeat_n(0x0b, depth + 1));
        body
    }

    #[test]
    fn a_module_within_the_bounds_is_measured() {
        let sizes = measure(&module(&[nested(3), vec![0, 0x0b]])).unwrap();
        assert_eq!(sizes, Sizes { parts: 1, functions: 2, largest: 11, deepest: 3 });
    }

    #[test]
    fn each_bomb_is_told_what_it_is() {
        let told = |bytes: &[u8]| measure(bytes).unwrap_err().message;
        let empty = vec![0, 0x0b];
        assert!(told(&module(&vec![empty; FUNCTIONS + 1])).contains("80001 functions or more"));
        let mut large = vec![0];
        large.extend(std::iter::repeat_n(0x01, FUNCTION_BYTES));
        large.push(0x0b);
        assert!(told(&module(&[large])).contains("bytes in one function"));
        assert!(told(&module(&[nested(NESTING + 1)])).contains("4001 blocks inside one another"));
        let mut many = b"\0asm\x0d\0\x01\0".to_vec();
        for _ in 0..PARTS {
            section(&mut many, 4, b"\0asm\x0d\0\x01\0");
        }
        assert!(told(&many).contains("modules and components"));
    }

    #[test]
    fn compiled_code_and_what_is_not_valid_are_refused() {
        assert!(measure(b"\x7fELF\x02\x01").unwrap_err().message.contains("compiled code"));
        let cached = [[7; 32].as_slice(), b"\x7fELF\x02\x01"].concat();
        assert_eq!(measure(&cached).unwrap_err().kind, Kind::Permission);
        // A function that leaves a number where none belongs.
        let invalid = measure(&module(&[vec![0, 0x41, 0, 0x0b]])).unwrap_err();
        assert!(invalid.message.contains("not a valid WebAssembly component"), "{invalid}");
    }
}
