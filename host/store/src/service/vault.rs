//! The secrets of connections: sealed on the way in, opened for who carries out a run, never listed.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use sluice_core::RunError;

use crate::db::{Row, Tx, sql};
use crate::secrets::{DataKey, Dice, MasterKeys, Plain, Spot, key_number};
use crate::{Scope, Store};

/// What seals and opens secrets. Made by the binary from a file or the environment. All clones have the same keys, also once they are
/// replaced.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<RwLock<Arc<MasterKeys>>>,
    dice: Arc<dyn Dice>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({:?})", self.keys())
    }
}

impl Vault {
    /// With these master keys and this source of random bytes.
    pub fn new(keys: MasterKeys, dice: Arc<dyn Dice>) -> Self {
        Self { keys: Arc::new(RwLock::new(Arc::new(keys))), dice }
    }

    /// Goes on with other master keys. What has begun ends with those that it began with.
    pub fn replace_keys(&self, keys: MasterKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The master keys as they are now.
    pub(super) fn keys(&self) -> Arc<MasterKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What random bytes come from.
    pub(super) fn dice(&self) -> &dyn Dice {
        self.dice.as_ref()
    }

    /// A new secret: 32 random bytes in hexadecimal digits.
    pub(super) fn make_secret(&self) -> Result<Plain, RunError> {
        let mut bytes = [0; 32];
        self.dice.fill(&mut bytes)?;
        Ok(Plain::new(sluice_core::hex(&bytes)))
    }
}

/// A secret of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenSecret {
    /// In the clear.
    Plain(Plain),
    /// Kept elsewhere, under this name.
    Reference(String),
}

/// What the store is asked for, in errors.
const READING: &str = "reading secrets";

impl Store {
    /// The secrets of a connection by their fields, in the clear. Whoever asks writes that down ([`Store::audit`]).
    ///
    /// # Errors
    /// If a secret does not open (its key is missing, its row was changed), or the store cannot be read.
    pub async fn open_secrets(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        connection: &str,
    ) -> Result<BTreeMap<String, OpenSecret>, RunError> {
        let rows =
            sql("SELECT field, sealed, reference FROM connection_secrets WHERE tenant = $1 AND connection_id = $2");
        let rows = rows.bind(scope.tenant).bind(connection).all_on(&self.db, READING).await?;
        self.opened(scope, vault, connection, &rows).await
    }

    /// The secrets of a draft by their fields, as [`Store::open_secrets`]. Whose it is was looked at before.
    ///
    /// # Errors
    /// As [`Store::open_secrets`].
    pub async fn open_draft_secrets(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        draft: &str,
    ) -> Result<BTreeMap<String, OpenSecret>, RunError> {
        let rows = sql("SELECT field, sealed, reference FROM draft_secrets WHERE tenant = $1 AND draft_id = $2");
        let rows = rows.bind(scope.tenant).bind(draft).all_on(&self.db, READING).await?;
        self.opened(scope, vault, draft, &rows).await
    }

    /// What these rows seal, for a connection or for what will be one.
    async fn opened(
        &self,
        scope: Scope<'_>,
        vault: &Vault,
        connection: &str,
        rows: &[Row],
    ) -> Result<BTreeMap<String, OpenSecret>, RunError> {
        let mut secrets = BTreeMap::new();
        if rows.is_empty() {
            return Ok(secrets);
        }
        let keys = sql("SELECT number, master_id, wrapped FROM data_keys WHERE tenant = $1").bind(scope.tenant);
        let mut opened: BTreeMap<i64, DataKey> = BTreeMap::new();
        for row in keys.all_on(&self.db, READING).await? {
            opened.insert(row.number("number")?, unwrap(vault, scope, &row)?);
        }
        for row in rows {
            let field = row.text("field")?;
            let secret = match row.get::<Option<String>>("reference")? {
                Some(reference) => OpenSecret::Reference(reference),
                None => {
                    let sealed: Vec<u8> = row.get("sealed")?;
                    let key = key_number(&sealed).and_then(|number| opened.get(&number));
                    let key = key.ok_or_else(|| row.unreadable("sealed", &"the key of it is not there"))?;
                    OpenSecret::Plain(key.open(Spot { tenant: scope.tenant, connection, field: &field }, &sealed)?)
                }
            };
            secrets.insert(field, secret);
        }
        Ok(secrets)
    }
}

/// Opens what [`seal`] has sealed for this place.
pub(super) async fn open(tx: &mut Tx, vault: &Vault, spot: Spot<'_>, sealed: &[u8]) -> Result<Plain, RunError> {
    let scope = Scope { tenant: spot.tenant };
    let key = sql("SELECT number, master_id, wrapped FROM data_keys WHERE tenant = $1 AND number = $2");
    let row = key.bind(scope.tenant).bind(key_number(sealed).unwrap_or_default()).one_in(tx).await?;
    let row = row.ok_or_else(|| tx.unreadable("a sealed secret", &"the key of it is not there"))?;
    unwrap(vault, scope, &row)?.open(spot, sealed)
}

/// A secret, sealed with the tenant's newest key, which is made if there is none.
pub(super) async fn seal(
    tx: &mut Tx,
    vault: &Vault,
    spot: Spot<'_>,
    plain: &Plain,
    now_us: i64,
) -> Result<Vec<u8>, RunError> {
    let scope = Scope { tenant: spot.tenant };
    let newest = "SELECT number, master_id, wrapped FROM data_keys WHERE tenant = $1 ORDER BY number DESC LIMIT 1";
    let row = sql(newest).bind(scope.tenant).one_in(tx).await?;
    let key = match row {
        Some(row) => unwrap(vault, scope, &row)?,
        None => {
            let keys = vault.keys();
            let (key, wrapped) = keys.make_key(vault.dice(), scope.tenant, 1)?;
            let made = sql("INSERT INTO data_keys (tenant, number, master_id, wrapped, created_us) \
                            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
            .bind(scope.tenant)
            .bind(key.number)
            .bind(keys.current())
            .bind(wrapped)
            .bind(now_us)
            .run_in(tx)
            .await?;
            match made {
                // Another host has made it in the meantime.
                0 => match sql(newest).bind(scope.tenant).one_in(tx).await? {
                    Some(row) => unwrap(vault, scope, &row)?,
                    None => return Err(RunError::internal("a tenant's key is neither there nor can be made")),
                },
                _ => key,
            }
        }
    };
    key.seal(vault.dice(), spot, plain)
}

pub(super) fn unwrap(vault: &Vault, scope: Scope<'_>, row: &Row) -> Result<DataKey, RunError> {
    let wrapped: Vec<u8> = row.get("wrapped")?;
    vault.keys().unwrap_key(scope.tenant, row.number("number")?, &row.text("master_id")?, &wrapped)
}
