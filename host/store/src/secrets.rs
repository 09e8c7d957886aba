//! Secrets at rest: sealed with a key of the tenant (AES-256-GCM), which is wrapped by a master key that no database holds.
//!
//! What is sealed is bound to its tenant, connection and field: a row that somebody copies to another place does not open there.
//! Several master keys may be known, one of which wraps what is new, so a master key is replaced without a pause: add the new one
//! to every host, make it the one that wraps ([`MasterKeys::new`]), call [`crate::Store::rewrap`], take the old one away.
//!
//! This file does no SQL. To change how secrets are sealed: a new first byte beside [`FORMAT`], which both sides are read by.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use zeroize::{Zeroize, Zeroizing};

/// The first byte of everything that is sealed.
const FORMAT: u8 = 1;

/// Bytes of a key.
const KEY: usize = 32;

/// Where random bytes come from: the operating system, handed in by the binary.
pub trait Dice: Send + Sync {
    /// Fills the buffer with bytes that nobody can foresee.
    ///
    /// # Errors
    /// If there are none.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RunError>;
}

impl<F: Fn(&mut [u8]) -> Result<(), RunError> + Send + Sync> Dice for F {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RunError> {
        self(buffer)
    }
}

/// A secret in the clear. Debugging does not show it, and its memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    /// Takes a secret over.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The secret.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text, which it nearly always is.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}

/// A key that wraps the keys of tenants.
#[derive(Clone)]
pub struct MasterKey {
    /// Names it in the database, so that it is found again among several.
    pub id: String,
    /// The key.
    pub key: Zeroizing<[u8; KEY]>,
}

impl MasterKey {
    /// A key and its name.
    pub fn new(id: impl Into<String>, key: [u8; KEY]) -> Self {
        Self { id: id.into(), key: Zeroizing::new(key) }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.id)
    }
}

/// The master keys that a host knows.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    writes: MasterKey,
    reads: Vec<MasterKey>,
}

impl MasterKeys {
    /// `writes` wraps what is new; what any of them has wrapped can be read.
    pub fn new(writes: MasterKey, reads: Vec<MasterKey>) -> Self {
        Self { writes, reads }
    }

    /// The name of the key that wraps what is new.
    pub fn current(&self) -> &str {
        &self.writes.id
    }

    /// Whether a key of this name is among them.
    pub fn knows(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    fn find(&self, id: &str) -> Option<&MasterKey> {
        std::iter::once(&self.writes).chain(&self.reads).find(|key| key.id == id)
    }

    /// A new key for a tenant.
    pub(crate) fn make_key(&self, dice: &dyn Dice, tenant: &str, number: i64) -> Result<(DataKey, Vec<u8>), RunError> {
        let mut key = DataKey { number, key: Zeroizing::new([0; KEY]) };
        dice.fill(key.key.as_mut_slice())?;
        let wrapped = self.wrap(dice, tenant, &key)?;
        Ok((key, wrapped))
    }

    /// A tenant's key, wrapped by the master key that writes.
    pub(crate) fn wrap(&self, dice: &dyn Dice, tenant: &str, key: &DataKey) -> Result<Vec<u8>, RunError> {
        seal_bytes(dice, &self.writes.key, &wrapping(tenant, key.number, &self.writes.id), key.key.as_slice())
    }

    /// A tenant's key out of its wrapping.
    pub(crate) fn unwrap_key(
        &self,
        tenant: &str,
        number: i64,
        master: &str,
        wrapped: &[u8],
    ) -> Result<DataKey, RunError> {
        let Some(key) = self.find(master) else {
            let message = format!(
                "the secrets of tenant {tenant} are sealed under the master key {master}, which this host was not given; add it to \
                 the keys that can be read"
            );
            return Err(RunError::new(Kind::Auth, Actor::Host, message));
        };
        let opened = open_bytes(&key.key, &wrapping(tenant, number, master), wrapped);
        let plain = opened.ok_or_else(|| {
            let message = format!(
                "the key of tenant {tenant} does not open with the master key {master}: another key has this name, or the row was \
                 changed; give the host the key that it was wrapped with, or restore the database"
            );
            RunError::new(Kind::Auth, Actor::Host, message)
        })?;
        let mut bytes: [u8; KEY] = plain
            .as_slice()
            .try_into()
            .map_err(|_| RunError::internal("a tenant's key has another length than a key"))?;
        let key = DataKey { number, key: Zeroizing::new(bytes) };
        bytes.zeroize();
        Ok(key)
    }
}

/// A key of a tenant.
pub(crate) struct DataKey {
    pub(crate) number: i64,
    key: Zeroizing<[u8; KEY]>,
}

/// Where a secret belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) field: &'a str,
}

impl DataKey {
    /// A secret, sealed for one place.
    pub(crate) fn seal(&self, dice: &dyn Dice, spot: Spot<'_>, plain: &Plain) -> Result<Vec<u8>, RunError> {
        let mut sealed = self.number.to_be_bytes().to_vec();
        sealed.extend(seal_bytes(dice, &self.key, &place(spot, self.number), plain.expose())?);
        Ok(sealed)
    }

    /// A secret that was sealed for this place.
    pub(crate) fn open(&self, spot: Spot<'_>, sealed: &[u8]) -> Result<Plain, RunError> {
        let body = sealed.get(8..).unwrap_or_default();
        let opened = open_bytes(&self.key, &place(spot, self.number), body);
        opened.map(Plain).ok_or_else(|| {
            let message = format!(
                "the secret of field {} does not open: its row was changed or copied from elsewhere; set the secret again",
                spot.field
            );
            RunError::new(Kind::Auth, Actor::Host, message).with_field(spot.field)
        })
    }
}

/// The number of the key that something was sealed with.
pub(crate) fn key_number(sealed: &[u8]) -> Option<i64> {
    sealed.first_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes))
}

/// `FORMAT`, nonce, and what AES-256-GCM makes of the text.
fn seal_bytes(dice: &dyn Dice, key: &[u8; KEY], bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, RunError> {
    let failed = |_| RunError::internal("a secret could not be sealed");
    let mut nonce = [0; NONCE_LEN];
    dice.fill(&mut nonce)?;
    let mut sealed = Zeroizing::new(plain.to_vec());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(failed)?);
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), sealed.as_mut_slice())
        .map_err(failed)?;
    let mut all = vec![FORMAT];
    all.extend_from_slice(&nonce);
    all.extend_from_slice(&sealed);
    all.extend_from_slice(tag.as_ref());
    Ok(all)
}

fn open_bytes(key: &[u8; KEY], bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (format, rest) = sealed.split_first()?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
    if *format != FORMAT {
        return None;
    }
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut plain = Zeroizing::new(body.to_vec());
    let length = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

fn wrapping(tenant: &str, number: i64, master: &str) -> Vec<u8> {
    bound(&[b"data key", tenant.as_bytes(), &number.to_be_bytes(), master.as_bytes()])
}

fn place(spot: Spot<'_>, number: i64) -> Vec<u8> {
    let Spot { tenant, connection, field } = spot;
    bound(&[b"secret", tenant.as_bytes(), connection.as_bytes(), field.as_bytes(), &number.to_be_bytes()])
}

/// Parts with their lengths, so that no two lists of parts are the same bytes.
fn bound(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    const SPOT: Spot<'static> = Spot { tenant: "a", connection: "c", field: "/password" };

    /// Never twice the same.
    fn dice() -> impl Dice {
        let next = AtomicU8::new(1);
        move |buffer: &mut [u8]| {
            buffer.fill(next.fetch_add(1, Ordering::Relaxed));
            Ok(())
        }
    }

    fn master(id: &str, byte: u8) -> MasterKey {
        MasterKey::new(id, [byte; 32])
    }

    #[test]
    fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
        let keys = MasterKeys::new(master("m1", 1), vec![]);
        let (key, _) = keys.make_key(&dice(), "a", 1).unwrap();
        let sealed = key.seal(&dice(), SPOT, &Plain::new("hunter2")).unwrap();
        assert_eq!(key_number(&sealed), Some(1));
        assert_eq!(key.open(SPOT, &sealed).unwrap().expose_text(), Some("hunter2"));
        let elsewhere = [
            Spot { tenant: "b", ..SPOT },
            Spot { connection: "d", ..SPOT },
            Spot { field: "/user", ..SPOT },
            Spot { connection: "", field: "c/password", ..SPOT },
        ];
        for spot in elsewhere {
            let error = key.open(spot, &sealed).unwrap_err();
            assert!(error.message.contains("does not open"), "{error}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            // The number only says which key to take; whoever changes it takes another.
            assert_eq!(key.open(SPOT, &changed).is_err(), at >= 8, "byte {at}");
        }
        assert!(key.open(SPOT, &sealed[..12]).is_err() && key.open(SPOT, &[]).is_err());
    }

    #[test]
    fn the_same_secret_is_never_sealed_to_the_same_bytes() {
        let keys = MasterKeys::new(master("m1", 1), vec![]);
        let dice = dice();
        let (key, _) = keys.make_key(&dice, "a", 1).unwrap();
        let plain = Plain::new("hunter2");
        assert_ne!(key.seal(&dice, SPOT, &plain).unwrap(), key.seal(&dice, SPOT, &plain).unwrap());
    }

    #[test]
    fn a_key_is_read_under_an_old_master_key_and_an_unknown_one_is_named() {
        let old = MasterKeys::new(master("m1", 1), vec![]);
        let (key, wrapped) = old.make_key(&dice(), "a", 1).unwrap();
        let sealed = key.seal(&dice(), SPOT, &Plain::new("s")).unwrap();
        let both = MasterKeys::new(master("m2", 2), vec![master("m1", 1)]);
        let read = both.unwrap_key("a", 1, "m1", &wrapped).unwrap();
        assert_eq!(read.open(SPOT, &sealed).unwrap().expose(), b"s");
        let again = both.wrap(&dice(), "a", &read).unwrap();
        let new = MasterKeys::new(master("m2", 2), vec![]);
        assert!(new.unwrap_key("a", 1, "m2", &again).is_ok());
        let error = new.unwrap_key("a", 1, "m1", &wrapped).err().unwrap();
        assert!(error.message.contains("master key m1"), "{error}");
        assert!(new.unwrap_key("b", 1, "m2", &again).is_err(), "another tenant's");
        assert!(MasterKeys::new(master("m2", 3), vec![]).unwrap_key("a", 1, "m2", &again).is_err());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let keys = MasterKeys::new(master("m1", 7), vec![]);
        let shown = format!("{keys:?} {:?}", Plain::new("hunter2"));
        assert!(!shown.contains("hunter2") && !shown.contains('7'), "{shown}");
    }
}
