//! Files that survive a power cut, and what an operating system's error means to a person.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use parquet::errors::ParquetError;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

/// What an operating system's error on a file of the warehouse means.
pub(super) fn io_error(doing: &str, path: &Path, error: &std::io::Error) -> RunError {
    let (kind, advice) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (Kind::Resources, "the disk of the warehouse is full: free some space and run again")
        }
        ErrorKind::FileTooLarge => (Kind::Resources, "the file is beyond the size that this user may write"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (Kind::Permission, "make the warehouse's folder writable for the user that runs Sluice")
        }
        ErrorKind::NotFound => (Kind::NotFound, "something removed it while it was in use"),
        ErrorKind::NotADirectory => (Kind::Config, "a part of the path is a file: choose another folder"),
        _ => (Kind::Internal, "the disk or the operating system refused it"),
    };
    RunError::new(kind, Actor::Sink, format!("{doing} {}: {error}; {advice}", path.display()))
}

/// What a failure of the Parquet library means; a failed write of the file below it keeps its cause.
pub(super) fn parquet_error(doing: &str, path: &Path, error: &ParquetError) -> RunError {
    if let ParquetError::External(inner) = error
        && let Some(io) = inner.downcast_ref::<std::io::Error>()
    {
        return io_error(doing, path, io);
    }
    RunError::new(Kind::Internal, Actor::Sink, format!("{doing} {}: {error}", path.display()))
}

/// Makes the entries of a folder durable: files created, renamed or removed in it.
pub(super) fn sync_dir(path: &Path) -> Result<(), RunError> {
    let synced = File::open(path).and_then(|dir| dir.sync_all());
    synced.map_err(|e| io_error("making durable", path, &e))
}

/// Creates a folder and what is missing above it, each entry durable.
pub(super) fn create_dirs(path: &Path) -> Result<(), RunError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_dirs(parent)?;
    }
    match std::fs::create_dir(path) {
        Ok(()) => {}
        // Another writer was faster.
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(e) => return Err(io_error("creating", path, &e)),
    }
    sync_dir(parent.unwrap_or(Path::new(".")))
}

/// Writes a small file so that a reader, at any time and after any crash, finds the old content or the new.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), RunError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = Path::new(&name);
    let written = File::create(temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|e| io_error("writing", temporary, &e))?;
    std::fs::rename(temporary, path).map_err(|e| io_error("writing", path, &e))?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Swaps two folders in one step: at no time is either name without a folder.
pub(super) fn exchange(one: &Path, other: &Path) -> Result<(), RunError> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(|e| {
        let error = std::io::Error::from(e);
        // EINVAL, ENOSYS and EOPNOTSUPP are what file systems answer that do not know the operation.
        if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) {
            return cannot_exchange(other);
        }
        io_error("replacing", other, &error)
    })
}

fn cannot_exchange(path: &Path) -> RunError {
    let message = format!(
        "the file system of {} cannot swap two folders in one step (renameat2 with RENAME_EXCHANGE), which replacing a \
         day of a catalog table, or changed files, needs; put the warehouse on ext4, xfs, btrfs, tmpfs or apfs, or load \
         transactionally",
        path.display()
    );
    RunError::new(Kind::Unsupported, Actor::Host, message)
}

/// Removes a file; fine if there is none.
pub(super) fn remove_file(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(e) if !matches!(e.kind(), ErrorKind::NotFound) => Err(io_error("removing", path, &e)),
        _ => Ok(()),
    }
}

/// Removes a folder and all in it; fine if there is none.
pub(super) fn remove_dir(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_dir_all(path) {
        Err(e) if !matches!(e.kind(), ErrorKind::NotFound) => Err(io_error("removing", path, &e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_lack_of_resources_of_the_sink_and_names_the_file() {
        let full = std::io::Error::from_raw_os_error(28);
        let error = parquet_error("writing", Path::new("/w/part-0.parquet"), &ParquetError::External(Box::new(full)));
        assert_eq!((error.kind, error.actor), (Kind::Resources, Actor::Sink));
        assert!(error.message.contains("/w/part-0.parquet") && error.message.contains("full"), "{error}");
    }

    #[test]
    fn a_forbidden_folder_is_a_lack_of_permission() {
        let denied = std::io::Error::from_raw_os_error(13);
        assert_eq!(io_error("writing", Path::new("/w"), &denied).kind, Kind::Permission);
    }

    #[test]
    fn an_atomic_write_replaces_the_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.json");
        write_atomically(&path, b"a longer first content").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
