//! The master keys, which seal the keys of tenants: a file with a line `NAME KEY` for each, the first of which seals what is new.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_store::{MasterKey, MasterKeys, Vault};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::MigrateArgs;

/// Reads the keys; makes a file with one key where there is none and `make` allows it.
pub(in crate::commands) fn read(path: &Path, make: bool) -> Result<MasterKeys, RunError> {
    let wrong = |what: String| {
        let message = format!("the file of master keys {} {what}", path.display());
        RunError::new(Kind::Config, Actor::User, message)
    };
    if make && !path.exists() {
        create(path).map_err(|e| wrong(format!("cannot be made: {e}")))?;
        tracing::warn!(file = %path.display(), "made a master key; keep a copy, for without it no secret can be read again");
    }
    let read = std::fs::read_to_string(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let mode = std::fs::metadata(path).map_err(|e| wrong(format!("cannot be read: {e}")))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(wrong("can be read by others; allow only its owner (chmod 600)".to_owned()));
    }
    parse(&read).map_err(wrong)
}

/// Reads the keys of a service on this database; there are some.
pub(in crate::commands) fn of_service(file: Option<&Path>, database: &MigrateArgs) -> Result<MasterKeys, RunError> {
    match (file, &database.database) {
        (Some(file), _) => read(file, false),
        (None, None) => read(&database.data.join("master.key"), false),
        (None, Some(_)) => {
            let message =
                "with --database the file of master keys is named by --master-key; take the one that the hosts have";
            Err(RunError::config("--master-key", message))
        }
    }
}

/// Reads the file again whenever the process gets SIGHUP, so that master keys change without a restart. A file that is wrong changes
/// nothing.
pub(super) async fn follow(path: PathBuf, vault: Vault, mut hangup: Signal, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hangup.recv() => {}
        }
        match read(&path, false) {
            Ok(keys) => {
                let current = keys.current().to_owned();
                vault.replace_keys(keys);
                tracing::info!(file = %path.display(), current, "the master keys were read again");
            }
            Err(error) => tracing::error!(%error, "the master keys stay as they are"),
        }
    }
}

/// SIGHUP, which would end the process otherwise.
pub(super) fn hangup() -> Result<Signal, RunError> {
    signal(SignalKind::hangup()).map_err(|e| RunError::internal(format!("SIGHUP cannot be heard: {e}")))
}

fn parse(text: &str) -> Result<MasterKeys, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut keys = lines.enumerate().map(|(number, line)| {
        let wrong = || format!("has something other than NAME and 32 bytes in Base64 in key {}", number + 1);
        let (name, key) = line.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let key = STANDARD.decode(key.trim()).map_err(|_| wrong())?;
        let key: [u8; 32] = key.try_into().map_err(|_| wrong())?;
        Ok(MasterKey::new(name, key))
    });
    let writes = keys.next().ok_or_else(|| "holds no key".to_owned())??;
    Ok(MasterKeys::new(writes, keys.collect::<Result<_, String>>()?))
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|e| std::io::Error::other(e.to_string()))?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(
        file,
        "# Keep a copy of this file apart from the database. To change the key, put a new line above the old one."
    )?;
    writeln!(file, "key-1 {}", STANDARD.encode(key))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assertion is how a test fails")]

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(read(&path, false).unwrap_err().message.contains("cannot be read"));
        read(&path, true).unwrap();
        let made = std::fs::read(&path).unwrap();
        read(&path, true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), made);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path, true).unwrap_err().message.contains("chmod 600"));
    }

    #[test]
    fn the_first_key_seals_what_is_new() {
        let key = STANDARD.encode([1; 32]);
        assert_eq!(parse(&format!("# two\nnew {key}\nold {key}\n")).unwrap().current(), "new");
        for wrong in ["", "a", "a b", &format!("a {key}\nb"), "a AAAA"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
