//! Percent-encoding, both ways.

/// A key as a path: everything but unreserved characters and slashes is encoded.
pub fn path(key: &str) -> String {
    encode(key, true)
}

/// A text as one segment of a path, or as a value of a query.
pub fn segment(text: &str) -> String {
    encode(text, false)
}

/// A query of names, which need no encoding, and values.
pub fn query(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", segment(value))).collect::<Vec<_>>().join("&")
}

fn encode(text: &str, slashes: bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (slashes && byte == b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                encoded.push(char::from(HEX.get(usize::from(half)).copied().unwrap_or(b'0')));
            }
        }
    }
    encoded
}

/// What was encoded; none if the result is not text. A `+` is a space where `plus` says so.
pub fn decode(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(high)? << 4 | digit(low)?);
                rest = after;
            }
            (b'+', _) if plus => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_can_be_decoded() {
        let key = "a b/ü+%2F?&=#.csv";
        assert_eq!(path(key), "a%20b/%C3%BC%2B%252F%3F%26%3D%23.csv");
        assert_eq!(segment("a/b"), "a%2Fb");
        assert_eq!(decode(&path(key), true).unwrap(), key);
        assert_eq!(decode("a+b", true).unwrap(), "a b");
        assert_eq!(decode("%", false).unwrap(), "%");
        assert_eq!(decode("%zz", false), None);
        assert_eq!(query(&[("prefix", "a/"), ("n", "1")]), "prefix=a%2F&n=1");
    }
}
