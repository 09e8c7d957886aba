//! What is old is forgotten, what is still needed is not, and the audit log is only ever added to.

use serde_json::json;
use sluice_store::{AuditEntry, NewTenant, Scope, Store};

use crate::support::*;

on_both!(
    the_audit_log_refuses_every_change_but_forgetting_its_first_entries,
    audit_entries_are_forgotten_from_the_first_on_and_that_is_an_entry,
    of_hosts_that_forget_at_once_none_forgets_too_much,
    old_runs_are_forgotten_with_all_that_is_theirs_and_needed_ones_stay,
    logs_are_forgotten_from_the_first_run_that_ended_on,
    a_sweep_is_one_hosts_at_a_time,
);

const A: Scope<'static> = Scope { tenant: "a" };

async fn entries(home: &Home, count: i64) -> Store {
    let store = home.store().await;
    store.create_tenant(&NewTenant { id: "a".into(), name: "a".into() }, 1).await.unwrap();
    for at in 1..=count {
        let entry = AuditEntry {
            actor: "host".into(),
            action: "secret.use".into(),
            object: format!("connection {at}"),
            address: None,
            detail: json!({}),
        };
        store.audit(A, &entry, at).await.unwrap();
    }
    store
}

async fn seqs(store: &Store) -> Vec<u64> {
    store.audit_after(A, 0, 1_000).await.unwrap().iter().map(|one| one.seq).collect()
}

async fn the_audit_log_refuses_every_change_but_forgetting_its_first_entries(home: Home) {
    let store = entries(&home, 5).await;
    assert_eq!(store.forget_audit(A, (3, "then"), 10, 9).await.unwrap(), 2);
    let mut changes = vec![
        "UPDATE audit_log SET actor = 'nobody' WHERE seq = 4",
        "UPDATE audit_log SET seq = 1 WHERE seq = 4",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE seq = 3",
        "UPDATE audit_heads SET seq = 2",
        "UPDATE audit_heads SET kept_from = 1",
        "UPDATE audit_heads SET kept_from = seq + 2",
        "UPDATE audit_heads SET tenant = 'b'",
        "DELETE FROM audit_heads",
    ];
    changes.extend(match home.is_postgres() {
        true => vec!["TRUNCATE audit_log", "TRUNCATE audit_heads"],
        false => vec![
            "INSERT OR REPLACE INTO audit_log SELECT tenant, seq, at_us, 'nobody', action, object, address, detail \
                       FROM audit_log WHERE seq = 4",
        ],
    });
    for change in changes {
        let refused = home.refuses(change).await;
        assert!(refused.contains("append-only") || refused.contains("only grows"), "{change}: {refused}");
    }
    let log = store.audit_after(A, 0, 9).await.unwrap();
    assert_eq!(log.iter().map(|one| one.seq).collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert!(log.iter().all(|one| one.entry.actor == "host"));
}

async fn audit_entries_are_forgotten_from_the_first_on_and_that_is_an_entry(home: Home) {
    let store = entries(&home, 10).await;
    assert_eq!(store.forget_audit(A, (1, "never"), 3, 20).await.unwrap(), 0);
    assert_eq!(store.forget_audit(A, (6, "then"), 3, 20).await.unwrap(), 3);
    assert_eq!(store.forget_audit(A, (6, "then"), 3, 21).await.unwrap(), 2);
    assert_eq!(store.forget_audit(A, (6, "then"), 3, 22).await.unwrap(), 0);
    assert_eq!(seqs(&store).await, [6, 7, 8, 9, 10, 11, 12], "numbers go on");
    let log = store.audit_after(A, 10, 9).await.unwrap();
    let told: Vec<_> = log.iter().map(|one| (one.entry.action.as_str(), one.entry.detail.clone())).collect();
    let told_of = |entries, kept_from| json!({"before": "then", "entries": entries, "kept_from": kept_from});
    assert_eq!(told, [("audit.forget", told_of(3, 4)), ("audit.forget", told_of(2, 6))]);
    assert_eq!(store.tenants_behind("", 9).await.unwrap(), ["a"]);
}

async fn of_hosts_that_forget_at_once_none_forgets_too_much(home: Home) {
    let store = entries(&home, 30).await;
    let mut hosts = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = home.store().await;
        hosts.spawn(async move {
            let mut gone = 0;
            while let more @ 1.. = store.forget_audit(A, (21, "then"), 7, 40).await.unwrap() {
                gone += more;
            }
            gone
        });
    }
    let gone: u64 = hosts.join_all().await.into_iter().sum();
    let left = seqs(&store).await;
    assert_eq!((gone, left[0]), (20, 21));
    assert_eq!(left, (21..).take(left.len()).collect::<Vec<_>>(), "without a gap");
}

/// Runs 1001 to 1250 of pipeline `p`, queued and ended one after the other, each with an attempt, a load that is committed and a log. Of
/// the first 150 every second one has succeeded.
const RUNS: &str = "
    INSERT INTO run_requests (tenant, id, pipeline, revision, connection, cause, requested_by, state, priority, not_before_us,
        queued_us, ended_us, attempts)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
    SELECT 'a', CAST(1000 + i AS TEXT), 'p', 1, 'c', 'manual', 'user ann',
        CASE WHEN i <= 150 AND i % 2 = 0 THEN 'succeeded' ELSE 'failed' END, 0, 0, i * 1000, i * 1000 + 500, 1 FROM n;
    INSERT INTO runs (tenant, id, pipeline, state, connector, connector_digest, contract, pipeline_fingerprint, started_us, request,
        attempt)
    SELECT tenant, 'run-' || id, pipeline, 'failed', 'files', 'x', '0.1', 'x', queued_us, id, 1 FROM run_requests;
    INSERT INTO run_streams (tenant, load_id, run_id, pipeline, stream, dataset_name, table_name, state, rows_read, rows_quarantined,
        values_nulled, rows_sent, rows_finalized, rows_committed, bytes_read, started_us)
    SELECT tenant, id || '-0', id, pipeline, 's', 'main', 't', 'committed', 1, 0, 0, 1, 1, 1, 8, started_us FROM runs;
    INSERT INTO artifacts (tenant, load_id, name, split, row_count, byte_count, state)
    SELECT tenant, load_id, 'part', '0', 1, 8, 'committed' FROM run_streams;
    INSERT INTO run_logs (tenant, request, attempt, line, at_us, level, message)
    SELECT tenant, id, 1, 1, queued_us, 'info', 'x' FROM run_requests;
    UPDATE artifacts SET state = 'open' WHERE load_id = 'run-1005-0';
    INSERT INTO commit_intents (tenant, load_id, pipeline, run_id, stream, intent, counts, recorded_us)
    VALUES ('a', 'run-1006-0', 'p', 'run-1006', 's', '{}', '{}', 1);
    INSERT INTO table_marks (tenant, pipeline, stream, dataset_name, table_name, last_load)
    VALUES ('a', 'p', 's', 'main', 't', 'run-1008-0');
    INSERT INTO stream_state (tenant, pipeline, stream, state, revision, updated_by_run, updated_us, planned_by)
    VALUES ('a', 'p', 's', '{}', 1, 'run-1007', 1, 'run-1007-0');
    UPDATE run_requests SET news_us = 1 WHERE id = '1009';
    UPDATE run_requests SET state = 'running', ended_us = NULL WHERE id = '1011';
    INSERT INTO run_requests (tenant, id, pipeline, revision, connection, cause, requested_by, state, priority, not_before_us,
        queued_us, ended_us, attempts) VALUES ('b', '1001', 'p', 1, 'c', 'manual', 'user bob', 'failed', 0, 0, 1, 2, 0)";

async fn counts(home: &Home) -> [i64; 5] {
    [
        home.number("SELECT COUNT(*) FROM run_requests WHERE tenant = 'a'").await,
        home.number("SELECT COUNT(*) FROM runs").await,
        home.number("SELECT COUNT(*) FROM run_streams").await,
        home.number("SELECT COUNT(*) FROM artifacts").await,
        home.number("SELECT COUNT(*) FROM run_logs").await,
    ]
}

async fn old_runs_are_forgotten_with_all_that_is_theirs_and_needed_ones_stay(home: Home) {
    let store = home.store().await;
    home.sql(RUNS).await;
    assert_eq!(counts(&home).await, [250; 5]);
    // The runs 1 to 139 are old. Of them stay the last 50 that succeeded (52, 54, …), and those that are needed.
    let mut forgotten = Vec::new();
    for expected in [50, 39, 0] {
        forgotten.push(store.forget_runs(A, "p", 140_000, 50).await.unwrap());
        assert_eq!(forgotten.last(), Some(&expected), "{forgotten:?}");
    }
    assert_eq!(counts(&home).await, [161; 5]);
    let needed = "SELECT COUNT(*) FROM run_requests WHERE id IN ('1005', '1006', '1007', '1008', '1009', '1011')";
    assert_eq!(home.number(needed).await, 6);
    let good = "SELECT COUNT(*) FROM run_requests WHERE state = 'succeeded'";
    assert_eq!(home.number(good).await, 52, "the last fifty, and two that are needed");
    // However old everything is, the last hundred stay.
    while store.forget_runs(A, "p", i64::MAX, 50).await.unwrap() > 0 {}
    let last = "SELECT COUNT(*) FROM run_requests WHERE tenant = 'a' AND queued_us > 150000";
    assert_eq!(home.number(last).await, 100);
    assert_eq!(store.forget_runs(A, "q", i64::MAX, 50).await.unwrap(), 0);
    assert_eq!(home.number("SELECT COUNT(*) FROM run_requests WHERE tenant = 'b'").await, 1, "another tenant's");
    assert_eq!(home.number("SELECT COUNT(*) FROM stream_state").await, 1);
}

async fn logs_are_forgotten_from_the_first_run_that_ended_on(home: Home) {
    let store = home.store().await;
    home.sql(RUNS).await;
    let mut from = store.take_sweep("logs", 10, 1).await.unwrap().unwrap();
    let mut batches = 0;
    while let Some(next) = store.forget_logs("logs", &from, 200_000, 40).await.unwrap() {
        from = next;
        batches += 1;
    }
    assert_eq!(batches, 5);
    // 200 to 250, and the one that is still running.
    assert_eq!(home.number("SELECT COUNT(*) FROM run_logs").await, 52);
    assert_eq!(home.number("SELECT COUNT(*) FROM run_requests WHERE tenant = 'a'").await, 250, "the runs stay");
    let again = store.take_sweep("logs", 30, 20).await.unwrap().unwrap();
    // It goes on a little before where it was: clocks differ.
    assert!(store.forget_logs("logs", &again, 200_000, 1_000).await.unwrap().is_some());
    assert_eq!(home.number("SELECT COUNT(*) FROM run_logs").await, 52);
}

async fn a_sweep_is_one_hosts_at_a_time(home: Home) {
    let mut hosts = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let store = home.store().await;
        hosts.spawn(async move { store.take_sweep("x", 100, 10).await.unwrap().is_some() });
    }
    assert_eq!(hosts.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
    let store = home.store().await;
    assert_eq!(store.take_sweep("x", 300, 99).await.unwrap(), None);
    store.hold_sweep("x", 200).await.unwrap();
    assert_eq!(store.take_sweep("x", 300, 199).await.unwrap(), None);
    assert!(store.take_sweep("x", 300, 200).await.unwrap().is_some(), "whoever had it is gone");
    assert!(store.take_sweep("y", 300, 1).await.unwrap().is_some(), "another one");
}
