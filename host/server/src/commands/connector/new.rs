//! `sluice connector new`: a project that builds and conforms as it is written.

use std::path::{Path, PathBuf};

use serde_json::json;
use sluice_core::RunError;

use super::{say, write, wrong};
use crate::cli::{NewArgs, Options};

/// The template's files, as they lie in the checkout, and where they go.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../../../../sdk/template/rust/Cargo.toml")),
    ("src/lib.rs", include_str!("../../../../../sdk/template/rust/src/lib.rs")),
    ("fixtures/api.py", include_str!("../../../../../sdk/template/rust/fixtures/api.py")),
    ("conformance.yaml", include_str!("../../../../../sdk/template/rust/conformance.yaml")),
    ("connection.yaml", include_str!("../../../../../sdk/template/rust/connection.yaml")),
    ("recordings/orders.jsonl", include_str!("../../../../../sdk/template/rust/recordings/orders.jsonl")),
    ("README.md", include_str!("../../../../../sdk/template/rust/README.md")),
    (".gitignore", include_str!("../../../../../sdk/template/rust/gitignore")),
];

pub(super) fn run(options: &Options, args: &NewArgs) -> Result<(), RunError> {
    check_name(&args.name)?;
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(wrong(format!("the folder {} has something in it; name another with --path", folder.display())));
    }
    let sdk = sdk(args.sdk.as_deref())?;
    for (path, text) in FILES {
        let text = named(text, &args.name).replace("../../rust", &sdk.to_string_lossy().replace('\\', "/"));
        write(&folder.join(path), text.as_bytes())?;
    }
    // The versions that the SDK was tested with; cargo drops what the project does not need.
    let lock = sdk.join("../../Cargo.lock");
    if let Ok(lock) = std::fs::read(&lock) {
        write(&folder.join("Cargo.lock"), &lock)?;
    }
    let shown = folder.display();
    let sentence = format!(
        "{shown} has a connector named {}. Next:\n  cd {shown}\n  sluice connector build\n  sluice connector test",
        args.name
    );
    say(options, &sentence, &json!({"event": "created", "name": args.name, "path": folder, "sdk": sdk}));
    Ok(())
}

fn check_name(name: &str) -> Result<(), RunError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && !name.contains("--");
    if good {
        Ok(())
    } else {
        Err(wrong("a connector's name has 1 to 63 lower-case letters, digits and single '-', and begins with a letter"))
    }
}

/// The template's text with another name.
fn named(text: &str, name: &str) -> String {
    let words: Vec<String> = name.split('-').map(capital).collect();
    text.replace("title = \"Widgets\"", &format!("title = \"{}\"", words.join(" ")))
        .replace("WIDGETS", &name.to_uppercase().replace('-', "_"))
        .replace("Widgets", &words.concat())
        .replace("widgets", name)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The SDK's folder: the one that was named, or that of a checkout above this program or the working folder.
fn sdk(named: Option<&Path>) -> Result<PathBuf, RunError> {
    let is_sdk = |folder: &Path| folder.join("Cargo.toml").is_file() && folder.join("src/source.rs").is_file();
    if let Some(folder) = named {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        return if is_sdk(&folder) {
            Ok(folder)
        } else {
            Err(RunError::config(
                "--sdk",
                format!("{} is not the folder sdk/rust of a checkout of Sluice", folder.display()),
            ))
        };
    }
    let program = std::env::current_exe().ok();
    let working = std::env::current_dir().ok();
    let above = [program, working].into_iter().flatten();
    let found = above.flat_map(|path| path.ancestors().map(|folder| folder.join("sdk/rust")).collect::<Vec<_>>());
    found.into_iter().find(|folder| is_sdk(folder)).ok_or_else(|| {
        RunError::config("--sdk", "the SDK is not published yet: name the folder sdk/rust of a checkout of Sluice")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

    use super::*;

    #[test]
    fn a_name_is_put_everywhere_in_the_spelling_of_its_place() {
        let project: String = FILES.iter().map(|(_, text)| named(text, "web-shop")).collect();
        for part in [
            "name = \"connector-web-shop\"",
            "name = \"web-shop\"",
            "title = \"Web Shop\"",
            "pub struct WebShopConfig",
            "export!(WebShop)",
            "WEB_SHOP_API_KEY",
        ] {
            assert!(project.contains(part), "{part}");
        }
        assert!(!project.to_lowercase().contains("widgets"));
    }

    #[test]
    fn the_connector_has_less_than_a_hundred_lines() {
        let code = FILES.iter().find(|(path, _)| *path == "src/lib.rs").unwrap().1;
        assert!(code.lines().count() < 100, "{}", code.lines().count());
    }

    #[test]
    fn names_that_would_not_do_are_refused() {
        for name in ["shop", "web-shop", "s3"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "Shop", "3s", "a--b", "-a", "a-", "a/b", "../a", "grüße"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
