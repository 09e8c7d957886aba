//! Bytes in a file for people: as text where they are text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, written as a text, or as `{"base64": …}` where they are none.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Base64 { base64: String },
}

impl Bytes {
    /// The text that they are, if people can read it.
    fn text(&self) -> Option<&str> {
        let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\0');
        std::str::from_utf8(&self.0).ok().filter(|text| text.chars().all(readable))
    }

    /// The bytes round an offset, for people.
    pub(super) fn around(&self, offset: usize) -> String {
        const BEFORE: usize = 12;
        const AFTER: usize = 24;
        let from = offset.saturating_sub(BEFORE).min(self.0.len());
        let part = self.0.get(from..self.0.len().min(offset.saturating_add(AFTER))).unwrap_or_default();
        format!("\"{}\"", part.escape_ascii())
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes {}", self.0.len(), self.around(0))
    }
}

impl<T: Into<Vec<u8>>> From<T> for Bytes {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => serializer.serialize_str(text),
            None => Written::Base64 { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer) {
            Ok(Written::Text(text)) => Ok(Self(text.into_bytes())),
            Ok(Written::Base64 { base64 }) => {
                STANDARD.decode(base64).map(Self).map_err(|error| D::Error::custom(format!("no base64: {error}")))
            }
            Err(_) => Err(D::Error::custom("bytes are a text, or {\"base64\": …}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_the_rest_is_base64() {
        for (bytes, written) in [
            (b"a\n\"b\"\0".to_vec(), r#""a\n\"b\"\u0000""#),
            ("grüße".as_bytes().to_vec(), "\"grüße\""),
            (vec![0xff, 0xfe], r#"{"base64":"//4="}"#),
            (vec![0x1b, b'['], r#"{"base64":"G1s="}"#),
        ] {
            assert_eq!(serde_json::to_string(&Bytes(bytes.clone())).unwrap(), written);
            assert_eq!(serde_json::from_str::<Bytes>(written).unwrap().0, bytes);
        }
        for wrong in ["7", r#"{"base64":"???"}"#, r#"{"hex":"00"}"#] {
            assert!(serde_json::from_str::<Bytes>(wrong).is_err(), "{wrong}");
        }
    }
}
