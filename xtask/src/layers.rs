//! `cargo xtask layers`: the direction of dependencies, checked over what the manifests declare.
//!
//! Two kinds of rule. *Edges*: which of our crates a crate may name. *Fences*: which crate alone may name a heavy
//! dependency. Both are closed lists: a new crate of ours is an error until it has its line in [`EDGES`].

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::{Dependency, Package, Workspace};

/// What each of our crates may name of our own. `*` at the end stands for any rest.
const EDGES: &[(&str, &[&str])] = &[
    ("sluice-core", &[]),
    ("sluice-store", &["sluice-core"]),
    ("sluice-runtime", &["sluice-core"]),
    ("sluice-sinks", &["sluice-core"]),
    ("sluice-engine", &["sluice-core", "sluice-store", "sluice-runtime", "sluice-sinks"]),
    ("sluice-api", &["sluice-core", "sluice-store", "sluice-engine"]),
    (
        "sluice",
        &[
            "sluice-core",
            "sluice-store",
            "sluice-runtime",
            "sluice-sinks",
            "sluice-engine",
            "sluice-api",
            "sluice-conformance",
        ],
    ),
    // Guests never name a crate of the host.
    ("sluice-sdk-derive", &[]),
    ("sluice-sdk", &["sluice-sdk-derive"]),
    ("sluice-files", &["sluice-sdk"]),
    ("sluice-objects", &["sluice-sdk", "sluice-files"]),
    ("sluice-sql", &["sluice-sdk"]),
    ("connector-*", &["sluice-sdk", "sluice-objects", "sluice-files", "sluice-sql"]),
    ("hostile-guests", &["sluice-sdk"]),
    // Connectors without the sandbox, to be measured against.
    ("bench-native", &["connector-*", "sluice-sdk"]),
    // The sandbox, to be measured by itself.
    ("bench-sandbox", &["sluice-core", "sluice-runtime"]),
    // Loads a component exactly as production does.
    ("sluice-conformance", &["sluice-core", "sluice-runtime"]),
    // They may use anything they need.
    ("sluice-tests", &["*"]),
    ("xtask", &["*"]),
];

/// Who alone may name a dependency.
const FENCES: &[(&str, &[&str])] = &[
    ("sqlx*", &["sluice-store"]),
    ("libsqlite3-sys", &["sluice-store"]),
    ("wasmtime*", &["sluice-runtime"]),
    ("google-cloud-*", &["sluice-sinks"]),
    ("axum*", &["sluice-api"]),
    ("lettre", &["sluice-engine"]),
    ("opentelemetry*", &["sluice"]),
    ("tracing-opentelemetry", &["sluice"]),
];

/// What the pure crate must not name, whatever else allows it.
const NOT_IN_CORE: &[&str] =
    &["tokio*", "sqlx*", "axum*", "wasmtime*", "async-*", "google-cloud-*", "hyper*", "reqwest"];

/// Crates that no fence stops.
const UNFENCED: &[&str] = &["sluice-tests", "xtask"];

pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let problems: Vec<String> =
        workspace.packages.iter().flat_map(|package| check(package, &workspace.packages)).collect();
    for problem in &problems {
        eprintln!("layers: {problem}");
    }
    if problems.is_empty() {
        println!("layers: {} crates, every dependency points the right way", workspace.packages.len());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn check(package: &Package, ours: &[Package]) -> Vec<String> {
    let from = package.name.as_str();
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| fits(name, from)) else {
        return vec![format!("{from} has no rule; give it a line in EDGES of xtask/src/layers.rs")];
    };
    package.dependencies.iter().filter_map(|to| check_one(from, allowed, to, ours)).collect()
}

fn check_one(from: &str, allowed: &[&str], to: &Dependency, ours: &[Package]) -> Option<String> {
    let name = to.name.as_str();
    let kind = to.kind.as_deref().map_or(String::new(), |kind| format!(" ({kind}-dependency)"));
    if ours.iter().any(|package| package.name == name) {
        let fine = allowed.iter().any(|pattern| fits(pattern, name));
        return (!fine).then(|| format!("{from} → {name}{kind}: {from} may name {}", list(allowed)));
    }
    if from == "sluice-core" && NOT_IN_CORE.iter().any(|pattern| fits(pattern, name)) {
        return Some(format!("{from} → {name}{kind}: the core is pure and does no I/O"));
    }
    let (_, holders) = FENCES.iter().find(|(pattern, _)| fits(pattern, name))?;
    let fine = holders.contains(&from) || UNFENCED.contains(&from);
    (!fine).then(|| format!("{from} → {name}{kind}: only {} may name it", list(holders)))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none of our crates".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency { name: (*name).to_owned(), kind: None };
        Package {
            name: name.to_owned(),
            manifest_path: PathBuf::new(),
            targets: Vec::new(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    /// The problems of one crate in a workspace where every crate of [`EDGES`] exists.
    fn problems(name: &str, dependencies: &[&str]) -> Vec<String> {
        let mut ours: Vec<Package> = EDGES.iter().map(|(name, _)| package(name, &[])).collect();
        ours.push(package("connector-postgres", &[]));
        check(&package(name, dependencies), &ours)
    }

    #[test]
    fn the_edges_of_the_design_are_accepted() {
        assert_eq!(problems("sluice-core", &["serde", "jiff"]), Vec::<String>::new());
        assert_eq!(problems("sluice-store", &["sluice-core", "sqlx"]), Vec::<String>::new());
        assert_eq!(
            problems("sluice-engine", &["sluice-store", "sluice-runtime", "sluice-sinks"]),
            Vec::<String>::new()
        );
        assert_eq!(problems("connector-postgres", &["sluice-sdk", "sluice-sql"]), Vec::<String>::new());
        assert_eq!(problems("sluice-tests", &["sluice-engine", "wasmtime", "sqlx"]), Vec::<String>::new());
    }

    #[test]
    fn an_edge_against_the_direction_is_rejected_with_what_is_allowed() {
        assert_eq!(
            problems("sluice-core", &["sluice-store"]),
            ["sluice-core → sluice-store: sluice-core may name none of our crates"]
        );
        assert_eq!(
            problems("sluice-store", &["sluice-engine"]),
            ["sluice-store → sluice-engine: sluice-store may name sluice-core"]
        );
        assert_eq!(problems("sluice-api", &["sluice-sinks"]).len(), 1);
    }

    #[test]
    fn a_guest_never_names_the_host() {
        for host in ["sluice-core", "sluice-runtime", "sluice-engine", "sluice"] {
            for guest in ["sluice-sdk", "sluice-sql", "connector-postgres", "hostile-guests"] {
                assert_eq!(problems(guest, &[host]).len(), 1, "{guest} → {host}");
            }
        }
    }

    #[test]
    fn a_heavy_dependency_is_named_by_one_crate_only() {
        assert_eq!(problems("sluice-engine", &["sqlx"]), ["sluice-engine → sqlx: only sluice-store may name it"]);
        assert_eq!(problems("sluice-engine", &["wasmtime-wasi"]).len(), 1);
        assert_eq!(problems("sluice", &["google-cloud-auth"]).len(), 1);
        assert_eq!(problems("sluice", &["axum"]).len(), 1);
    }

    #[test]
    fn the_core_stays_pure() {
        for heavy in ["tokio", "sqlx", "axum", "wasmtime", "tokio-util"] {
            let found = problems("sluice-core", &[heavy]);
            assert_eq!(found, [format!("sluice-core → {heavy}: the core is pure and does no I/O")]);
        }
    }

    #[test]
    fn a_dev_dependency_is_held_to_the_same_rules() {
        let mut core = package("sluice-core", &["tokio"]);
        for dependency in &mut core.dependencies {
            dependency.kind = Some("dev".to_owned());
        }
        assert_eq!(check(&core, &[]), ["sluice-core → tokio (dev-dependency): the core is pure and does no I/O"]);
    }

    #[test]
    fn a_crate_without_a_rule_is_an_error() {
        assert_eq!(problems("sluice-extra", &[]).len(), 1);
    }
}
