//! Encrypting a password for the server's RSA key: RSAES-OAEP with SHA-1 (RFC 8017), as MySQL wants it where there is no TLS.
//!
//! Only the public operation is here, and only on a password that is sent once, so big-integer arithmetic that Arrow brings
//! anyway does; a whole RSA library would bring signing, key generation and a random generator of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use sluice_sdk::{Error, Result};

/// Length of a SHA-1 digest.
const HASH: usize = 20;

/// Bits that a key may have: fewer protect nothing, more take long.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 128..=2048;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
    /// Length of the modulus in bytes.
    length: usize,
}

impl PublicKey {
    /// Reads a key in PEM form (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// `protocol` if it is none.
    pub(crate) fn from_pem(pem: &str) -> Result<Self> {
        Self::parse(pem).ok_or_else(|| Error::protocol("the key is no RSA public key in PEM form"))
    }

    fn parse(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN PUBLIC KEY-----")?;
        let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
        let text: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(text).ok()?;
        // SubjectPublicKeyInfo: algorithm, and a bit string that holds modulus and exponent.
        let mut outer = Der(&der);
        let mut info = Der(outer.value(SEQUENCE)?);
        info.value(SEQUENCE)?;
        let bits = info.value(BIT_STRING)?.strip_prefix(&[0])?;
        let mut key = Der(Der(bits).value(SEQUENCE)?);
        let modulus = BigUint::from_bytes_be(key.value(INTEGER)?);
        let exponent = BigUint::from_bytes_be(key.value(INTEGER)?);
        let length = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
        let usable = KEY_BYTES.contains(&length) && exponent.bits() > 1 && exponent.bits() <= 64 && modulus.bit(0);
        usable.then_some(Self { modulus, exponent, length })
    }

    /// Encrypts a message; `seed` must be random.
    ///
    /// # Errors
    /// If the message is too long for the key.
    pub(crate) fn encrypt(&self, message: &[u8], seed: [u8; HASH]) -> Result<Vec<u8>> {
        let too_long =
            || Error::config("the password is too long for the server's RSA key. Turn TLS on").field("/password");
        let padding = self.length.checked_sub(message.len() + 2 * HASH + 2).ok_or_else(too_long)?;
        let mut block = Sha1::digest([]).to_vec();
        block.resize(HASH + padding, 0);
        block.push(1);
        block.extend_from_slice(message);
        mask(&mut block, &seed);
        let mut masked_seed = seed;
        mask(&mut masked_seed, &block);
        let encoded = [&[0][..], &masked_seed, &block].concat();
        let encrypted = BigUint::from_bytes_be(&encoded).modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut out = vec![0; self.length - encrypted.len()];
        out.extend_from_slice(&encrypted);
        Ok(out)
    }
}

/// Mixes in what MGF1 makes of a seed.
fn mask(block: &mut [u8], seed: &[u8]) {
    for (counter, part) in (0_u32..).zip(block.chunks_mut(HASH)) {
        let digest = Sha1::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        for (byte, mask) in part.iter_mut().zip(digest) {
            *byte ^= mask;
        }
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// What is left of a DER encoding.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, which must have this tag.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let digits = usize::from(first & 0x7f);
            if !(1..=4).contains(&digits) {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(digits)?;
            length = bytes.iter().fold(0, |acc, byte| acc << 8 | usize::from(*byte));
            rest = after;
        }
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl genrsa 2048`, as a server makes its own.
    const PEM: &str = include_str!("testdata/public_key.pem");
    const PRIVATE: &str = include_str!("testdata/private_exponent.txt");

    fn decrypt(key: &PublicKey, encrypted: &[u8]) -> Vec<u8> {
        let exponent = BigUint::parse_bytes(PRIVATE.trim().as_bytes(), 16).unwrap();
        let mut encoded = BigUint::from_bytes_be(encrypted).modpow(&exponent, &key.modulus).to_bytes_be();
        encoded.splice(0..0, vec![0; key.length - encoded.len()]);
        let (seed, block) = encoded[1..].split_at(HASH);
        let (mut seed, mut block) = (seed.to_vec(), block.to_vec());
        mask(&mut seed, &block);
        mask(&mut block, &seed);
        assert_eq!(block[..HASH], Sha1::digest([])[..]);
        let end = block[HASH..].iter().position(|byte| *byte == 1).unwrap();
        block[HASH + end + 1..].to_vec()
    }

    #[test]
    fn what_is_encrypted_is_what_the_private_key_decrypts() {
        let key = PublicKey::from_pem(PEM).unwrap();
        assert_eq!(key.length, 256);
        for message in [&b""[..], b"secret\0", &[7; 214]] {
            let encrypted = key.encrypt(message, [42; HASH]).unwrap();
            assert_eq!(encrypted.len(), 256);
            assert_eq!(decrypt(&key, &encrypted), message);
        }
        assert!(key.encrypt(&[7; 215], [0; HASH]).unwrap_err().message.contains("too long"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for pem in [
            "",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
        ] {
            assert!(PublicKey::from_pem(pem).is_err(), "{pem}");
        }
        let mut cut = PEM.to_owned();
        cut.replace_range(60..64, "");
        assert!(PublicKey::from_pem(&cut).is_err());
    }
}
