//! The store on real SQLite files.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assertion is how a test fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use sluice_core::RunError;
use sluice_core::commit::CommitIntent;
use sluice_core::error::{Actor, Kind};
use sluice_core::items::{ItemKey, Items};
use sluice_core::load::{Artifact, CommitReceipt, LoadId, LoadStrategy, TableName};
use sluice_core::plan::Cursor;
use sluice_core::run::{Held, ItemsAfter, PendingPlan, RunState, StreamCounts, StreamState};
use sluice_store::{Lease, LoadState, NewIntent, NewRun, NewStream, Scope, Store};
use tempfile::TempDir;

const PIPELINE: &str = "shop";
const HERE: Scope<'static> = Scope::LOCAL;

struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn file() -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    File { _folder: folder, path }
}

fn table() -> TableName {
    TableName { dataset: "main".into(), table: "orders".into() }
}

fn state(cursor: &str) -> StreamState {
    StreamState { cursor: Some(Cursor(cursor.as_bytes().to_vec())), pending: None }
}

fn artifact(load: &LoadId, name: &str, rows: u64, finalized: bool) -> Artifact {
    Artifact { load: load.clone(), split: "0".into(), name: name.into(), rows, bytes: rows * 10, finalized }
}

fn counts(rows: u64) -> StreamCounts {
    StreamCounts { read: rows, sent: rows, finalized: rows, bytes: rows * 8, ..StreamCounts::default() }
}

async fn begin(store: &Store, lease: &Lease, run: &str, now: i64) -> LoadId {
    let new = NewRun {
        id: run.into(),
        connector: "postgres 0.1.0".into(),
        connector_digest: "ab12".into(),
        contract: "0.1.0".into(),
        pipeline_fingerprint: "f".into(),
    };
    store.begin_run(HERE, lease, &new, now).await.unwrap();
    let load = LoadId::new(run, 0);
    let stream = NewStream { run: run.into(), load: load.clone(), stream: "public.orders".into(), table: table() };
    store.begin_stream(HERE, &stream, now).await.unwrap();
    load
}

/// A load whose rows are in the sink, up to the moment before the commit.
async fn staged(store: &Store, lease: &Lease, run: &str, rows: u64, cursor: &str) -> NewIntent {
    let load = begin(store, lease, run, 1).await;
    let name = format!("{run}/part");
    store.artifact_opened(HERE, &artifact(&load, &name, 0, false)).await.unwrap();
    store.artifact_progressed(HERE, &artifact(&load, &name, 1, false)).await.unwrap();
    let done = artifact(&load, &name, rows, true);
    store.artifact_finalized(HERE, &done).await.unwrap();
    let strategy = LoadStrategy::Transactional;
    let intent = CommitIntent { load, table: table(), strategy, artifacts: vec![done], rows, replaced: vec![] };
    NewIntent { intent, state_after: Some(state(cursor)), items_after: None, counts: counts(rows) }
}

fn receipt(new: &NewIntent) -> CommitReceipt {
    CommitReceipt { load: new.intent.load.clone(), rows_committed: new.intent.rows, reference: "folder".into() }
}

#[tokio::test]
async fn a_commit_moves_state_counts_ledger_and_intent_together() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().revision, 0);
    assert_eq!(store.open_intents(HERE, PIPELINE).await.unwrap().len(), 1);
    assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), [], "an open intent is settled first");

    for _ in 0..2 {
        store.apply_commits(HERE, &[receipt(&new)], 6).await.unwrap();
        let committed = store.state_of(HERE, PIPELINE, "public.orders").await.unwrap();
        assert_eq!((committed.state, committed.revision), (state("7"), 1));
        assert_eq!((committed.updated_by_run.as_deref(), committed.updated_us), (Some("r1"), Some(6)));
        assert_eq!(store.open_intents(HERE, PIPELINE).await.unwrap(), []);
        assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), []);
    }
    store.end_run(HERE, "r1", RunState::Succeeded, None, 9).await.unwrap();
    let run = store.last_runs(HERE, Some(PIPELINE), 10).await.unwrap().remove(0);
    assert_eq!((run.state, run.started_us, run.ended_us), (RunState::Succeeded, 1, Some(9)));
    assert_eq!(run.streams[0].counts, StreamCounts { committed: 7, ..counts(7) });
    assert!(run.streams[0].counts.reconciled());
    assert_eq!(
        (run.streams[0].state, run.streams[0].commit_reference.as_deref()),
        (LoadState::Committed, Some("folder"))
    );
}

#[tokio::test]
async fn a_commit_that_cannot_be_recorded_to_its_end_changes_nothing() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    let before = (store.open_intents(HERE, PIPELINE).await.unwrap(), store.last_runs(HERE, None, 10).await.unwrap());
    // The last statement of the transaction fails.
    sql(&file, "CREATE TRIGGER fails BEFORE DELETE ON commit_intents BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
        .await;

    let error = store.apply_commits(HERE, &[receipt(&new)], 6).await.unwrap_err();
    assert!(error.message.contains("disk on fire"), "{error}");
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().revision, 0);
    let after = (store.open_intents(HERE, PIPELINE).await.unwrap(), store.last_runs(HERE, None, 10).await.unwrap());
    assert_eq!(after, before);

    sql(&file, "DROP TRIGGER fails").await;
    store.apply_commits(HERE, &[receipt(&new)], 7).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().state, state("7"));
}

#[tokio::test]
async fn loads_that_are_applied_together_are_applied_all_or_none() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    let stranger = CommitReceipt { load: LoadId::new("unknown", 0), rows_committed: 1, reference: String::new() };
    assert!(store.apply_commits(HERE, &[receipt(&new), stranger], 6).await.is_err());
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().revision, 0);
    assert_eq!(store.open_intents(HERE, PIPELINE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_commit_of_another_number_of_rows_is_not_recorded() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    let short = CommitReceipt { rows_committed: 6, ..receipt(&new) };
    let error = store.apply_commits(HERE, &[short], 6).await.unwrap_err();
    assert!(error.message.contains("7 rows") && error.message.contains("reports 6"), "{error}");
    assert_eq!(store.open_intents(HERE, PIPELINE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_next_process_finds_what_a_killed_one_left() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    let other = begin(&store, &lease, "r2", 6).await;
    store.artifact_opened(HERE, &artifact(&other, "r2/part", 0, false)).await.unwrap();
    // Never closed: its connection is still there, as that of a killed process would be to the file.
    std::mem::forget(store);
    drop(lease);

    let next = Store::open(&file.path).await.unwrap();
    let lease = next.lease(HERE, PIPELINE).unwrap();
    let open = next.open_intents(HERE, PIPELINE).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0].intent, &open[0].state_after, &open[0].counts), (&new.intent, &new.state_after, &new.counts));
    assert_eq!((open[0].run.as_str(), open[0].stream.as_str()), ("r1", "public.orders"));
    let left = next.unfinished_artifacts(HERE, PIPELINE).await.unwrap();
    assert_eq!(left, [artifact(&other, "r2/part", 0, false)]);
    next.apply_commits(HERE, &[receipt(&new)], 8).await.unwrap();
    next.mark_abandoned(HERE, &left).await.unwrap();
    assert_eq!(next.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), []);

    begin(&next, &lease, "r3", 9).await;
    let runs = next.last_runs(HERE, Some(PIPELINE), 10).await.unwrap();
    let states: Vec<_> = runs.iter().map(|r| (r.id.as_str(), r.state, r.streams[0].state)).collect();
    let expected = [
        ("r3", RunState::Running, LoadState::Running),
        ("r2", RunState::Failed, LoadState::Failed),
        ("r1", RunState::Failed, LoadState::Committed),
    ];
    assert_eq!(states, expected);
    assert_eq!(next.state_of(HERE, PIPELINE, "public.orders").await.unwrap().state, state("7"));
}

#[tokio::test]
async fn an_intent_that_cannot_be_committed_is_dropped_and_its_artifacts_are_left_to_abandon() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    let why = RunError::new(Kind::NotFound, Actor::Sink, "the staged file is gone");
    store.drop_intent(HERE, &new.intent.load, &why, 6).await.unwrap();
    assert_eq!(store.open_intents(HERE, PIPELINE).await.unwrap(), []);
    assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), new.intent.artifacts);
    let run = store.last_runs(HERE, None, 1).await.unwrap().remove(0);
    assert_eq!((run.streams[0].state, run.streams[0].error.as_ref()), (LoadState::Failed, Some(&why)));
    let error = store.apply_commits(HERE, &[receipt(&new)], 7).await.unwrap_err();
    assert!(error.message.contains("never recorded"), "{error}");
}

#[tokio::test]
async fn what_a_state_holds_is_not_unfinished_until_it_is_given_up_or_committed() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    let held = Held { intent: new.intent.clone(), counts: new.counts.clone() };
    let pending = PendingPlan { splits: vec![], state_after: None, items: None, held: Some(vec![held]) };
    let holding = StreamState { pending: Some(pending), ..state("1") };
    let owner = (PIPELINE, "public.orders", "r1");
    store.keep_back(HERE, owner, &holding, 5).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), []);
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().state, holding);
    // Given up, kept again, and forgotten.
    store.keep_back(HERE, owner, &holding.without_pending(), 6).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), new.intent.artifacts);
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().state, state("1"));
    store.keep_back(HERE, owner, &holding, 7).await.unwrap();
    store.forget_state(HERE, PIPELINE, "public.orders").await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), new.intent.artifacts);
    // Kept and committed by a later run.
    store.keep_back(HERE, owner, &holding, 8).await.unwrap();
    store.record_intents(HERE, std::slice::from_ref(&new), 9).await.unwrap();
    store.apply_commits(HERE, &[receipt(&new)], 10).await.unwrap();
    assert_eq!(store.state_of(HERE, PIPELINE, "public.orders").await.unwrap().state, state("7"));
    store.keep_back(HERE, owner, &state("7"), 11).await.unwrap();
    assert_eq!(store.unfinished_artifacts(HERE, PIPELINE).await.unwrap(), [], "what is committed stays committed");
}

#[tokio::test]
async fn an_artifact_must_be_opened_before_it_is_finalized_and_its_load_begun_before_that() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let load = begin(&store, &lease, "r1", 1).await;
    assert!(store.artifact_finalized(HERE, &artifact(&load, "x", 1, true)).await.is_err());
    assert!(store.artifact_opened(HERE, &artifact(&LoadId::new("other", 0), "x", 0, false)).await.is_err());
    let open = artifact(&load, "x", 0, false);
    store.artifact_opened(HERE, &open).await.unwrap();
    store.mark_abandoned(HERE, &[open]).await.unwrap();
    assert!(store.artifact_finalized(HERE, &artifact(&load, "x", 1, true)).await.is_err());
}

#[tokio::test]
async fn a_column_keeps_its_first_name_and_fields_of_different_structs_may_share_one() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let names = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    store.save_names(HERE, PIPELINE, "s", &names(&[("Größe", "Gr_e"), ("a b", "a_b")])).await.unwrap();
    store.save_names(HERE, PIPELINE, "s", &names(&[("a b", "other"), ("new", "new")])).await.unwrap();
    let expected = names(&[("Größe", "Gr_e"), ("a b", "a_b"), ("new", "new")]);
    assert_eq!(store.names_of(HERE, PIPELINE, "s").await.unwrap(), expected);

    store.save_names(HERE, PIPELINE, "s", &names(&[("a/x", "x"), ("b/x", "x")])).await.unwrap();
    assert_eq!(store.names_of(HERE, PIPELINE, "s").await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_tenant_sees_only_its_own() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let new = staged(&store, &lease, "r1", 7, "7").await;
    store.record_intents(HERE, std::slice::from_ref(&new), 5).await.unwrap();
    let other = Scope { tenant: "other" };
    assert_eq!(store.open_intents(other, PIPELINE).await.unwrap(), []);
    assert_eq!(store.last_runs(other, None, 10).await.unwrap(), []);
    assert!(store.apply_commits(other, &[receipt(&new)], 6).await.is_err());
    store.apply_commits(HERE, &[receipt(&new)], 6).await.unwrap();
    assert_eq!(store.state_of(other, PIPELINE, "public.orders").await.unwrap().revision, 0);
    assert!(store.forget_state(HERE, PIPELINE, "public.orders").await.unwrap());
    assert!(!store.forget_state(HERE, PIPELINE, "public.orders").await.unwrap());
}

fn items(entries: &[(&str, &str)]) -> Items {
    let mut items = Items::default();
    entries.iter().for_each(|(name, value)| assert!(items.push(ItemKey::of(name), value.as_bytes())));
    items
}

async fn recalled(store: &Store, names: &[&str]) -> Vec<Option<String>> {
    let keys: Vec<ItemKey> = names.iter().map(|name| ItemKey::of(name)).collect();
    let values = store.recall_items(HERE, PIPELINE, "public.orders", &keys).await.unwrap();
    values.into_iter().map(|value| value.map(|value| String::from_utf8(value).unwrap())).collect()
}

/// A load whose plan wants items remembered, up to the moment before the commit.
async fn remembering(store: &Store, lease: &Lease, run: &str, entries: &[(&str, &str)], anew: bool) -> NewIntent {
    let new = staged(store, lease, run, 1, run).await;
    let plan = new.intent.load.clone();
    store.plan_items(HERE, PIPELINE, &plan, items(entries)).await.unwrap();
    NewIntent { items_after: Some(ItemsAfter { plan, anew }), ..new }
}

async fn commit(store: &Store, new: &NewIntent) {
    store.record_intents(HERE, std::slice::from_ref(new), 5).await.unwrap();
    store.apply_commits(HERE, &[receipt(new)], 6).await.unwrap();
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| (!value.is_empty()).then(|| (*value).to_owned())).collect()
}

#[tokio::test]
async fn items_hold_with_the_commit_that_names_them_and_not_before() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    commit(&store, &remembering(&store, &lease, "r1", &[("a", "1"), ("b", "1")], false).await).await;
    assert_eq!(recalled(&store, &["b", "a", "c", "a"]).await, some(&["1", "1", "", "1"]));

    let second = remembering(&store, &lease, "r2", &[("b", "2"), ("c", "2")], false).await;
    assert_eq!(recalled(&store, &["a", "b", "c"]).await, some(&["1", "1", ""]));
    store.record_intents(HERE, std::slice::from_ref(&second), 5).await.unwrap();
    assert_eq!(recalled(&store, &["a", "b", "c"]).await, some(&["1", "1", ""]));
    store.drop_stale_items(HERE, PIPELINE).await.unwrap();
    for _ in 0..2 {
        store.apply_commits(HERE, &[receipt(&second)], 6).await.unwrap();
        assert_eq!(recalled(&store, &["a", "b", "c"]).await, some(&["1", "2", "2"]));
    }
    assert_eq!(planned(&file).await, 0);
    assert_eq!(store.count_items(HERE, PIPELINE, "public.orders").await.unwrap(), 3);
    assert_eq!(store.count_items(Scope { tenant: "other" }, PIPELINE, "public.orders").await.unwrap(), 0);
}

#[tokio::test]
async fn a_plan_that_is_not_carried_out_leaves_nothing_behind() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let failed = remembering(&store, &lease, "r1", &[("a", "1")], false).await;
    assert_eq!(planned(&file).await, 1);
    store.drop_stale_items(HERE, PIPELINE).await.unwrap();
    assert_eq!(planned(&file).await, 0);

    // The sink has lost what an open commit was to show.
    let lost = remembering(&store, &lease, "r2", &[("a", "1")], false).await;
    store.record_intents(HERE, std::slice::from_ref(&lost), 5).await.unwrap();
    store.drop_intent(HERE, &lost.intent.load, &RunError::internal("lost"), 6).await.unwrap();
    store.drop_stale_items(HERE, PIPELINE).await.unwrap();
    assert_eq!((planned(&file).await, recalled(&store, &["a"]).await), (0, some(&[""])));
    drop(failed);
}

#[tokio::test]
async fn a_stopped_run_keeps_what_is_to_be_remembered_once_its_plan_is_finished() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let stopped = remembering(&store, &lease, "r1", &[("a", "1")], false).await;
    let after = stopped.items_after.clone().unwrap();
    let pending = PendingPlan { splits: vec![], state_after: None, items: Some(after.clone()), held: None };
    let state = StreamState { cursor: None, pending: Some(pending) };
    commit(&store, &NewIntent { state_after: Some(state), items_after: None, ..stopped }).await;
    store.drop_stale_items(HERE, PIPELINE).await.unwrap();
    assert_eq!((planned(&file).await, recalled(&store, &["a"]).await), (1, some(&[""])));

    let finished = NewIntent { items_after: Some(after), ..staged(&store, &lease, "r2", 1, "2").await };
    commit(&store, &finished).await;
    assert_eq!((planned(&file).await, recalled(&store, &["a"]).await), (0, some(&["1"])));
}

#[tokio::test]
async fn a_read_from_the_beginning_and_a_reset_forget_what_went_before() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    commit(&store, &remembering(&store, &lease, "r1", &[("a", "1"), ("b", "1")], false).await).await;
    commit(&store, &remembering(&store, &lease, "r2", &[("b", "2")], true).await).await;
    assert_eq!(recalled(&store, &["a", "b"]).await, some(&["", "2"]));
    assert!(store.forget_state(HERE, PIPELINE, "public.orders").await.unwrap());
    assert_eq!(recalled(&store, &["a", "b"]).await, some(&["", ""]));
}

#[tokio::test]
async fn more_keys_than_a_statement_takes_are_looked_up() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let names: Vec<String> = (0..12_345).map(|n| format!("logs/{n}.csv")).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    commit(&store, &remembering(&store, &lease, "r1", &entries, false).await).await;
    assert_eq!(store.count_items(HERE, PIPELINE, "public.orders").await.unwrap(), 12_345);
    let asked: Vec<&str> = names.iter().map(String::as_str).chain(["never"]).collect();
    let mut expected: Vec<Option<String>> = names.iter().cloned().map(Some).collect();
    expected.push(None);
    assert!(recalled(&store, &asked).await == expected);
}

/// Chunks that wait for their plan to be carried out.
async fn planned(file: &File) -> i64 {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file.path);
    let mut connection = options.connect().await.unwrap();
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM planned_items").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

#[tokio::test]
async fn only_one_process_runs_a_pipeline_and_the_error_names_it() {
    let file = file();
    let store = Store::open(&file.path).await.unwrap();
    let lease = store.lease(HERE, PIPELINE).unwrap();
    let error = Store::open(&file.path).await.unwrap().lease(HERE, PIPELINE).unwrap_err();
    assert_eq!((error.kind, error.actor), (Kind::Transient, Actor::User));
    assert!(error.message.contains(&format!("process {}", std::process::id())), "{error}");
    let _of_another = store.lease(HERE, "another").unwrap();
    drop(lease);
    store.lease(HERE, PIPELINE).unwrap();
    assert!(store.lease(HERE, "../x").is_err());
}

#[tokio::test]
async fn a_newer_file_is_refused_and_not_changed() {
    let file = file();
    Store::open(&file.path).await.unwrap().close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9000, 'from the future', 1, x'00', 1)";
    sql(&file, newer).await;
    let error = Store::open(&file.path).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported);
    assert!(error.message.contains("newer Sluice") && error.message.contains("state.db"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let file = file();
    std::fs::write(&file.path, vec![7_u8; 8192]).unwrap();
    let error = Store::open(&file.path).await.unwrap_err();
    assert_eq!(error.kind, Kind::Protocol);
    assert!(error.message.contains("state.db") && error.message.contains("backup"), "{error}");
    let missing = file.path.parent().unwrap().join("no/such/folder/state.db");
    let error = Store::open(&missing).await.unwrap_err();
    assert!(error.message.contains("folder exists"), "{error}");
}

/// Runs SQL on the file beside the store.
async fn sql(file: &File, text: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file.path);
    let mut connection = options.connect().await.unwrap();
    sqlx::query(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
