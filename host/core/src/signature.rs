//! Signatures of connectors: a publisher's Ed25519 key over what a component is and what it says of itself.
//!
//! A signature is detached: a small JSON file beside the component. It speaks of the component's digest and of its manifest's, so that
//! whoever has only one of them can tell whether it is the one that was signed. Which key is a publisher's is not decided here.
//!
//! Keys are files in PEM, as other tools write and read them: PKCS#8 for the secret one, SubjectPublicKeyInfo for the public one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Actor, Kind, RunError};
use crate::hex;

/// Largest signature file that is read, bytes.
pub const MAX_BYTES: usize = 16 << 10;

/// First line of what is signed: another kind of statement cannot be taken for this one.
const HEADER: &str = "sluice connector signature v1";

/// What precedes the 32 bytes of a public Ed25519 key in its DER form (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What precedes the 32 bytes of a secret one (RFC 8410, PKCS#8 version 1: OpenSSL reads no other).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What a signature speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The connector's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, hexadecimal.
    pub digest: String,
    /// SHA-256 of the manifest's bytes, hexadecimal.
    pub manifest: String,
}

impl Statement {
    /// The statement of a component.
    pub fn new(name: &str, version: &str, component: &[u8], manifest: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            digest: hex(&Sha256::digest(component)),
            manifest: hex(&Sha256::digest(manifest)),
        }
    }

    /// The bytes that are signed. A line each; names and versions of manifests hold no line breaks.
    fn bytes(&self) -> Vec<u8> {
        let Self { name, version, digest, manifest } = self;
        format!("{HEADER}\nname {name:?}\nversion {version:?}\ndigest sha256:{digest}\nmanifest sha256:{manifest}\n")
            .into_bytes()
    }
}

/// A detached signature, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// What is signed.
    pub statement: Statement,
    /// `ed25519`.
    pub algorithm: String,
    /// The public key, base64.
    pub key: String,
    /// The signature, base64.
    pub signature: String,
}

impl Signature {
    /// Reads a signature's file.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, RunError> {
        if bytes.len() > MAX_BYTES {
            return Err(wrong(format!("a signature has at most {MAX_BYTES} bytes, this file has {}", bytes.len())));
        }
        serde_json::from_slice(bytes).map_err(|error| wrong(format!("this is not a connector's signature: {error}")))
    }

    /// Whether this is a valid signature of this component, and whose. Compare the key with one that is trusted: anybody can sign.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn verify(&self, component: &Statement) -> Result<PublicKey, RunError> {
        if self.algorithm != "ed25519" {
            return Err(wrong(format!("the signature's algorithm is {:?}, and ed25519 is known", self.algorithm)));
        }
        if self.statement != *component {
            let signed = &self.statement;
            let what = if signed.digest == component.digest { "manifest" } else { "component" };
            let message = format!(
                "the signature is of another {what}: it speaks of {:?} {:?}, sha256:{:?}",
                signed.name, signed.version, signed.digest
            );
            return Err(wrong(message));
        }
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| wrong("the signature is not base64".into()));
        let key: [u8; 32] =
            decode(&self.key)?.try_into().map_err(|_| wrong("the signature's key is not one of Ed25519".into()))?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&component.bytes(), &decode(&self.signature)?)
            .map_err(|_| wrong("the signature is not valid: it was not made with its key, or was changed".into()))?;
        Ok(PublicKey(key))
    }
}

/// Whom a signature is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// If it holds no public Ed25519 key.
    pub fn from_pem(text: &str) -> Result<Self, RunError> {
        let der = unpem(text, "PUBLIC KEY")?;
        let key = der.strip_prefix(&SPKI).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| wrong("the public key is not one of Ed25519".into()))
    }

    /// As a PEM file.
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &[SPKI.as_slice(), &self.0].concat())
    }

    /// A short name that people can compare.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", hex(&Sha256::digest(self.0)))
    }
}

/// A publisher's secret key.
pub struct SecretKey(Ed25519KeyPair);

impl SecretKey {
    /// A new key, as a PEM file, and its public half. Randomness comes from the caller.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn generate(random: &dyn SecureRandom) -> Result<(String, PublicKey), RunError> {
        let mut seed = [0; 32];
        random.fill(&mut seed).map_err(|_| RunError::internal("there is no randomness for a key"))?;
        let text = pem("PRIVATE KEY", &[PKCS8.as_slice(), &seed].concat());
        let public = Self::from_pem(&text)?.public();
        Ok((text, public))
    }

    /// Reads a PEM file.
    ///
    /// # Errors
    /// If it holds no secret Ed25519 key.
    pub fn from_pem(text: &str) -> Result<Self, RunError> {
        let der = unpem(text, "PRIVATE KEY")?;
        // Other tools leave the public half out.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
        pair.map(Self)
            .map_err(|error| wrong(format!("the key file does not hold a secret Ed25519 key (PKCS#8): {error}")))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.iter_mut().zip(self.0.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        PublicKey(key)
    }

    /// Signs a statement.
    pub fn sign(&self, statement: Statement) -> Signature {
        let signature = STANDARD.encode(self.0.sign(&statement.bytes()));
        let key = STANDARD.encode(self.public().0);
        Signature { statement, algorithm: "ed25519".to_owned(), key, signature }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    lines.push_str(&format!("-----END {label}-----\n"));
    lines
}

fn unpem(text: &str, label: &str) -> Result<Vec<u8>, RunError> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let inner = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(inner, _)| inner);
    let inner: String = inner
        .ok_or_else(|| wrong(format!("the file holds no `{label}` in PEM; make keys with `sluice connector keygen`")))?
        .split_whitespace()
        .collect();
    STANDARD.decode(inner).map_err(|_| wrong(format!("the `{label}` in the file is not base64")))
}

fn wrong(message: String) -> RunError {
    RunError::new(Kind::Config, Actor::User, message)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    fn statement() -> Statement {
        Statement::new("shop", "1.0.0", b"component", b"manifest")
    }

    #[test]
    fn a_signature_holds_for_what_was_signed_and_names_its_key() {
        let (secret, public) = SecretKey::generate(&SystemRandom::new()).unwrap();
        let signature = SecretKey::from_pem(&secret).unwrap().sign(statement());
        let stored = Signature::parse(&serde_json::to_vec(&signature).unwrap()).unwrap();
        assert_eq!(stored.verify(&statement()).unwrap(), public);
        assert_eq!(PublicKey::from_pem(&public.to_pem()).unwrap(), public);
    }

    #[test]
    fn another_component_manifest_or_key_does_not_pass() {
        let (secret, _) = SecretKey::generate(&SystemRandom::new()).unwrap();
        let (_, other) = SecretKey::generate(&SystemRandom::new()).unwrap();
        let signature = SecretKey::from_pem(&secret).unwrap().sign(statement());
        let refused = |signature: &Signature, of: &Statement| signature.verify(of).unwrap_err().message;
        assert!(
            refused(&signature, &Statement::new("shop", "1.0.0", b"other", b"manifest")).contains("another component")
        );
        assert!(
            refused(&signature, &Statement::new("shop", "1.0.0", b"component", b"other")).contains("another manifest")
        );
        let forged = Signature { key: STANDARD.encode(other.0), ..signature.clone() };
        assert!(refused(&forged, &statement()).contains("not valid"));
        let changed = Statement { version: "2.0.0".into(), ..statement() };
        let relabelled = Signature { statement: changed.clone(), ..signature };
        assert!(refused(&relabelled, &changed).contains("not valid"));
    }

    #[test]
    fn keys_of_other_tools_are_read_and_files_that_are_none_are_named() {
        // Made by `openssl genpkey -algorithm ed25519` (RFC 8410, section 10.3).
        let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        assert_eq!(SecretKey::from_pem(key).unwrap().public().to_pem(), public);
        assert!(SecretKey::from_pem(public).err().unwrap().message.contains("no `PRIVATE KEY`"));
        assert!(Signature::parse(b"{}").unwrap_err().message.contains("not a connector's signature"));
    }
}
