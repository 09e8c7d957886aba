//! Opening a database, and what is said when that fails.

use sluice_core::error::Kind;
use sluice_store::{Settings, Store};
use sqlx::Connection;

use crate::support::*;

on_both!(
    a_newer_schema_is_refused_and_not_changed,
    several_processes_may_open_a_new_database_at_once,
    writers_of_several_processes_wait_for_each_other,
);

async fn a_newer_schema_is_refused_and_not_changed(home: Home) {
    home.store().await.close().await;
    home.sql(if home.is_postgres() {
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9000, 'from the future', true, '\\x00', 1)"
    } else {
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9000, 'from the future', 1, x'00', 1)"
    })
    .await;
    let error = home.open().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported);
    let named = if home.is_postgres() { "the database" } else { "state.db" };
    assert!(error.message.contains("newer Sluice") && error.message.contains(named), "{error}");
}

async fn several_processes_may_open_a_new_database_at_once(home: Home) {
    let opened = futures_of(6, || home.open()).await;
    for store in opened {
        store.unwrap().ping().await.unwrap();
    }
}

async fn writers_of_several_processes_wait_for_each_other(home: Home) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store = home.store().await;
        writers.spawn(async move {
            let pipeline = format!("p{writer}");
            let lease = store.lease(HERE, &pipeline, 0).await.unwrap();
            for run in 0..25 {
                store.begin_run(HERE, &lease, &new_run(&format!("{writer}-{run}")), run).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    assert_eq!(home.number("SELECT COUNT(*) FROM runs").await, 100);
}

/// The outcomes of futures that are polled together.
async fn futures_of<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    let mut all: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut done: Vec<Option<F::Output>> = (0..count).map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let Home::Sqlite { path, _folder } = Home::sqlite() else { panic!("it is a file") };
    std::fs::write(&path, vec![7_u8; 8192]).unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert_eq!(error.kind, Kind::Protocol);
    assert!(error.message.contains("state.db") && error.message.contains("backup"), "{error}");
    let missing = path.parent().unwrap().join("no/such/folder/state.db");
    let error = Store::open(&missing).await.unwrap_err();
    assert!(error.message.contains("folder exists"), "{error}");
}

/// The error of connecting to this URL, which must not show the password.
async fn refused(url: &str) -> (Kind, String) {
    let error = Store::connect(url, Settings::default()).await.unwrap_err();
    assert!(!error.message.contains("pa55word") && !format!("{error:?}").contains("pa55word"), "{error:?}");
    (error.kind, error.message)
}

#[tokio::test]
async fn a_server_that_refuses_is_explained_without_the_password() {
    let user = setting("SLUICE_TEST_POSTGRES_USER");
    let (kind, message) = refused(&url_as(&user, "pa55word")).await;
    assert_eq!(kind, Kind::Auth);
    assert!(message.contains("user sluice was refused") && message.contains("127.0.0.1"), "{message}");

    let (kind, message) = refused(&format!("postgres://{user}:pa55word@127.0.0.1:1/sluice")).await;
    assert_eq!(kind, Kind::Transient);
    assert!(message.contains("cannot be reached") && message.contains("127.0.0.1:1"), "{message}");

    let good = server_url();
    let (kind, message) = refused(&format!("{}/nowhere", good.rsplit_once('/').unwrap().0)).await;
    assert_eq!(kind, Kind::NotFound);
    assert!(message.contains("CREATE DATABASE \"nowhere\""), "{message}");

    for bad in ["mysql://u:pa55word@h/d", "postgres://u:pa55word@h:port/d", "postgres://u:pa55word@h/d?sslmode=often"] {
        let (kind, message) = refused(bad).await;
        assert_eq!(kind, Kind::Config);
        assert!(message.contains("postgres://USER:PASSWORD@HOST"), "{message}");
    }
}

#[tokio::test]
async fn a_server_is_reached_over_tls_and_its_certificate_is_checked() {
    let Home::Postgres { url } = Home::postgres().await else { panic!("it is a server") };
    let tls_user = url_as(&setting("SLUICE_TEST_POSTGRES_TLS_USER"), &setting("SLUICE_TEST_POSTGRES_PASSWORD"));
    let url = url.replace(&server_url(), &tls_user);
    let (ca, wrong) = (setting("SLUICE_TEST_POSTGRES_CA"), setting("SLUICE_TEST_POSTGRES_WRONG_CA"));
    Store::connect(&format!("{url}&sslmode=verify-full&sslrootcert={ca}"), Settings::default()).await.unwrap();
    let (kind, message) = refused(&format!("{url}&sslmode=verify-full&sslrootcert={wrong}")).await;
    assert_eq!(kind, Kind::Config, "{message}");
    assert!(message.contains("sslrootcert"), "{message}");
    let (kind, message) = refused(&format!("{url}&sslmode=disable")).await;
    assert_eq!(kind, Kind::Auth, "{message}");
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_replaced() {
    let Home::Postgres { url } = Home::postgres().await else { panic!("it is a server") };
    let name = url.rsplit('=').next().unwrap();
    let store = Store::connect(&format!("{url}&application_name={name}"), Settings::default()).await.unwrap();
    let lease = leased(&store).await;
    let mut beside = sqlx::PgConnection::connect(&url).await.unwrap();
    for round in 0..3 {
        store.begin_run(HERE, &lease, &new_run(&format!("r{round}")), round).await.unwrap();
        let end = format!(
            "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = '{name}'"
        );
        let ended: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(end)).fetch_one(&mut beside).await.unwrap();
        assert!(ended > 0);
    }
    assert_eq!(store.last_runs(HERE, None, 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_user_who_may_not_write_is_told_so() {
    let url = url_as(&setting("SLUICE_TEST_POSTGRES_PLAIN_USER"), &setting("SLUICE_TEST_POSTGRES_PASSWORD"));
    let (kind, message) = refused(&format!("{url}?options[search_path]=pg_catalog")).await;
    assert_eq!(kind, Kind::Permission, "{message}");
}
