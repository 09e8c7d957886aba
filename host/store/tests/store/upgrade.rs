//! Databases that an earlier version wrote. Each file in `tests/fixtures` is a dump of one, made by that version's own code.

use std::sync::Arc;

use sluice_core::items::ItemKey;
use sluice_core::run::{RunState, StreamCounts};
use sluice_store::{LoadState, MasterKey, MasterKeys, Scope, Store, Vault};

use crate::support::*;

/// Schema 0004: a run that is committed, and one that was killed between the sink's commit and its record.
const SCHEMA_4: &str = include_str!("../fixtures/schema-0004.sql");

/// Schema 0033, of both databases: a tenant whose webhooks are signed, and three entries of its audit log.
const SCHEMA_33: &str = include_str!("../fixtures/schema-0033.sql");
const SCHEMA_33_POSTGRES: &str = include_str!("../fixtures/schema-0033-postgres.sql");

on_both!(a_database_of_schema_33_keeps_its_signing_secret_and_guards_its_audit_log);

async fn a_database_of_schema_33_keeps_its_signing_secret_and_guards_its_audit_log(home: Home) {
    home.sql(if home.is_postgres() { SCHEMA_33_POSTGRES } else { SCHEMA_33 }).await;
    let store = home.store().await;
    let tenant = store.tenants_behind("", 9).await.unwrap().remove(0);
    let scope = Scope { tenant: &tenant };
    let dice = |bytes: &mut [u8]| {
        bytes.fill(9);
        Ok(())
    };
    let vault = Vault::new(MasterKeys::new(MasterKey::new("m1", [1; 32]), vec![]), Arc::new(dice));
    let old = store.known_signing_secrets(scope, &vault, 5).await.unwrap().unwrap();
    assert_eq!(old.current.expose(), b"0123456789abcdef".repeat(4));
    assert_eq!((old.revision, old.previous, old.created_us), (1, None, 1_700_000_000_000_000));
    let new = store.replace_signing_secret(scope, &vault, 1, 100, 10).await.unwrap();
    assert_eq!(new.previous, Some((old.current, 100)));
    assert!(home.refuses("DELETE FROM audit_log WHERE seq = 2").await.contains("append-only"));
    assert!(home.refuses("UPDATE audit_log SET actor = 'x'").await.contains("append-only"));
    assert_eq!(store.forget_audit(scope, (1_700_000_000_000_003, "then"), 10, 20).await.unwrap(), 2);
    let left: Vec<u64> = store.audit_after(scope, 0, 9).await.unwrap().iter().map(|one| one.seq).collect();
    assert_eq!(left, [3, 4]);
}

#[tokio::test]
async fn a_file_of_schema_4_is_brought_up_to_date_and_its_open_commit_is_settled() {
    let home = Home::sqlite();
    home.sql(SCHEMA_4).await;
    let store = home.store().await;
    let runs = store.last_runs(HERE, Some(PIPELINE), 10).await.unwrap();
    let seen: Vec<_> = runs.iter().map(|r| (r.id.as_str(), r.state, r.streams[0].state)).collect();
    let expected =
        [("run-2", RunState::Running, LoadState::Running), ("run-1", RunState::Succeeded, LoadState::Committed)];
    assert_eq!(seen, expected);
    assert_eq!(runs[1].streams[0].counts, StreamCounts { committed: 7, ..counts(7) });
    assert_eq!(store.state_of(HERE, PIPELINE, STREAM).await.unwrap().state, state("run-1"));
    assert_eq!(store.names_of(HERE, PIPELINE, STREAM).await.unwrap()["Größe"], "Gr_e");
    assert_eq!(recalled(&store).await, [Some(b"run-1".to_vec()), None]);

    let lease = leased(&store).await;
    let open = store.open_intents(HERE, &lease).await.unwrap();
    let receipt = sluice_core::load::CommitReceipt {
        load: open[0].intent.load.clone(),
        rows_committed: open[0].intent.rows,
        reference: "found".into(),
    };
    store.apply_commits(HERE, &lease, &[receipt], 9).await.unwrap();
    begin(&store, &lease, "run-3", 10).await;
    let after = store.state_of(HERE, PIPELINE, STREAM).await.unwrap();
    assert_eq!((after.state, after.revision), (state("run-2"), 2));
    assert_eq!(recalled(&store).await, [Some(b"run-2".to_vec()), None]);
}

async fn recalled(store: &Store) -> Vec<Option<Vec<u8>>> {
    store.recall_items(HERE, PIPELINE, STREAM, &[ItemKey::of("a.csv"), ItemKey::of("z.csv")]).await.unwrap()
}
