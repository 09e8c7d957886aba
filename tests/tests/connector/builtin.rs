//! Built-in connectors pass the conformance kit, each against the real thing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_tests::binary::{Ran, Workspace, finish};
use sluice_tests::mysql::Server;
use sluice_tests::{env, postgres, sandbox};

use crate::support::{verdicts, with_outcome};

/// The folder of a connector in the checkout.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors").join(name)
}

fn test(workspace: &Workspace, name: &str, spec: &Path, variables: &[(&str, String)]) -> Ran {
    let component = Path::new(&env("SLUICE_TEST_CONNECTORS")).join(format!("{name}.wasm"));
    let (component, spec) = (component.to_string_lossy().into_owned(), spec.to_string_lossy().into_owned());
    let mut command = workspace.command(&["connector", "test", "--component", &component, "--spec", &spec]);
    for (variable, value) in variables {
        command.env(variable, value);
    }
    finish(&mut command)
}

fn assert_conforms(ran: &Ran, skipped: &[&str]) {
    let failed: Vec<_> = verdicts(ran).into_iter().filter(|(_, (outcome, _))| outcome == "failed").collect();
    assert!(ran.code() == Some(0) && failed.is_empty(), "{failed:#?} {}", ran.stderr);
    assert_eq!(with_outcome(ran, "skipped"), skipped);
    assert_eq!(verdicts(ran).len(), 19);
}

#[test]
fn postgres_conforms() {
    let database = sandbox::unique("conformance");
    postgres::sql(&format!("CREATE DATABASE {database}"));
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", &database, "--file"])
        .arg(source("postgres").join("conformance.sql"))
        .args(["--host", &env("SLUICE_TEST_POSTGRES_HOST"), "--port", &env("SLUICE_TEST_POSTGRES_PORT")])
        .args(["--username", &env("SLUICE_TEST_POSTGRES_USER")])
        .env("PGPASSWORD", env("SLUICE_TEST_POSTGRES_PASSWORD"));
    let made = psql.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let spec = source("postgres").join("conformance.yaml");
    let ran = test(&Workspace::new(), "postgres", &spec, &[("SLUICE_TEST_CONFORMANCE_DATABASE", database.clone())]);
    postgres::sql(&format!("DROP DATABASE {database} WITH (FORCE)"));
    assert_conforms(&ran, &[]);
}

fn mysql(server: Server) {
    let database = sandbox::unique("conformance");
    server.sql(&format!("CREATE DATABASE {database}"));
    let statements = std::fs::read_to_string(source("mysql").join("conformance.sql")).unwrap();
    server.sql(&format!("USE {database}; {statements}"));
    let workspace = Workspace::new();
    let spec = std::fs::read_to_string(source("mysql").join("conformance.yaml")).unwrap();
    let path = workspace.path().join("conformance.yaml");
    std::fs::write(&path, spec.replace("{database}", &database)).unwrap();
    let variables: Vec<(&str, String)> = vec![
        ("SLUICE_CONFORMANCE_HOST", server.env("HOST")),
        ("SLUICE_CONFORMANCE_PORT", server.env("PORT")),
        ("SLUICE_CONFORMANCE_USER", server.env("USER")),
        ("SLUICE_CONFORMANCE_PASSWORD", server.env("PASSWORD")),
        ("SLUICE_CONFORMANCE_DATABASE", database.clone()),
    ];
    let ran = test(&workspace, "mysql", &path, &variables);
    server.sql(&format!("DROP DATABASE {database}"));
    assert_conforms(&ran, &[]);
}

#[test]
fn mysql_conforms_with_mariadb() {
    mysql(Server::Mariadb);
}

#[test]
fn mysql_conforms_with_oracles_mysql() {
    mysql(Server::Mysql);
}

#[test]
fn files_conforms() {
    let workspace = Workspace::new();
    let write = |path: &str, text: &str| {
        let path = workspace.path().join("data").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let numbered = |from: usize, to: usize| {
        let mut text = "id,name,price\n".to_owned();
        for id in from..to {
            writeln!(text, "{id},name {id},{}.{:02}", id / 7, id % 100).unwrap();
        }
        text
    };
    for part in 0..4 {
        write(&format!("orders/{part}.csv"), &numbered(part * 500, (part + 1) * 500));
        write(&format!("little/{part}.csv"), &numbered(part * 5_000, (part + 1) * 5_000));
        write(&format!("much/{part}.csv"), &numbered(part * 50_000, (part + 1) * 50_000));
    }
    let events: String = (0..500).map(|id| format!("{{\"id\": {id}, \"tags\": [\"a\", {id}]}}\n")).collect();
    write("events/e.ndjson", &events);
    write("nothing/empty.csv", "id,name\n");
    write(
        "extremes/e.ndjson",
        "{\"big\": -9223372036854775808, \"real\": -1.7976931348623157e308, \"flag\": false, \"words\": \"\", \"moment\": \"0001-01-01T00:00:00Z\", \"tree\": {\"a\": [null, 1]}}\n\
         {\"big\": null, \"real\": null, \"flag\": null, \"words\": null, \"moment\": null, \"tree\": null}\n\
         {\"big\": 9223372036854775807, \"real\": 5e-324, \"flag\": true, \"words\": \"grüße 🚰\\n\", \"moment\": \"9999-12-31T23:59:59.999999Z\", \"tree\": {\"a\": []}}\n",
    );
    let spec = workspace.path().join("conformance.yaml");
    std::fs::copy(source("files").join("conformance.yaml"), &spec).unwrap();
    let ran = test(&workspace, "files", &spec, &[]);
    assert_conforms(&ran, &["future-state", "keys", "past-state"]);
}
