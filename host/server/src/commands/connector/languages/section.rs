//! The custom section that a component's manifest is in.

use sluice_core::manifest::SECTION;

/// The component with one custom section more, at its end.
pub(super) fn with_manifest(mut component: Vec<u8>, manifest: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    leb128(SECTION.len(), &mut content);
    content.extend_from_slice(SECTION.as_bytes());
    content.extend_from_slice(manifest);
    component.push(0);
    leb128(content.len(), &mut component);
    component.extend_from_slice(&content);
    component
}

/// Seven bits a byte, the least significant first.
fn leb128(mut number: usize, into: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            return into.push(low);
        }
        into.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

    use super::*;

    #[test]
    fn a_section_is_appended_with_its_length_and_name() {
        let written = with_manifest(b"\0asm".to_vec(), &[b'x'; 200]);
        assert_eq!(&written[..7], b"\0asm\0\xd8\x01", "216 bytes: a byte, the name's 15, the manifest's 200");
        assert_eq!(written[7], 15);
        assert_eq!(&written[8..23], SECTION.as_bytes());
        assert_eq!(written.len(), 23 + 200);
    }
}
