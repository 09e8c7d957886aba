//! `sluice connector new`: a project that builds and conforms as it is written.

use std::path::{Path, PathBuf};

use serde_json::json;
use sluice_core::RunError;

use super::{say, write, wrong};
use crate::cli::{NewArgs, Options, Written};

/// A template: the language's SDK, how the template's files spell its path, and where they go.
struct Template {
    /// The SDK's folder in a checkout, a file by which it is known, and how the template names the folder.
    sdk: &'static str,
    known_by: &'static str,
    placeholder: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! template {
    ($($to:literal = $from:literal),* $(,)?) => {
        &[$(($to, include_str!(concat!("../../../../../sdk/template/", $from)))),*]
    };
}

const RUST: Template = Template {
    sdk: "sdk/rust",
    known_by: "src/source.rs",
    placeholder: "../../rust",
    files: template![
        "Cargo.toml" = "rust/Cargo.toml",
        "src/lib.rs" = "rust/src/lib.rs",
        "fixtures/api.py" = "rust/fixtures/api.py",
        "conformance.yaml" = "rust/conformance.yaml",
        "connection.yaml" = "rust/connection.yaml",
        "recordings/orders.jsonl" = "rust/recordings/orders.jsonl",
        "README.md" = "rust/README.md",
        ".gitignore" = "rust/gitignore",
    ],
};

/// The line of the specification that names the recording.
const RECORDED: &str = "recordings: [recordings/orders.jsonl]\n";

/// The API and its specification are the same in every language.
const PYTHON: Template = Template {
    sdk: "sdk/python",
    known_by: "sluice_sdk/source.py",
    placeholder: "../../python",
    files: template![
        "sluice.yaml" = "python/sluice.yaml",
        "connector.py" = "python/connector.py",
        "fixtures/api.py" = "rust/fixtures/api.py",
        "conformance.yaml" = "rust/conformance.yaml",
        "connection.yaml" = "rust/connection.yaml",
        "README.md" = "python/README.md",
        ".gitignore" = "python/gitignore",
    ],
};

const JS: Template = Template {
    sdk: "sdk/js",
    known_by: "src/source.ts",
    placeholder: "../../js",
    files: template![
        "sluice.yaml" = "js/sluice.yaml",
        "connector.ts" = "js/connector.ts",
        "tsconfig.json" = "js/tsconfig.json",
        "fixtures/api.py" = "rust/fixtures/api.py",
        "conformance.yaml" = "rust/conformance.yaml",
        "connection.yaml" = "rust/connection.yaml",
        "README.md" = "js/README.md",
        ".gitignore" = "js/gitignore",
    ],
};

/// C reads no HTTP API with little: its source is a server that speaks lines.
const C: Template = Template {
    sdk: "sdk/c",
    known_by: "sluice.h",
    placeholder: "../../c",
    files: template![
        "sluice.yaml" = "c/sluice.yaml",
        "connector.c" = "c/connector.c",
        "manifest.json" = "c/manifest.json",
        "fixtures/server.py" = "c/fixtures/server.py",
        "conformance.yaml" = "c/conformance.yaml",
        "connection.yaml" = "c/connection.yaml",
        "README.md" = "c/README.md",
        ".gitignore" = "c/gitignore",
    ],
};

fn template(language: Written) -> &'static Template {
    match language {
        Written::Rust => &RUST,
        Written::C => &C,
        Written::Python => &PYTHON,
        Written::Js => &JS,
    }
}

pub(super) fn run(options: &Options, args: &NewArgs) -> Result<(), RunError> {
    check_name(&args.name)?;
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(wrong(format!("the folder {} has something in it; name another with --path", folder.display())));
    }
    let template = template(args.language);
    let sdk = sdk(template, args.sdk.as_deref())?;
    for (path, text) in template.files {
        // Other languages make other batches of the same API, and record their own.
        let text = if args.language == Written::Rust { (*text).to_owned() } else { text.replace(RECORDED, "") };
        let text = named(&text, &args.name).replace(template.placeholder, &sdk.to_string_lossy().replace('\\', "/"));
        write(&folder.join(path), text.as_bytes())?;
    }
    // The versions that the SDK was tested with; cargo drops what the project does not need.
    let lock = sdk.join("../../Cargo.lock");
    if let (Written::Rust, Ok(lock)) = (args.language, std::fs::read(&lock)) {
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
    // The title is the one place where the name is words.
    ["title = \"", "title=\"", "title: \"", "\"title\": \""]
        .iter()
        .fold(text.to_owned(), |text, title| {
            text.replace(&format!("{title}Widgets\""), &format!("{title}{}\"", words.join(" ")))
        })
        .replace("WIDGETS", &name.to_uppercase().replace('-', "_"))
        .replace("Widgets", &words.concat())
        .replace("widgets", name)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The SDK's folder: the one that was named, or that of a checkout above this program or the working folder.
fn sdk(template: &Template, named: Option<&Path>) -> Result<PathBuf, RunError> {
    let is_sdk = |folder: &Path| folder.join(template.known_by).is_file();
    if let Some(folder) = named {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        return if is_sdk(&folder) {
            Ok(folder)
        } else {
            let message = format!("{} is not the folder {} of a checkout of Sluice", folder.display(), template.sdk);
            Err(RunError::config("--sdk", message))
        };
    }
    let program = std::env::current_exe().ok();
    let working = std::env::current_dir().ok();
    let above = [program, working].into_iter().flatten();
    let found = above.flat_map(|path| path.ancestors().map(|folder| folder.join(template.sdk)).collect::<Vec<_>>());
    found.into_iter().find(|folder| is_sdk(folder)).ok_or_else(|| {
        let message = format!("the SDK is not published yet: name the folder {} of a checkout of Sluice", template.sdk);
        RunError::config("--sdk", message)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

    use super::*;

    #[test]
    fn a_name_is_put_everywhere_in_the_spelling_of_its_place() {
        let project: String = RUST.files.iter().map(|(_, text)| named(text, "web-shop")).collect();
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
        for (template, parts) in [
            (&PYTHON, ["title=\"Web Shop\"", "name=\"web-shop\"", "class WebShopConfig(Config)", "export(WebShop)"]),
            (&C, ["\"title\": \"Web Shop\"", "\"name\": \"web-shop\"", "WEB_SHOP_PASSWORD", "// WebShop: tables"]),
            (&JS, ["title: \"Web Shop\"", "name: \"web-shop\"", "class WebShop implements", "exported(WebShop"]),
        ] {
            let project: String = template.files.iter().map(|(_, text)| named(text, "web-shop")).collect();
            assert!(!project.to_lowercase().contains("widgets"));
            for part in parts {
                assert!(project.contains(part), "{part}");
            }
        }
    }

    #[test]
    fn the_connector_has_less_than_a_hundred_lines() {
        for (template, file) in [(&RUST, "src/lib.rs"), (&PYTHON, "connector.py"), (&JS, "connector.ts")] {
            let code = template.files.iter().find(|(path, _)| *path == file).unwrap().1;
            assert!(code.lines().count() < 100, "{file} has {}", code.lines().count());
        }
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
