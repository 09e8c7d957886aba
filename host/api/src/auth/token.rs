//! Secrets that a client carries: sessions, API tokens, invitations. 32 random bytes; only their SHA-256 is kept. They are no
//! passwords: nobody chose them, so there is nothing to guess and a fast hash is enough.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Where random bytes come from. The binary passes the operating system's.
pub trait Random: Send + Sync {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
}

impl<F: Fn(&mut [u8]) + Send + Sync> Random for F {
    fn fill(&self, bytes: &mut [u8]) {
        self(bytes);
    }
}

/// What a secret is for; it stands in front of it, so that a scanner for leaked secrets and a person recognise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A person who signed in.
    Session,
    /// A program.
    Api,
    /// A person who is asked to join.
    Invitation,
}

impl Purpose {
    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "slus_",
            Self::Api => "slua_",
            Self::Invitation => "slui_",
        }
    }
}

/// A secret that was just made. Shown once, never stored.
pub struct Secret {
    text: String,
}

impl Secret {
    /// A new one.
    pub fn new(purpose: Purpose, random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self { text: format!("{}{}", purpose.prefix(), URL_SAFE_NO_PAD.encode(bytes)) }
    }

    /// What the client gets.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is kept.
    pub fn hash(&self) -> [u8; 32] {
        digest(&self.text)
    }
}

/// What is kept of a secret that a client sent; none if it cannot be one.
pub fn hash_of(purpose: Purpose, text: &str) -> Option<[u8; 32]> {
    let random = text.strip_prefix(purpose.prefix())?;
    // 32 bytes in base64 without padding.
    (random.len() == 43).then(|| digest(text))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_again_by_its_hash_and_only_for_its_purpose() {
        let secret = Secret::new(Purpose::Session, &|bytes: &mut [u8]| bytes.fill(9));
        assert_eq!(hash_of(Purpose::Session, secret.expose()), Some(secret.hash()));
        assert_eq!(hash_of(Purpose::Api, secret.expose()), None);
        assert_eq!(hash_of(Purpose::Session, "slus_short"), None);
        assert_ne!(secret.hash().as_slice(), secret.expose().as_bytes());
    }
}
