//! Where things are in the warehouse, and which names may become parts of a path.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sluice_core::RunError;
use sluice_core::load::{LoadId, LoadStrategy, SNAPSHOT_DATE_COLUMN, TableName};
use sluice_core::mark::Author;

/// Staged loads, one folder each. Two levels below the table, so that `<table>/*/*.parquet` never sees a staged file.
pub(super) const STAGING: &str = "_staging";
/// What a published folder holds, written before it is published.
pub(super) const MARKER: &str = "_sluice.json";
/// The table's columns.
pub(super) const SCHEMA: &str = "_schema.json";

/// The one folder of a table whose files are replaced.
const FILES: &str = "files=current";
/// What the staged folder of the names of replaced files has behind the load's id.
const NAMES_SUFFIX: &str = "-names";

/// Under this id the names of the files are staged that a load replaces: apart from its rows, because those are published.
pub(super) fn names_of(load: &LoadId) -> LoadId {
    LoadId::from(format!("{load}{NAMES_SUFFIX}"))
}

/// The load whose replaced files a staged folder names.
pub(super) fn named_by(folder: &str) -> Option<LoadId> {
    folder.strip_suffix(NAMES_SUFFIX).map(|load| LoadId::from(load.to_owned()))
}

/// The folders of one table.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) name: TableName,
    pub(super) dir: PathBuf,
}

impl Layout {
    /// The folders of `name` below `root`.
    pub(super) fn new(root: &Path, name: &TableName) -> Result<Self, RunError> {
        component("dataset", &name.dataset)?;
        component("table", &name.table)?;
        Ok(Self { name: name.clone(), dir: root.join(&name.dataset).join(&name.table) })
    }

    /// All staged loads of the table.
    pub(super) fn staging(&self) -> PathBuf {
        self.dir.join(STAGING)
    }

    /// The staged folder of a load.
    pub(super) fn staged(&self, load: &LoadId) -> Result<PathBuf, RunError> {
        component("load id", load.as_str())?;
        Ok(self.staging().join(load.as_str()))
    }

    /// The folder under which a load becomes visible.
    pub(super) fn published(&self, load: &LoadId, strategy: LoadStrategy) -> Result<PathBuf, RunError> {
        component("load id", load.as_str())?;
        Ok(self.dir.join(match strategy {
            LoadStrategy::Transactional => format!("load={load}"),
            LoadStrategy::Catalog { snapshot_date } => format!("{SNAPSHOT_DATE_COLUMN}={snapshot_date}"),
            LoadStrategy::Files => FILES.to_owned(),
        }))
    }

    /// The folder of a table whose files are replaced.
    pub(super) fn current(&self) -> PathBuf {
        self.dir.join(FILES)
    }

    /// The table's schema file.
    pub(super) fn schema(&self) -> PathBuf {
        self.dir.join(SCHEMA)
    }

    /// Where an author's mark is.
    pub(super) fn mark(&self, author: &Author) -> PathBuf {
        self.dir.join(format!("_{}.json", author.as_str()))
    }

    /// The name of a staged file as an artifact: its path relative to the warehouse.
    pub(super) fn artifact(&self, load: &LoadId, file: &str) -> String {
        format!("{}/{}/{STAGING}/{load}/{file}", self.name.dataset, self.name.table)
    }
}

/// A staged file, from its name as an artifact. The name comes from a state file, so every part is checked.
pub(super) fn staged_file(root: &Path, artifact: &str) -> Result<(Layout, PathBuf), RunError> {
    let foreign = || RunError::internal(format!("artifact {artifact:?} is no staged file of a local warehouse"));
    let mut parts = artifact.split('/');
    let (Some(dataset), Some(table), Some(STAGING), Some(load), Some(file), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(foreign());
    };
    let layout = Layout::new(root, &TableName { dataset: dataset.into(), table: table.into() })?;
    component("file", file)?;
    let path = layout.staged(&LoadId::from(load.to_owned()))?.join(file);
    Ok((layout, path))
}

/// The name of the `index`-th file of a split.
pub(super) fn part_name(split: &str, index: u32) -> String {
    format!("part-{}-{index:05}.parquet", safe_split(split))
}

/// A split's id is the connector's own, so it may hold anything. What is not safe is replaced, and a digest keeps two ids
/// apart that would otherwise become the same.
fn safe_split(split: &str) -> String {
    const LONGEST: usize = 80;
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !split.is_empty() && split.len() <= LONGEST && split.chars().all(safe) {
        return split.to_owned();
    }
    let cleaned: String = split.chars().take(LONGEST).map(|c| if safe(c) { c } else { '_' }).collect();
    let digest = Sha256::digest(split.as_bytes());
    let digest = sluice_core::hex(digest.get(..6).unwrap_or_default());
    format!("{cleaned}~{digest}")
}

/// Refuses what is not exactly one harmless part of a path.
fn component(what: &str, name: &str) -> Result<(), RunError> {
    let harmful = |c: char| c.is_control() || matches!(c, '/' | '\\' | '=');
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || name.chars().any(harmful) {
        let message = format!(
            "{name:?} cannot be the {what} of a local warehouse: it becomes a folder's name, so it must have 1 to 200 bytes, \
             no '/', '\\', '=' or control characters, and no '.' at its beginning"
        );
        return Err(RunError::config(what, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(dataset: &str, table: &str) -> TableName {
        TableName { dataset: dataset.into(), table: table.into() }
    }

    #[test]
    fn a_table_cannot_leave_the_warehouse() {
        for bad in ["..", ".", "", "a/b", "../../etc", "a\\b", "a\0", "x=1", ".hidden"] {
            assert!(Layout::new(Path::new("/w"), &name("main", bad)).is_err(), "{bad:?}");
            assert!(Layout::new(Path::new("/w"), &name(bad, "t")).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_artifact_that_is_no_staged_file_is_refused() {
        for bad in [
            "main/t/_staging/l/../x",
            "main/t/load=l/part-0.parquet",
            "../t/_staging/l/p",
            "/etc/passwd",
            "main/t/_staging/l",
        ] {
            assert!(staged_file(Path::new("/w"), bad).is_err(), "{bad:?}");
        }
        let (layout, path) = staged_file(Path::new("/w"), "main/t/_staging/r-0/part-a-00000.parquet").unwrap();
        assert_eq!(path, Path::new("/w/main/t/_staging/r-0/part-a-00000.parquet"));
        assert_eq!(
            layout.artifact(&LoadId::new("r", 0), "part-a-00000.parquet"),
            "main/t/_staging/r-0/part-a-00000.parquet"
        );
    }

    #[test]
    fn splits_that_differ_only_in_unsafe_characters_have_different_files() {
        assert_eq!(part_name("0", 3), "part-0-00003.parquet");
        let (slash, colon) = (part_name("a/b", 0), part_name("a:b", 0));
        assert!(slash.starts_with("part-a_b~") && colon.starts_with("part-a_b~"), "{slash} {colon}");
        assert_ne!(slash, colon);
        assert!(part_name(&"x".repeat(5000), 0).len() < 120);
    }
}
