//! A pipeline's file: read, checked, its secrets resolved, its paths made absolute.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::limits::RunLimits;
use sluice_core::pipeline::{Pipeline, SinkSpec, SourceSpec};

/// Largest file that is read, bytes.
const MAX_BYTES: u64 = 4 << 20;

/// The part of a pipeline's file that concerns its source.
#[derive(Debug, Deserialize)]
pub(crate) struct SourceFile {
    /// Where rows come from.
    pub(crate) source: SourceSpec,
    /// Bounds of a run.
    #[serde(default)]
    pub(crate) limits: RunLimits,
}

/// Reads a whole pipeline.
pub(crate) fn pipeline(path: &Path) -> Result<Pipeline, RunError> {
    let mut pipeline: Pipeline = parse(path)?;
    pipeline.validate()?;
    let folder = folder(path);
    locate(&mut pipeline.source, &folder)?;
    if let SinkSpec::Local { path, .. } = &mut pipeline.sink {
        *path = folder.join(&*path);
    }
    Ok(pipeline)
}

/// Reads only what concerns the source.
pub(crate) fn source(path: &Path) -> Result<SourceFile, RunError> {
    let mut file: SourceFile = parse(path)?;
    file.limits.validate()?;
    locate(&mut file.source, &folder(path))?;
    Ok(file)
}

/// The folder that relative paths of the file are relative to.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Reads a YAML file of our own kind.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let wrong = |message: String| RunError::new(Kind::Config, Actor::User, message);
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| wrong(format!("{shown} cannot be read: {e}")))?.len();
    if size > MAX_BYTES {
        return Err(wrong(format!("{shown} has {size} bytes; such a file has at most {MAX_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("{shown} cannot be read: {e}")))?;
    serde_saphyr::from_str(&text).map_err(|e| wrong(format!("{shown} is not valid: {e}")))
}

fn locate(source: &mut SourceSpec, folder: &Path) -> Result<(), RunError> {
    if source.connector.ends_with(".wasm") {
        source.connector = folder.join(&source.connector).to_string_lossy().into_owned();
    }
    for granted in source.grants.folders.values_mut() {
        *granted = folder.join(&*granted);
    }
    resolve(&mut source.config, "source.config", folder)
}

/// Puts values in the place of `{env: NAME}`, `{env: NAME, as: number}` and `{file: PATH}`.
pub(crate) fn resolve(value: &mut serde_json::Value, at: &str, folder: &Path) -> Result<(), RunError> {
    match value {
        serde_json::Value::Object(object) => {
            if let Some(found) = number(object, at)? {
                *value = found;
                return Ok(());
            }
            if let Some(found) = reference(object, at, folder)? {
                *value = serde_json::Value::String(found);
                return Ok(());
            }
            object.iter_mut().try_for_each(|(name, inner)| resolve(inner, &format!("{at}.{name}"), folder))
        }
        serde_json::Value::Array(items) => {
            items.iter_mut().enumerate().try_for_each(|(i, inner)| resolve(inner, &format!("{at}[{i}]"), folder))
        }
        _ => Ok(()),
    }
}

/// The number of `{env: NAME, as: number}`: a port, say.
fn number(
    object: &serde_json::Map<String, serde_json::Value>,
    at: &str,
) -> Result<Option<serde_json::Value>, RunError> {
    let (Some(serde_json::Value::String(name)), Some("number"), 2) =
        (object.get("env"), object.get("as").and_then(serde_json::Value::as_str), object.len())
    else {
        return Ok(None);
    };
    let text = std::env::var(name).map_err(|_| {
        RunError::config(at, format!("the environment has no variable {name}; set it, or name another"))
    })?;
    let number = text.trim().parse::<serde_json::Number>();
    number
        .map(|number| Some(number.into()))
        .map_err(|_| RunError::config(at, format!("the variable {name} holds no number")))
}

fn reference(
    object: &serde_json::Map<String, serde_json::Value>,
    at: &str,
    folder: &Path,
) -> Result<Option<String>, RunError> {
    let mut entries = object.iter();
    let (Some((kind, serde_json::Value::String(name))), None) = (entries.next(), entries.next()) else {
        return Ok(None);
    };
    match kind.as_str() {
        "env" => std::env::var(name).map(Some).map_err(|_| {
            RunError::config(at, format!("the environment has no variable {name}; set it, or name another"))
        }),
        "file" => {
            let path = folder.join(name);
            let read = std::fs::read_to_string(&path);
            read.map(|text| Some(text.trim_end_matches(['\r', '\n']).to_owned()))
                .map_err(|e| RunError::config(at, format!("the secret's file {} cannot be read: {e}", path.display())))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

    use super::*;

    #[test]
    fn secrets_come_from_where_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pw"), "hunter22\n").unwrap();
        let mut config = serde_json::json!({"password": {"file": "pw"}, "nested": {"a": {"env": "PATH"}}});
        resolve(&mut config, "source.config", folder.path()).unwrap();
        assert_eq!(config["password"], "hunter22");
        assert_eq!(config["nested"]["a"], std::env::var("PATH").unwrap());
    }

    #[test]
    fn a_missing_variable_is_named_with_its_field() {
        let mut config = serde_json::json!({"password": {"env": "SLUICE_NO_SUCH_VARIABLE"}});
        let error = resolve(&mut config, "source.config", Path::new("/")).unwrap_err();
        assert_eq!(error.field.unwrap(), "source.config.password");
        assert!(error.message.contains("SLUICE_NO_SUCH_VARIABLE"));
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.yaml");
        std::fs::write(&path, "name: x\nsource:\n  connector: files\nstreems: []\nsink: {type: \"null\"}\n").unwrap();
        let error = pipeline(&path).unwrap_err();
        assert!(error.message.contains("streems") && error.message.contains('4'), "{error}");
    }
}
