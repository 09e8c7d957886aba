//! Lists the files of the web app, if it was built (`cargo xtask web`), for `src/web/mod.rs` to embed. Needs nothing but what is there:
//! without the app the list is empty, and the service says how to build it.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this is how a build script and cargo talk to each other"
)]

use std::collections::{BTreeMap, hash_map::DefaultHasher};
use std::fmt::Write;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let built = here.join("../../web/dist");
    println!("cargo:rerun-if-changed={}", built.display());
    let mut files = BTreeMap::new();
    // Half of an app is none.
    if built.join("index.html").is_file() {
        collect(&built, "", &mut files)?;
    }
    let mut list = String::from("&[\n");
    for (path, file) in &files {
        let compressed = ["br", "gz"].iter().any(|kind| {
            path.strip_suffix(kind).and_then(|rest| rest.strip_suffix('.')).is_some_and(|of| files.contains_key(of))
        });
        if compressed {
            continue;
        }
        let coded = |kind: &str| match files.get(&format!("{path}.{kind}")) {
            Some(coded) => format!("Some(include_bytes!({coded:?}))"),
            None => "None".to_owned(),
        };
        let mut tag = DefaultHasher::new();
        tag.write(&fs::read(file)?);
        let _ = writeln!(
            list,
            "File {{ path: {path:?}, bytes: include_bytes!({file:?}), brotli: {}, gzip: {}, tag: \"{:016x}\" }},",
            coded("br"),
            coded("gz"),
            tag.finish(),
        );
    }
    list.push(']');
    fs::write(out.join("web_files.rs"), list)
}

/// The files below a folder by their paths; hidden ones are none of the app's.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let (path, place) = (format!("{prefix}{name}"), entry.path());
        if entry.file_type()?.is_dir() {
            collect(&place, &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::canonicalize(place)?);
        }
    }
    Ok(())
}
