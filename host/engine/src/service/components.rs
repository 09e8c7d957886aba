//! Components that were uploaded, as files that workers read: a folder by digest, filled from the store when one is asked for. Several
//! hosts share a store, each has a folder of its own; what is in it can be deleted at any time.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sluice_core::error::{Actor, Kind};
use sluice_core::{RunError, hex};
use sluice_store::{Scope, Store};

/// The folder of components.
#[derive(Clone, Debug)]
pub struct Components {
    store: Store,
    folder: PathBuf,
}

/// A file that is deleted when nobody looks at it any more.
#[derive(Debug)]
pub struct Staged(PathBuf);

impl Staged {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Components {
    /// In this folder, out of this store.
    pub fn new(store: Store, folder: PathBuf) -> Self {
        Self { store, folder }
    }

    /// Sees to it that a version's component is in the folder, whole and unchanged.
    ///
    /// # Errors
    /// If there is no such component, the store cannot be read, or the folder not written.
    pub async fn provide(&self, scope: Scope<'_>, sha256: &str) -> Result<(), RunError> {
        let path = self.folder.join(format!("{sha256}.wasm"));
        if self.is_whole(&path, sha256).await? {
            return Ok(());
        }
        let bytes = self.store.connector_bytes(scope, sha256).await?.ok_or_else(|| {
            let message =
                format!("the component sha256:{sha256} is not in the store any more; publish the connector again");
            RunError::new(Kind::NotFound, Actor::User, message)
        })?;
        if digest(&bytes) != sha256 {
            let message = format!("the component in the store is not the one it was uploaded as (sha256:{sha256})");
            return Err(RunError::internal(message));
        }
        let staged = self.stage(sha256, bytes).await?;
        tokio::fs::rename(staged.path(), &path).await.map_err(|e| self.unwritable(&e))
    }

    /// Writes bytes to a file of their own, which `name` tells apart from others.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub async fn stage(&self, name: &str, bytes: Vec<u8>) -> Result<Staged, RunError> {
        tokio::fs::create_dir_all(&self.folder).await.map_err(|e| self.unwritable(&e))?;
        let staged = Staged(self.folder.join(format!("{name}.{:016x}.part", unlike_others())));
        tokio::fs::write(staged.path(), bytes).await.map_err(|e| self.unwritable(&e))?;
        Ok(staged)
    }

    async fn is_whole(&self, path: &Path, sha256: &str) -> Result<bool, RunError> {
        let (path, sha256) = (path.to_path_buf(), sha256.to_owned());
        let read = tokio::task::spawn_blocking(move || std::fs::read(path).is_ok_and(|bytes| digest(&bytes) == sha256));
        read.await.map_err(|e| RunError::internal(format!("reading a component was interrupted: {e}")))
    }

    fn unwritable(&self, error: &std::io::Error) -> RunError {
        let message = format!("the folder {} of connectors cannot be written: {error}", self.folder.display());
        RunError::new(Kind::Resources, Actor::Host, message)
    }
}

/// Two requests at once must not write one file.
fn unlike_others() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(0);
    (u64::from(std::process::id()) << 32) | NEXT.fetch_add(1, Ordering::Relaxed)
}

/// SHA-256, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_in_the_folder_is_what_was_uploaded_or_is_fetched_again() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("state.db")).await.unwrap();
        let sha256 = digest(b"component");
        let new = sluice_store::NewVersion {
            sha256: sha256.clone(),
            name: "shop".into(),
            version: "1.0.0".into(),
            publisher: String::new(),
            manifest: serde_json::Value::Null,
            report: vec![],
            signature: None,
        };
        store.add_connector_version(Scope::OPERATOR, &new, b"component", "operator", 1).await.unwrap();
        let components = Components::new(store, home.path().join("components"));
        let file = home.path().join("components").join(format!("{sha256}.wasm"));
        components.provide(Scope::OPERATOR, &sha256).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"component");
        std::fs::write(&file, b"something else").unwrap();
        components.provide(Scope::OPERATOR, &sha256).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"component");
        assert_eq!(std::fs::read_dir(home.path().join("components")).unwrap().count(), 1, "nothing is left over");
        let missing = components.provide(Scope { tenant: "acme" }, &digest(b"other")).await.unwrap_err();
        assert!(missing.message.contains("publish the connector again"), "{missing}");
    }
}
