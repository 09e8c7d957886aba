//! Paths and queries in the one spelling that is signed, and hexadecimal digits.
//!
//! What is signed is also what is sent: a guest may spell `+`, a space or a tilde as it likes, and the server, whether it
//! signs the spelling it received or one of its own, arrives at the same.

use std::fmt::Write;

/// Every byte that is not unreserved (RFC 3986) as `%XX`; slashes stay where `slashes` says so.
pub(super) fn encode(bytes: &[u8], slashes: bool) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (slashes && byte == b'/') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The bytes that `%XX` stand for; a percent sign before anything else stands for itself.
pub(super) fn decode(text: &str, plus_is_space: bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
    }
    decoded
}

fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte.wrapping_sub(b'A') + 10,
    }
}

/// A parameter of a query, decoded. `?acl` has no value, `?prefix=` an empty one.
pub(super) type Parameter = (Vec<u8>, Option<Vec<u8>>);

/// The parameters of a query in their order.
pub(super) fn parameters(query: &str) -> Vec<Parameter> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (decode(name, true), Some(decode(value, true))),
            None => (decode(pair, true), None),
        })
        .collect()
}

/// A query from parameters, in the spelling that is signed.
pub(super) fn query(parameters: &[Parameter]) -> String {
    let encoded = parameters.iter().map(|(name, value)| match value {
        Some(value) => format!("{}={}", encode(name, false), encode(value, false)),
        None => encode(name, false),
    });
    encoded.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same_bytes() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all, false), true), all);
        assert_eq!(encode("a b/ü+%~".as_bytes(), true), "a%20b/%C3%BC%2B%25~");
        assert_eq!(encode(b"a/b", false), "a%2Fb");
    }

    #[test]
    fn every_spelling_is_understood() {
        assert_eq!(decode("a%2fb%2Fc+%zz%4", false), b"a/b/c+%zz%4");
        assert_eq!(decode("a+b%2B", true), b"a b+");
        assert_eq!(query(&parameters("b=%7E1&a=x+y&&acl&c=&d=e=f")), "b=~1&a=x%20y&acl&c=&d=e%3Df");
    }
}
