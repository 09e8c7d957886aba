//! Connections and their secrets, pipelines and their revisions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::json;
use sluice_core::request::{Cause, RequestState};
use sluice_store::{
    ChangeError, ConnectionChange, MasterKey, MasterKeys, Moments, NewConnection, NewPipeline, NewRequest, NewTenant,
    OpenSecret, PipelineChange, Plain, Recorded, Rewrapped, Scope, SecretChange, SecretField, SecretValue, Store,
    Timing, Vault,
};

use crate::support::*;

on_both!(
    a_connection_is_changed_by_who_saw_its_last_revision,
    of_many_that_take_a_name_at_once_one_gets_it,
    a_name_is_free_again_once_its_connection_is_deleted,
    a_connection_that_a_pipeline_uses_is_not_deleted,
    a_secret_opens_again_and_is_nowhere_in_the_database,
    a_secret_that_was_copied_elsewhere_does_not_open,
    a_master_key_is_replaced_without_a_pause,
    keys_are_wrapped_again_while_others_seal_and_open_and_also_after_an_interruption,
    a_key_that_cannot_be_unwrapped_keeps_no_other_from_being_wrapped_again,
    keys_that_are_replaced_are_those_of_every_clone,
    many_hosts_that_seal_the_first_secret_share_one_key,
    every_revision_of_a_pipeline_is_kept,
    a_schedule_changes_with_its_pipeline_and_an_untouched_one_goes_on,
    a_deleted_pipeline_is_not_run_any_more_and_its_history_stays,
    no_tenant_reaches_what_another_configures,
);

const A: Scope<'static> = Scope { tenant: "a" };
const B: Scope<'static> = Scope { tenant: "b" };
const SECRET: &str = "correct-horse-battery";

async fn two_tenants(home: &Home) -> Store {
    let store = home.store().await;
    for scope in [A, B] {
        store.create_tenant(&NewTenant { id: scope.tenant.into(), name: scope.tenant.into() }, 1).await.unwrap();
    }
    store
}

fn key(id: &str, byte: u8) -> MasterKey {
    MasterKey::new(id, [byte; 32])
}

fn vault_of(writes: MasterKey, reads: Vec<MasterKey>) -> Vault {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let dice = |buffer: &mut [u8]| {
        buffer.fill(NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(())
    };
    Vault::new(MasterKeys::new(writes, reads), Arc::new(dice))
}

fn vault() -> Vault {
    vault_of(key("m1", 1), vec![])
}

fn connection(id: &str) -> NewConnection {
    NewConnection {
        id: id.into(),
        name: format!("name of {id}"),
        connector: "postgres".into(),
        config: json!({"host": "db"}),
        grants: json!({"private_network": true}),
    }
}

fn change(name: &str) -> ConnectionChange {
    ConnectionChange { name: name.into(), config: json!({"host": "db2"}), grants: json!({}) }
}

fn secret(field: &str, text: &str) -> SecretChange {
    SecretChange { field: field.into(), value: SecretValue::Set(Plain::new(text)) }
}

async fn connected(store: &Store, scope: Scope<'_>, id: &str, secrets: &[SecretChange]) {
    store.create_connection(scope, &vault(), &connection(id), secrets, "ann", 5).await.unwrap();
}

async fn opened(store: &Store, vault: &Vault, scope: Scope<'_>, id: &str) -> BTreeMap<String, String> {
    let secrets = store.open_secrets(scope, vault, id).await.unwrap();
    let text = |secret| match secret {
        OpenSecret::Plain(plain) => plain.expose_text().unwrap().to_owned(),
        OpenSecret::Reference(name) => format!("→{name}"),
    };
    secrets.into_iter().map(|(field, secret)| (field, text(secret))).collect()
}

async fn a_connection_is_changed_by_who_saw_its_last_revision(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[]).await;
    connected(&store, A, "c2", &[]).await;
    let update =
        async |seen, name: &str| store.update_connection(A, &vault(), "c1", seen, &change(name), &[], "bob", 9).await;
    assert_eq!(update(1, "shop").await, Ok(2));
    assert_eq!(update(1, "late").await, Err(ChangeError::Stale { what: "connection", seen: 1, now: 2 }));
    assert_eq!(update(2, "name of c2").await, Err(ChangeError::Taken { what: "connection", field: "name" }));
    let now = store.connection(A, "c1").await.unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.revision, now.updated_by.as_str(), now.updated_us), ("shop", 2, "bob", 9));
    assert_eq!((now.config, now.connector.as_str(), now.created_us), (json!({"host": "db2"}), "postgres", 5));
    let page = store.connections(A, None, None, 1).await.unwrap();
    assert_eq!((page.len(), page[0].id.as_str()), (1, "c1"));
    assert_eq!(store.connections(A, None, Some("c1"), 9).await.unwrap()[0].id, "c2");
    let named = async |text: &str| {
        let found = store.connections(A, Some(text), None, 9).await.unwrap();
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!((named("SHO").await, named("of C").await), (vec!["c1".to_owned()], vec!["c2".to_owned()]));
    assert_eq!((named("%").await, named("_").await, named("").await.len()), (Vec::new(), Vec::new(), 2));
}

async fn of_many_that_take_a_name_at_once_one_gets_it(home: Home) {
    let store = two_tenants(&home).await;
    let mut stores = Vec::new();
    for n in 0..6 {
        connected(&store, A, &format!("c{n}"), &[]).await;
        let own = home.store().await;
        own.ping().await.unwrap();
        own.connection(A, "c0").await.unwrap();
        stores.push(own);
    }
    for round in 0..5 {
        let mut changes = tokio::task::JoinSet::new();
        for (n, store) in stores.iter().enumerate() {
            let (store, id) = (store.clone(), format!("c{n}"));
            changes.spawn(async move {
                let seen = store.connection(A, &id).await.unwrap().unwrap().revision;
                let name = format!("wanted {round}");
                store.update_connection(A, &vault(), &id, seen, &change(&name), &[], "ann", 9).await
            });
        }
        let all = changes.join_all().await;
        let taken = Err(ChangeError::Taken { what: "connection", field: "name" });
        assert_eq!(all.iter().filter(|result| result.is_ok()).count(), 1, "{all:?}");
        assert_eq!(all.iter().filter(|result| **result == taken).count(), 5, "{all:?}");
    }
}

async fn a_name_is_free_again_once_its_connection_is_deleted(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[secret("/password", SECRET)]).await;
    let same = NewConnection { id: "c2".into(), ..connection("c1") };
    let taken = store.create_connection(A, &vault(), &same, &[], "ann", 6).await.unwrap_err();
    assert_eq!(taken, ChangeError::Taken { what: "connection", field: "name" });
    assert!(matches!(store.delete_connection(A, "c1", 7, "ann", 7).await, Err(ChangeError::Stale { now: 1, .. })));
    store.delete_connection(A, "c1", 1, "ann", 7).await.unwrap();
    assert_eq!(store.connection(A, "c1").await.unwrap(), None);
    assert_eq!(home.number("SELECT COUNT(*) FROM connection_secrets").await, 0, "its secrets are gone");
    store.create_connection(A, &vault(), &same, &[], "ann", 8).await.unwrap();
    assert!(store.delete_connection(A, "c1", 2, "ann", 9).await.is_err());
}

async fn a_connection_that_a_pipeline_uses_is_not_deleted(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[]).await;
    store.create_pipeline(A, &pipeline("p1", "c1"), None, "ann", 6).await.unwrap();
    let refused = store.delete_connection(A, "c1", 1, "ann", 7).await.unwrap_err();
    assert!(matches!(&refused, ChangeError::Refused(text) if text.contains("pipeline load p1")), "{refused}");
    store.delete_pipeline(A, "p1", 1, "ann", 8).await.unwrap();
    store.delete_connection(A, "c1", 1, "ann", 9).await.unwrap();
    let gone = store.create_pipeline(A, &pipeline("p2", "c1"), None, "ann", 10).await.unwrap_err();
    assert_eq!(gone, ChangeError::Missing { what: "connection" });
}

async fn a_secret_opens_again_and_is_nowhere_in_the_database(home: Home) {
    let store = two_tenants(&home).await;
    let first = [secret("/password", SECRET), secret("/tls/key", "another-secret")];
    connected(&store, A, "c1", &first).await;
    let expected = [("/password".into(), SECRET.into()), ("/tls/key".into(), "another-secret".into())];
    assert_eq!(opened(&store, &vault(), A, "c1").await, BTreeMap::from(expected));
    let fields = ["/password", "/tls/key"].map(|field| SecretField { field: field.into(), reference: None });
    assert_eq!(store.secret_fields(A, "c1").await.unwrap(), fields);
    let listed = store.secret_fields_between(A, ("c1", "c1")).await.unwrap();
    assert_eq!(listed["c1"], fields);
    assert!(store.secret_fields_between(B, ("c1", "c1")).await.unwrap().is_empty());
    assert!(store.secret_fields_between(A, ("c2", "c9")).await.unwrap().is_empty());

    let reference = SecretChange { field: "/token".into(), value: SecretValue::Reference("sm://x".into()) };
    let remove = SecretChange { field: "/tls/key".into(), value: SecretValue::Remove };
    let changes = [secret("/password", "new-password-here"), reference, remove];
    store.update_connection(A, &vault(), "c1", 1, &change("n"), &changes, "ann", 6).await.unwrap();
    let expected = [("/password".into(), "new-password-here".into()), ("/token".into(), "→sm://x".into())];
    assert_eq!(opened(&store, &vault(), A, "c1").await, BTreeMap::from(expected));
    // A change that names no secret leaves all of them.
    store.update_connection(A, &vault(), "c1", 2, &change("n"), &[], "ann", 7).await.unwrap();
    assert_eq!(opened(&store, &vault(), A, "c1").await.len(), 2);

    let shown = format!("{changes:?} {:?}", store.open_secrets(A, &vault(), "c1").await.unwrap());
    assert!(!shown.contains("new-password-here"), "{shown}");
    if let Home::Sqlite { path, .. } = &home {
        store.close().await;
        let bytes = std::fs::read(path).unwrap();
        for secret in [SECRET, "another-secret", "new-password-here"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    } else {
        let found = home.number(
            "SELECT COUNT(*) FROM connection_secrets WHERE position('new-password-here'::bytea in sealed) > 0 \
             OR position('correct-horse'::bytea in sealed) > 0",
        );
        assert_eq!(found.await, 0);
    }
}

async fn a_secret_that_was_copied_elsewhere_does_not_open(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[secret("/password", SECRET), secret("/user", "u")]).await;
    connected(&store, A, "c2", &[secret("/password", "other")]).await;
    home.sql(
        "UPDATE connection_secrets SET sealed = (SELECT s.sealed FROM connection_secrets s \
         WHERE s.connection_id = 'c1' AND s.field = '/password') WHERE connection_id = 'c2'",
    )
    .await;
    let error = store.open_secrets(A, &vault(), "c2").await.unwrap_err();
    assert!(error.message.contains("/password does not open") && !error.message.contains(SECRET), "{error}");
    assert_eq!(opened(&store, &vault(), A, "c1").await.len(), 2);
    home.sql("UPDATE connection_secrets SET sealed = NULL WHERE connection_id = 'c2'").await;
    assert!(store.open_secrets(A, &vault(), "c2").await.is_err(), "neither sealed nor a reference");
}

async fn a_master_key_is_replaced_without_a_pause(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[secret("/password", SECRET)]).await;
    connected(&store, B, "c1", &[secret("/password", "theirs")]).await;
    let both = vault_of(key("m2", 2), vec![key("m1", 1)]);
    assert_eq!(opened(&store, &both, A, "c1").await["/password"], SECRET);
    let only_new = vault_of(key("m2", 2), vec![]);
    let error = store.open_secrets(A, &only_new, "c1").await.unwrap_err();
    assert!(error.message.contains("master key m1"), "{error}");
    assert_eq!(store.wrapped_keys().await.unwrap(), [("m1".to_owned(), 2)]);
    let mut told = Vec::new();
    let all = store.rewrap(&both, 9, |done| told.push(done)).await.unwrap();
    assert_eq!((all.done, all.failed, told), (2, 0, vec![1, 2]));
    assert_eq!(store.rewrap(&both, 9, |_| ()).await.unwrap(), Rewrapped::default());
    assert_eq!(store.wrapped_keys().await.unwrap(), [("m2".to_owned(), 2)]);
    let log = store.audit_after(B, 0, 9).await.unwrap();
    assert_eq!(
        (log[0].entry.action.as_str(), &log[0].entry.detail),
        ("key.rewrap", &json!({"from": "m1", "to": "m2"}))
    );
    assert_eq!(opened(&store, &only_new, A, "c1").await["/password"], SECRET);
    assert_eq!(opened(&store, &only_new, B, "c1").await["/password"], "theirs");
    assert!(store.open_secrets(A, &vault(), "c1").await.is_err(), "the old key opens nothing any more");
}

async fn keys_are_wrapped_again_while_others_seal_and_open_and_also_after_an_interruption(home: Home) {
    let store = home.store().await;
    for n in 0..40 {
        let id = format!("t{n:02}");
        store.create_tenant(&NewTenant { id: id.clone(), name: id.clone() }, 1).await.unwrap();
        connected(&store, Scope { tenant: &id }, "c1", &[secret("/password", &id)]).await;
    }
    let both = vault_of(key("m2", 2), vec![key("m1", 1)]);
    // Hosts that have not been told of the new order of keys yet: they open both, and seal with the old one.
    let old_order = vault_of(key("m1", 1), vec![key("m2", 2)]);
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..3 {
        let (store, vault) = (home.store().await, old_order.clone());
        hosts.spawn(async move {
            for n in 0..40 {
                let id = format!("t{n:02}");
                assert_eq!(opened(&store, &vault, Scope { tenant: &id }, "c1").await["/password"], id);
                let id = format!("new-{host}-{n}");
                store.create_tenant(&NewTenant { id: id.clone(), name: id.clone() }, 1).await.unwrap();
                let (scope, new) = (Scope { tenant: &id }, [secret("/password", &id)]);
                store.create_connection(scope, &vault, &connection("c1"), &new, "ann", 5).await.unwrap();
            }
        });
    }
    // Interrupted somewhere in the middle, and begun again.
    let interrupted = home.store().await;
    let some = tokio::time::timeout(std::time::Duration::from_millis(40), interrupted.rewrap(&both, 9, |_| ())).await;
    drop(some);
    let two = tokio::join!(store.rewrap(&both, 9, |_| ()), interrupted.rewrap(&both, 9, |_| ()));
    assert_eq!((two.0.unwrap().failed, two.1.unwrap().failed), (0, 0));
    hosts.join_all().await;
    store.rewrap(&both, 9, |_| ()).await.unwrap();
    assert_eq!(store.wrapped_keys().await.unwrap(), [("m2".to_owned(), 160)]);
    let only_new = vault_of(key("m2", 2), vec![]);
    for id in ["t00", "t39", "new-0-0", "new-2-39"] {
        assert_eq!(opened(&store, &only_new, Scope { tenant: id }, "c1").await["/password"], id);
    }
}

async fn a_key_that_cannot_be_unwrapped_keeps_no_other_from_being_wrapped_again(home: Home) {
    let store = two_tenants(&home).await;
    let lost = vault_of(key("lost", 9), vec![]);
    store.create_connection(A, &lost, &connection("c1"), &[secret("/password", SECRET)], "ann", 5).await.unwrap();
    connected(&store, B, "c1", &[secret("/password", "theirs")]).await;
    let both = vault_of(key("m2", 2), vec![key("m1", 1)]);
    let all = store.rewrap(&both, 9, |_| ()).await.unwrap();
    assert_eq!((all.done, all.failed), (1, 1));
    assert!(all.errors[0].message.contains("master key lost"), "{:?}", all.errors);
    let counted = store.wrapped_keys().await.unwrap();
    assert_eq!(counted, [("lost".to_owned(), 1), ("m2".to_owned(), 1)]);
}

async fn keys_that_are_replaced_are_those_of_every_clone(home: Home) {
    let store = two_tenants(&home).await;
    let (vault, new) = (vault(), vault_of(key("m2", 2), vec![]));
    let clone = vault.clone();
    store.create_connection(A, &new, &connection("c1"), &[secret("/password", SECRET)], "ann", 5).await.unwrap();
    assert!(store.open_secrets(A, &clone, "c1").await.is_err());
    vault.replace_keys(MasterKeys::new(key("m1", 1), vec![key("m2", 2)]));
    assert_eq!(opened(&store, &clone, A, "c1").await["/password"], SECRET);
}

async fn many_hosts_that_seal_the_first_secret_share_one_key(home: Home) {
    two_tenants(&home).await;
    let mut hosts = tokio::task::JoinSet::new();
    for n in 0..6 {
        let store = home.store().await;
        hosts.spawn(async move {
            let id = format!("c{n}");
            connected(&store, A, &id, &[secret("/password", SECRET)]).await;
            opened(&store, &vault(), A, &id).await["/password"].clone()
        });
    }
    assert_eq!(hosts.join_all().await, [SECRET; 6]);
    assert_eq!(home.number("SELECT COUNT(*) FROM data_keys").await, 1);
}

fn pipeline(id: &str, connection: &str) -> NewPipeline {
    NewPipeline { id: id.into(), first: definition(&format!("load {id}"), connection) }
}

fn definition(name: &str, connection: &str) -> PipelineChange {
    PipelineChange {
        name: name.into(),
        connection: connection.into(),
        definition: json!({"streams": [{"id": "a"}], "name": name}),
        enabled: true,
    }
}

async fn every_revision_of_a_pipeline_is_kept(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[]).await;
    store.create_pipeline(A, &pipeline("p1", "c1"), None, "ann", 6).await.unwrap();
    store.create_pipeline(A, &pipeline("p2", "c1"), None, "ann", 6).await.unwrap();
    let update =
        async |seen, name: &str| store.update_pipeline(A, "p1", seen, &definition(name, "c1"), None, "bob", 7).await;
    assert_eq!((update(1, "second").await, update(2, "third").await), (Ok(2), Ok(3)));
    assert_eq!(update(2, "late").await, Err(ChangeError::Stale { what: "pipeline", seen: 2, now: 3 }));
    assert_eq!(update(3, "load p2").await, Err(ChangeError::Taken { what: "pipeline", field: "name" }));
    let nowhere = store.update_pipeline(A, "p1", 3, &definition("x", "c9"), None, "bob", 7).await;
    assert_eq!(nowhere, Err(ChangeError::Missing { what: "connection" }));
    let all = store.pipeline_revisions(A, "p1", None, 2).await.unwrap();
    let seen: Vec<_> = all.iter().map(|r| (r.revision, r.was.name.as_str(), r.changed_by.as_str())).collect();
    assert_eq!(seen, [(3, "third", "bob"), (2, "second", "bob")]);
    assert_eq!(store.pipeline_revisions(A, "p1", Some(2), 9).await.unwrap()[0].was, pipeline("p1", "c1").first);
    assert_eq!(store.pipeline_revision(A, "p1", 2).await.unwrap().unwrap().was.name, "second");
    assert_eq!(store.pipeline_by_name(A, "third").await.unwrap().unwrap().id, "p1");
    assert_eq!(store.pipelines(A, (Some("c1"), None), Some("p1"), 9).await.unwrap().len(), 1);
    assert_eq!(store.pipelines(A, (Some("c2"), None), None, 9).await.unwrap(), []);
    assert_eq!(store.pipelines(A, (None, None), None, 1).await.unwrap()[0].revision, 3);
    assert_eq!(store.pipelines(A, (Some("c1"), Some("THIR")), None, 9).await.unwrap()[0].id, "p1");
    assert_eq!(store.pipelines(A, (None, Some("d%p2")), None, 9).await.unwrap(), []);
}

fn timing(cron: &str, next: i64) -> Timing {
    let schedule = serde_json::from_value(json!({"cron": cron})).unwrap();
    Timing { schedule, next_due_us: Some(next) }
}

async fn a_schedule_changes_with_its_pipeline_and_an_untouched_one_goes_on(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[]).await;
    let hourly = timing("0 * * * *", 100);
    store.create_pipeline(A, &pipeline("p1", "c1"), Some(&hourly), "ann", 6).await.unwrap();
    let due = store.due_schedules(100, 9).await.unwrap().remove(0);
    assert_eq!((due.decided_us, due.scheduled.revision), (6, 1));
    let decided = Moments { decided_us: 100, next_due_us: Some(200), ..Moments::default() };
    store.record_moments(&[(due.clone(), decided.clone())], 101).await.unwrap();

    // Another name, the same schedule: what was decided stays decided.
    let again = timing("0 * * * *", 999);
    let p1 = definition("other", "c1");
    store.update_pipeline(A, "p1", 1, &p1, Some(&again), "ann", 150).await.unwrap();
    let due = store.due_schedules(200, 9).await.unwrap().remove(0);
    assert_eq!((due.decided_us, due.scheduled.revision, due.scheduled.next_due_us), (100, 2, Some(200)));

    store.update_pipeline(A, "p1", 2, &p1, Some(&timing("5 * * * *", 300)), "ann", 160).await.unwrap();
    assert_eq!(store.due_schedules(299, 9).await.unwrap(), []);
    assert_eq!(store.due_schedules(300, 9).await.unwrap()[0].decided_us, 160);
    // What another host had seen before the change is not recorded any more.
    assert_eq!(store.record_moments(&[(due.clone(), decided.clone())], 161).await.unwrap(), Recorded::default());
    assert_eq!(store.due_schedules(300, 9).await.unwrap()[0].decided_us, 160);
    let disabled = PipelineChange { enabled: false, ..p1.clone() };
    store.update_pipeline(A, "p1", 3, &disabled, Some(&hourly), "ann", 170).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    store.update_pipeline(A, "p1", 4, &p1, None, "ann", 180).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn a_deleted_pipeline_is_not_run_any_more_and_its_history_stays(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[]).await;
    store.create_pipeline(A, &pipeline("p1", "c1"), Some(&timing("0 * * * *", 100)), "ann", 6).await.unwrap();
    let waiting = NewRequest {
        id: "r1".into(),
        pipeline: "p1".into(),
        revision: 1,
        connection: "c1".into(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: None,
        requested_by: "ann".into(),
        priority: 0,
        not_before_us: 0,
        traceparent: None,
    };
    store.ask_for_run(A, &waiting, 7).await.unwrap();
    store.delete_pipeline(A, "p1", 1, "ann", 8).await.unwrap();
    assert_eq!((store.pipeline(A, "p1").await.unwrap(), store.next_due().await.unwrap()), (None, None));
    let run = store.run_request(A, "r1").await.unwrap().unwrap();
    assert_eq!((run.state, run.reason.as_deref()), (RequestState::Cancelled, Some("the pipeline was deleted")));
    assert_eq!(store.pipeline_revision(A, "p1", 1).await.unwrap().unwrap().was.name, "load p1");
    assert_eq!(store.delete_pipeline(A, "p1", 2, "ann", 9).await, Err(ChangeError::Missing { what: "pipeline" }));
    store.create_pipeline(A, &NewPipeline { id: "p2".into(), ..pipeline("p1", "c1") }, None, "ann", 10).await.unwrap();
}

async fn no_tenant_reaches_what_another_configures(home: Home) {
    let store = two_tenants(&home).await;
    connected(&store, A, "c1", &[secret("/password", SECRET)]).await;
    store.create_pipeline(A, &pipeline("p1", "c1"), None, "ann", 6).await.unwrap();
    assert_eq!(store.connection(B, "c1").await.unwrap(), None);
    assert_eq!(store.connections(B, None, None, 9).await.unwrap(), []);
    assert_eq!(store.open_secrets(B, &vault(), "c1").await.unwrap(), BTreeMap::new());
    assert_eq!(store.secret_fields(B, "c1").await.unwrap(), []);
    assert_eq!(store.pipeline(B, "p1").await.unwrap(), None);
    assert_eq!(store.pipeline_by_name(B, "load p1").await.unwrap(), None);
    assert_eq!(store.pipelines(B, (None, None), None, 9).await.unwrap(), []);
    assert_eq!(store.pipeline_revisions(B, "p1", None, 9).await.unwrap(), []);
    assert_eq!(store.pipeline_revision(B, "p1", 1).await.unwrap(), None);
    let missing = |what| Err(ChangeError::Missing { what });
    assert_eq!(store.create_pipeline(B, &pipeline("p2", "c1"), None, "bob", 6).await, missing("connection"));
    assert_eq!(store.delete_pipeline(B, "p1", 1, "bob", 7).await, missing("pipeline"));
    assert_eq!(store.delete_connection(B, "c1", 1, "bob", 7).await, missing("connection"));
    let changed = store.update_connection(B, &vault(), "c1", 1, &change("x"), &[], "bob", 7).await;
    assert_eq!(changed, Err(ChangeError::Missing { what: "connection" }));
}
