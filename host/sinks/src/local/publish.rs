//! Making a staged load visible in one step, and finding out later whether that happened.
//!
//! The one step is a rename: of the staged folder to `load=<id>`, or to a day that has no folder; where the day has one, the
//! two folders are exchanged; so are they where files are replaced. Before it nothing is visible, after it everything is, and the marker in the folder says by
//! whom. What an exchange brings into the staging area is old and is removed then, or by whoever comes next.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use sluice_core::RunError;
use sluice_core::commit::{CommitError, CommitIntent, Settled};
use sluice_core::error::{Actor, Kind};
use sluice_core::load::{Artifact, CommitReceipt, LoadId, LoadStrategy};

use super::durable::{create_dirs, exchange, io_error, remove_dir, remove_file, sync_dir};
use super::layout::{Layout, named_by, names_of, staged_file};
use super::marker::{MarkedFile, Marker};
use super::replace;
use super::schema::{Table, fingerprint};

/// Makes all rows of the intent visible.
pub(super) fn commit(root: &Path, intent: &CommitIntent) -> Result<CommitReceipt, CommitError> {
    let layout = Layout::new(root, &intent.table).map_err(CommitError::Refused)?;
    let (staged, published) = folders(&layout, intent).map_err(CommitError::Refused)?;
    // What one load builds from must still be there when it takes its place.
    let _alone = match intent.strategy {
        LoadStrategy::Files => Some(lock(&layout).map_err(CommitError::Refused)?),
        LoadStrategy::Transactional | LoadStrategy::Catalog { .. } => None,
    };
    let existing = Marker::read(&published).map_err(CommitError::Refused)?;
    if nothing_to_add(intent) || existing.as_ref().is_some_and(|marker| marker.has_seen(&intent.load)) {
        return Ok(receipt(intent, &published));
    }
    make_ready(&layout, intent, &staged, &published, existing.as_ref()).map_err(CommitError::Refused)?;
    if existing.is_some() {
        exchange(&staged, &published).map_err(CommitError::Refused)?;
    } else {
        let renamed = fs::rename(&staged, &published);
        renamed.map_err(|e| CommitError::Refused(io_error("publishing", &published, &e)))?;
    }
    // Visible from here on; durable once both folders are.
    sync_dir(&layout.dir).and_then(|()| sync_dir(&layout.staging())).map_err(CommitError::Unclear)?;
    let replaced = if existing.is_some() { remove_dir(&staged) } else { Ok(()) };
    let names = layout.staged(&names_of(&intent.load)).and_then(|names| remove_dir(&names));
    if let Err(e) = replaced.and(names) {
        tracing::warn!(error = %e, "what was replaced stays on the disk until the table is prepared again");
    }
    Ok(receipt(intent, &published))
}

/// Waits until no other process works on the table's folder. Ends with what is returned, or with the process.
fn lock(layout: &Layout) -> Result<File, RunError> {
    let folder = File::open(&layout.dir).map_err(|e| io_error("opening", &layout.dir, &e))?;
    folder.lock().map_err(|e| io_error("locking", &layout.dir, &e))?;
    Ok(folder)
}

/// An empty load that replaces nothing adds nothing, so it needs no folder, and was committed as soon as it was begun.
fn nothing_to_add(intent: &CommitIntent) -> bool {
    let keeps_the_rest = !matches!(intent.strategy, LoadStrategy::Catalog { .. });
    keeps_the_rest && intent.rows == 0 && intent.all_artifacts().next().is_none()
}

fn folders(layout: &Layout, intent: &CommitIntent) -> Result<(PathBuf, PathBuf), RunError> {
    Ok((layout.staged(&intent.load)?, layout.published(&intent.load, intent.strategy)?))
}

fn receipt(intent: &CommitIntent, published: &Path) -> CommitReceipt {
    CommitReceipt { load: intent.load.clone(), rows_committed: intent.rows, reference: reference(intent, published) }
}

fn reference(intent: &CommitIntent, published: &Path) -> String {
    if nothing_to_add(intent) { "no rows".to_owned() } else { published.display().to_string() }
}

/// Brings the staged folder into the state in which it is to be seen, and makes that durable.
fn make_ready(
    layout: &Layout,
    intent: &CommitIntent,
    staged: &Path,
    published: &Path,
    existing: Option<&Marker>,
) -> Result<(), RunError> {
    if existing.is_none() && holds_anything(published)? {
        let message = format!(
            "{} exists, but Sluice did not write it; move it away and run again, nothing was changed",
            published.display()
        );
        return Err(RunError::new(Kind::Config, Actor::User, message));
    }
    if intent.artifacts.is_empty() {
        create_dirs(staged)?;
    }
    let mut files = marked_files(layout, intent, staged)?;
    remove_strangers(staged, &files)?;
    if let (LoadStrategy::Files, Some(marker)) = (intent.strategy, existing) {
        let names = replace::names(&names_files(layout, intent)?)?;
        files.extend(replace::carry_over(marker, published, staged, &names)?);
    }
    let table = Table::read(layout)?.ok_or_else(|| {
        RunError::internal(format!(
            "table {} has no schema file; it was never prepared, or it was removed",
            layout.name
        ))
    })?;
    let marker = Marker {
        format: 1,
        load: intent.load.clone(),
        rows: files.iter().map(|file| file.rows).fold(0, u64::saturating_add),
        files,
        schema: fingerprint(&table.schema),
        replaced: existing.map(Marker::history).unwrap_or_default(),
    };
    marker.write(staged)
}

/// Where the names of replaced files are staged.
fn names_files(layout: &Layout, intent: &CommitIntent) -> Result<Vec<PathBuf>, RunError> {
    let folder = names_of(&intent.load);
    let staged = layout.staged(&folder)?;
    intent.replaced.iter().map(|artifact| Ok(staged.join(file_of(layout, &folder, artifact)?))).collect()
}

fn holds_anything(folder: &Path) -> Result<bool, RunError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(io_error("reading", folder, &e)),
    }
}

fn marked_files(layout: &Layout, intent: &CommitIntent, staged: &Path) -> Result<Vec<MarkedFile>, RunError> {
    let mut files = Vec::with_capacity(intent.artifacts.len());
    for artifact in &intent.artifacts {
        let name = file_of(layout, &intent.load, artifact)?;
        let path = staged.join(&name);
        let bytes = fs::metadata(&path).map_err(|e| io_error("publishing", &path, &e))?.len();
        if bytes != artifact.bytes {
            let what = format!("{} has {bytes} bytes, {} were written", path.display(), artifact.bytes);
            return Err(RunError::new(Kind::Protocol, Actor::Sink, what));
        }
        files.push(MarkedFile { name, rows: artifact.rows, bytes });
    }
    Ok(files)
}

/// The file's name, if the artifact is a staged file of exactly this folder.
fn file_of(layout: &Layout, folder: &LoadId, artifact: &Artifact) -> Result<String, RunError> {
    let prefix = layout.artifact(folder, "");
    match artifact.name.strip_prefix(&prefix) {
        Some(file) if !file.is_empty() && !file.contains(['/', '\\', '\0']) && !file.starts_with(['.', '_']) => {
            Ok(file.to_owned())
        }
        _ => Err(RunError::internal(format!("artifact {:?} is no staged file of load {folder}", artifact.name))),
    }
}

/// Removes what an earlier attempt left behind: it is not part of this load.
fn remove_strangers(staged: &Path, files: &[MarkedFile]) -> Result<(), RunError> {
    for path in entries(staged)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !files.iter().any(|file| file.name == name) {
            remove_file(&path)?;
        }
    }
    Ok(())
}

/// What became of a commit. Reads only.
pub(super) fn settle(root: &Path, intent: &CommitIntent) -> Result<Settled, RunError> {
    let layout = Layout::new(root, &intent.table)?;
    let (staged, published) = folders(&layout, intent)?;
    let marker = Marker::read(&published)?;
    if nothing_to_add(intent) || marker.is_some_and(|marker| marker.has_seen(&intent.load)) {
        // Whoever saw the rename may not have made it durable.
        if layout.dir.is_dir() {
            sync_dir(&layout.dir)?;
        }
        return Ok(Settled::Committed { reference: reference(intent, &published) });
    }
    let rows = intent.artifacts.iter().map(|artifact| Ok(staged.join(file_of(&layout, &intent.load, artifact)?)));
    let mut paths = rows.collect::<Result<Vec<_>, RunError>>()?;
    paths.extend(names_files(&layout, intent)?);
    for (path, artifact) in paths.iter().zip(intent.all_artifacts()) {
        if let Some(reason) = damage(path, artifact)? {
            return Ok(Settled::Lost { reason });
        }
    }
    Ok(Settled::Intact)
}

/// What is wrong with a staged file, if anything is.
fn damage(path: &Path, artifact: &Artifact) -> Result<Option<String>, RunError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Some(format!("{} is gone", path.display()))),
        Err(e) => return Err(io_error("reading", path, &e)),
    };
    let bytes = file.metadata().map_err(|e| io_error("reading", path, &e))?.len();
    if bytes != artifact.bytes {
        return Ok(Some(format!("{} has {bytes} bytes, {} were written", path.display(), artifact.bytes)));
    }
    let rows = match SerializedFileReader::new(file) {
        Ok(reader) => reader.metadata().file_metadata().num_rows(),
        Err(e) => return Ok(Some(format!("{} is damaged: {e}", path.display()))),
    };
    if u64::try_from(rows) == Ok(artifact.rows) {
        return Ok(None);
    }
    Ok(Some(format!("{} holds {rows} rows, {} were written", path.display(), artifact.rows)))
}

/// Removes staged files that will never be committed. Never looks outside of the staging area.
pub(super) fn abandon(root: &Path, artifacts: &[Artifact]) -> Result<(), RunError> {
    for artifact in artifacts {
        let (layout, path) = staged_file(root, &artifact.name)?;
        remove_file(&path)?;
        if let Some(folder) = path.parent() {
            remove_if_done(&layout, folder)?;
        }
    }
    Ok(())
}

/// Removes a staged folder once no Parquet file is in it.
fn remove_if_done(layout: &Layout, folder: &Path) -> Result<(), RunError> {
    let parts = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
    if folder.is_dir() && !entries(folder)?.iter().any(parts) {
        remove_dir(folder)?;
        sync_dir(&layout.staging())?;
    }
    Ok(())
}

/// Removes what a killed process left in the staging area: folders that were replaced, whose marker names another load than the
/// folder, and names of files that were replaced. All other folders may belong to a load that is under way.
pub(super) fn remove_replaced(layout: &Layout) -> Result<(), RunError> {
    if !layout.staging().is_dir() {
        return Ok(());
    }
    let current = Marker::read(&layout.current())?;
    for folder in entries(&layout.staging())? {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let done = named_by(name).is_some_and(|load| current.as_ref().is_some_and(|current| current.has_seen(&load)));
        let marker = Marker::read(&folder)?;
        if done || marker.is_some_and(|marker| marker.load.as_str() != name) {
            remove_dir(&folder)?;
        }
    }
    Ok(())
}

/// Finds out, before a row is read, whether a day could be replaced here.
pub(super) fn probe_exchange(layout: &Layout) -> Result<(), RunError> {
    let probe = layout.staging().join(format!("_probe-{}", std::process::id()));
    let (one, other) = (probe.join("a"), probe.join("b"));
    create_dirs(&one)?;
    create_dirs(&other)?;
    let exchanged = exchange(&one, &other);
    remove_dir(&probe)?;
    exchanged
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let read = fs::read_dir(folder).and_then(|dir| dir.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>());
    match read {
        Ok(mut paths) => {
            paths.sort();
            Ok(paths)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(io_error("reading", folder, &e)),
    }
}
