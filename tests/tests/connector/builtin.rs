//! Built-in connectors pass the conformance kit, each against the real thing.

use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_tests::binary::Workspace;
use sluice_tests::conformance::{assert_conforms, files, test};
use sluice_tests::mysql::Server;
use sluice_tests::{env, postgres, sandbox};

/// The folder of a connector in the checkout.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors").join(name)
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
    assert_conforms(&ran, &["recordings"]);
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
    assert_conforms(&ran, &["recordings"]);
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
    for (path, content) in files() {
        let path = workspace.path().join("data").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let spec = workspace.path().join("conformance.yaml");
    std::fs::copy(source("files").join("conformance.yaml"), &spec).unwrap();
    let ran = test(&workspace, "files", &spec, &[]);
    assert_conforms(&ran, &["future-state", "keys", "past-state", "recordings"]);
}
