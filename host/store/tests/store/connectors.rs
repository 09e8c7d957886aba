//! Versions of uploaded connectors, installs, publishers' keys.

use ring::rand::SystemRandom;
use serde_json::json;
use sluice_core::connector::{VersionState, VersionStep};
use sluice_core::plan::{CheckStep, Outcome};
use sluice_core::run::RunState;
use sluice_core::signature::SecretKey;
use sluice_store::{Approval, ChangeError, Install, NewRecording, NewTenant, NewVersion, Scope, Store, VersionsBehind};

use crate::support::*;

on_both!(
    a_component_is_kept_once_and_looked_at_again_only_if_it_was_rejected,
    a_version_is_never_another_component,
    what_was_approved_is_installed_and_the_one_before_it_can_come_back,
    two_first_versions_at_once_leave_one_installed,
    what_was_yanked_is_not_gone_back_to,
    a_publisher_keeps_its_key_until_somebody_names_another,
    no_tenant_reaches_the_connectors_of_another,
    outcomes_are_told_by_digest,
    a_recording_is_kept_once_by_its_name_and_so_many_of_a_connector,
    no_tenant_reaches_the_recordings_of_another,
    a_tenant_stays_with_the_operators_version_before_until_there_is_another,
);

const A: Scope<'static> = Scope { tenant: "a" };
const B: Scope<'static> = Scope { tenant: "b" };

async fn two_tenants(home: &Home) -> Store {
    let store = home.store().await;
    for scope in [A, B] {
        store.create_tenant(&NewTenant { id: scope.tenant.into(), name: scope.tenant.into() }, 1).await.unwrap();
    }
    store
}

fn step() -> CheckStep {
    CheckStep { name: "file".into(), outcome: Outcome::Passed, detail: "7 bytes".into(), remedy: String::new() }
}

fn version(sha256: &str, number: &str) -> NewVersion {
    NewVersion {
        sha256: sha256.into(),
        name: "shop".into(),
        version: number.into(),
        publisher: "Acme".into(),
        manifest: json!({"name": "shop", "version": number}),
        report: vec![step()],
        signature: None,
    }
}

fn signed(new: NewVersion, key: &str) -> NewVersion {
    NewVersion { signature: Some((json!({"by": "x"}), key.into())), ..new }
}

fn a_key() -> String {
    SecretKey::generate(&SystemRandom::new()).unwrap().1.to_pem()
}

async fn add(store: &Store, scope: Scope<'_>, new: &NewVersion) {
    assert!(store.add_connector_version(scope, new, new.sha256.as_bytes(), "user u", 5).await.unwrap());
}

async fn approve(store: &Store, sha256: &str, instead_of: Option<&str>) -> Result<Install, ChangeError> {
    store.approve_connector(A, Approval { sha256, instead_of, pin: None }, "user boss", 7).await
}

async fn state(store: &Store, sha256: &str) -> VersionState {
    store.connector_version(A, sha256).await.unwrap().unwrap().state
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ChangeError>) -> String {
    match result {
        Err(ChangeError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn a_component_is_kept_once_and_looked_at_again_only_if_it_was_rejected(home: Home) {
    let store = two_tenants(&home).await;
    let new = version("11", "1.0.0");
    add(&store, A, &new).await;
    assert!(!store.add_connector_version(A, &new, b"11", "user other", 6).await.unwrap(), "it is there");
    let kept = store.connector_version(A, "11").await.unwrap().unwrap();
    assert_eq!((&kept.new, kept.state, kept.uploaded_us), (&new, VersionState::Valid, 5));
    assert_eq!((kept.uploaded_by.as_str(), &kept.decided, &kept.trial), ("user u", &None, &None));
    assert_eq!(store.connector_bytes(A, "11").await.unwrap().unwrap(), b"11");
    add(&store, B, &new).await;

    let by = ("user boss", "asks for too much");
    store.decide_connector_version(A, "11", VersionStep::Reject, by, 8).await.unwrap();
    let rejected = store.connector_version(A, "11").await.unwrap().unwrap();
    assert_eq!((rejected.state, rejected.reason.as_deref()), (VersionState::Rejected, Some("asks for too much")));
    assert_eq!(rejected.decided, Some((8, "user boss".into())));
    assert!(store.connector_bytes(B, "11").await.unwrap().is_some(), "somebody else has them too");
    store.decide_connector_version(B, "11", VersionStep::Reject, by, 9).await.unwrap();
    assert_eq!(store.connector_bytes(A, "11").await.unwrap(), None);
    assert_eq!(home.number("SELECT COUNT(*) FROM connector_components").await, 0);
    add(&store, A, &new).await;
    assert_eq!(state(&store, "11").await, VersionState::Valid);
}

async fn a_version_is_never_another_component(home: Home) {
    let store = two_tenants(&home).await;
    add(&store, A, &version("11", "1.0.0")).await;
    let other = store.add_connector_version(A, &version("22", "1.0.0"), b"22", "user u", 6).await;
    assert_eq!(other, Err(ChangeError::Taken { what: "component", field: "name and version" }));
    add(&store, B, &version("22", "1.0.0")).await;
    add(&store, A, &version("33", "1.1.0")).await;
    let listed = |name, after| VersionsBehind { name, after };
    let page = store.connector_versions(A, listed(Some("shop"), Some("11")), 9).await.unwrap();
    assert_eq!(page.iter().map(|one| one.new.sha256.as_str()).collect::<Vec<_>>(), ["33"]);
    assert_eq!(store.connector_versions(A, listed(None, None), 1).await.unwrap().len(), 1);
    assert_eq!(store.connector_versions(A, listed(Some("other"), None), 9).await.unwrap(), []);
    assert_eq!(store.undecided_versions(A).await.unwrap(), 2);
    approve(&store, "33", None).await.unwrap();
    assert_eq!((store.undecided_versions(A).await.unwrap(), store.undecided_versions(B).await.unwrap()), (1, 1));
}

async fn what_was_approved_is_installed_and_the_one_before_it_can_come_back(home: Home) {
    let store = two_tenants(&home).await;
    for (sha256, number) in [("11", "1.0.0"), ("22", "1.1.0"), ("33", "1.2.0")] {
        add(&store, A, &version(sha256, number)).await;
    }
    let first = approve(&store, "11", None).await.unwrap();
    assert_eq!((first.previous, first.since_us, first.by.as_str()), (None, 7, "user boss"));
    assert!(refusal(approve(&store, "22", None).await).contains("another version was installed"));
    store.keep_connector_trial(A, "22", &[step()]).await.unwrap();
    let second = approve(&store, "22", Some("11")).await.unwrap();
    assert_eq!(second.previous.as_deref(), Some("11"));
    assert_eq!(store.connector_version(A, "22").await.unwrap().unwrap().trial, Some(vec![step()]));
    assert_eq!(
        (state(&store, "11").await, state(&store, "22").await),
        (VersionState::Replaced, VersionState::Installed)
    );
    assert!(refusal(approve(&store, "22", Some("22")).await).contains("is installed"));

    let by = ("host", "its first run failed");
    assert!(refusal(store.go_back_to_connector(A, ("shop", "11"), by, 8).await).contains("by now"));
    let back = store.go_back_to_connector(A, ("shop", "22"), by, 8).await.unwrap();
    assert_eq!((back.sha256.as_str(), back.previous.as_deref(), back.by.as_str()), ("11", None, "host"));
    assert_eq!(store.connector_install(A, "shop").await.unwrap(), Some(back.clone()));
    assert_eq!(store.connector_installs(A).await.unwrap(), [back]);
    let left = store.connector_version(A, "22").await.unwrap().unwrap();
    assert_eq!((left.state, left.reason.as_deref()), (VersionState::Replaced, Some("its first run failed")));
    assert!(refusal(store.go_back_to_connector(A, ("shop", "11"), by, 9).await).contains("no version before"));
    assert_eq!(approve(&store, "22", Some("11")).await.unwrap().previous.as_deref(), Some("11"), "it may try again");
}

async fn two_first_versions_at_once_leave_one_installed(home: Home) {
    let store = two_tenants(&home).await;
    add(&store, A, &version("11", "1.0.0")).await;
    add(&store, A, &version("22", "1.1.0")).await;
    let (one, other) = tokio::join!(approve(&store, "11", None), approve(&store, "22", None));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

async fn what_was_yanked_is_not_gone_back_to(home: Home) {
    let store = two_tenants(&home).await;
    for (sha256, number) in [("11", "1.0.0"), ("22", "1.1.0"), ("33", "1.2.0")] {
        add(&store, A, &version(sha256, number)).await;
    }
    approve(&store, "11", None).await.unwrap();
    approve(&store, "22", Some("11")).await.unwrap();
    let by = ("user boss", "it leaks");
    store.decide_connector_version(A, "22", VersionStep::Yank, by, 8).await.unwrap();
    assert_eq!(store.connector_install(A, "shop").await.unwrap().unwrap().sha256, "22", "runs are to fail by name");
    assert!(refusal(approve(&store, "22", Some("22")).await).contains("was yanked"));
    // The one that takes its place leads back to what was before it.
    assert_eq!(approve(&store, "33", Some("22")).await.unwrap().previous.as_deref(), Some("11"));
    assert_eq!(state(&store, "22").await, VersionState::Yanked);
    store.decide_connector_version(A, "11", VersionStep::Yank, by, 9).await.unwrap();
    assert!(refusal(store.go_back_to_connector(A, ("shop", "33"), by, 9).await).contains("was yanked"));
    assert_eq!(state(&store, "33").await, VersionState::Installed, "nothing of it was done");
}

async fn a_publisher_keeps_its_key_until_somebody_names_another(home: Home) {
    let store = two_tenants(&home).await;
    let (key, other) = (a_key(), a_key());
    add(&store, A, &signed(version("11", "1.0.0"), &key)).await;
    add(&store, A, &signed(version("22", "1.1.0"), &other)).await;
    add(&store, A, &version("33", "1.2.0")).await;
    assert_eq!(store.publisher(A, "Acme").await.unwrap(), None);
    approve(&store, "11", None).await.unwrap();
    let pinned = store.publisher(A, "Acme").await.unwrap().unwrap();
    assert_eq!((pinned.key.as_str(), pinned.pinned_us, pinned.pinned_by.as_str()), (key.as_str(), 7, "user boss"));
    assert!(refusal(approve(&store, "22", Some("11")).await).contains("and this one is signed with SHA256:"));
    assert!(refusal(approve(&store, "33", Some("11")).await).contains("and this one is not signed"));
    let fingerprint = |pem: &str| sluice_core::signature::PublicKey::from_pem(pem).unwrap().fingerprint();
    let pin = async |sha256: &str, pin: &str| {
        store.approve_connector(A, Approval { sha256, instead_of: Some("11"), pin: Some(pin) }, "user boss", 9).await
    };
    assert!(refusal(pin("22", &fingerprint(&key)).await).contains("not with"));
    assert!(refusal(pin("33", &fingerprint(&key)).await).contains("signed with no key"));
    pin("22", &fingerprint(&other)).await.unwrap();
    assert_eq!(store.publisher(A, "Acme").await.unwrap().unwrap().key, other);
}

async fn no_tenant_reaches_the_connectors_of_another(home: Home) {
    let store = two_tenants(&home).await;
    add(&store, A, &signed(version("11", "1.0.0"), &a_key())).await;
    approve(&store, "11", None).await.unwrap();
    for scope in [B, Scope::OPERATOR] {
        assert_eq!(store.connector_version(scope, "11").await.unwrap(), None);
        assert_eq!(store.connector_bytes(scope, "11").await.unwrap(), None);
        assert_eq!(store.connector_versions(scope, VersionsBehind::default(), 9).await.unwrap(), []);
        assert_eq!(store.connector_install(scope, "shop").await.unwrap(), None);
        assert_eq!(store.connector_installs(scope).await.unwrap(), []);
        assert_eq!(store.publisher(scope, "Acme").await.unwrap(), None);
        let approval = Approval { sha256: "11", instead_of: None, pin: None };
        let missing = Err(ChangeError::Missing { what: "connector version" });
        assert_eq!(store.approve_connector(scope, approval, "x", 9).await, missing.clone());
        let yanked = store.decide_connector_version(scope, "11", VersionStep::Yank, ("x", "y"), 9).await;
        assert_eq!(yanked.map(|()| unreachable!()), missing);
        store.keep_connector_trial(scope, "11", &[step()]).await.unwrap();
        let back = store.go_back_to_connector(scope, ("shop", "11"), ("x", "y"), 9).await;
        assert_eq!(back, Err(ChangeError::Missing { what: "installed connector" }));
    }
    assert_eq!(store.connector_version(A, "11").await.unwrap().unwrap().trial, None);
    assert_eq!(state(&store, "11").await, VersionState::Installed);
}

async fn outcomes_are_told_by_digest(home: Home) {
    let store = home.store().await;
    let lease = leased(&store).await;
    let told = async |digest: &str| {
        (
            store.last_succeeded_with(HERE, PIPELINE, digest).await.unwrap(),
            store.has_succeeded_with(HERE, PIPELINE, digest).await.unwrap(),
        )
    };
    assert_eq!(told("ab12").await, (false, false));
    begin(&store, &lease, "run-1", 1).await;
    assert_eq!(told("ab12").await, (false, false), "it runs");
    store.end_run(HERE, &lease, "run-1", RunState::Succeeded, None, 2).await.unwrap();
    assert_eq!((told("ab12").await, told("cd34").await), ((true, true), (false, false)));
    begin(&store, &lease, "run-2", 3).await;
    store.end_run(HERE, &lease, "run-2", RunState::Failed, None, 4).await.unwrap();
    assert_eq!(told("ab12").await, (false, true));
}

fn recording(connector: &str, name: &str) -> NewRecording {
    NewRecording {
        connector: connector.into(),
        name: name.into(),
        sha256: "ab".repeat(32),
        version: "1.0.0".into(),
        digest: "cd".repeat(32),
        calls: 4,
        rows: 70,
    }
}

async fn keep(store: &Store, scope: Scope<'_>, new: &NewRecording, bytes: &[u8]) -> Result<bool, ChangeError> {
    store.put_connector_recording(scope, new, bytes, "user u", 5).await
}

async fn a_recording_is_kept_once_by_its_name_and_so_many_of_a_connector(home: Home) {
    let store = two_tenants(&home).await;
    let orders = recording("shop", "orders");
    assert_eq!(keep(&store, A, &orders, b"first").await, Ok(true));
    let kept = store.connector_recording(A, "shop", "orders").await.unwrap().unwrap();
    assert_eq!((&kept.new, kept.size, kept.added_us, kept.added_by.as_str()), (&orders, 5, 5, "user u"));
    let other = NewRecording { rows: 71, ..orders };
    assert_eq!(keep(&store, A, &other, b"another").await, Ok(false), "it takes the first one's place");
    assert_eq!(store.connector_recording(A, "shop", "orders").await.unwrap().unwrap().new, other);
    let bytes = store.connector_recording_bytes(A, "shop", "orders").await.unwrap();
    assert_eq!(bytes.as_deref(), Some(b"another".as_slice()));
    for number in 1..20 {
        assert_eq!(keep(&store, A, &recording("shop", &format!("r{number:02}")), b"x").await, Ok(true));
    }
    assert!(refusal(keep(&store, A, &recording("shop", "more"), b"x").await).contains("has 20 recordings already"));
    assert_eq!(keep(&store, A, &recording("shop", "r07"), b"y").await, Ok(false), "one more is none");
    assert_eq!(keep(&store, A, &recording("lab", "more"), b"x").await, Ok(true), "another connector has its own");
    assert_eq!(keep(&store, B, &recording("shop", "more"), b"x").await, Ok(true), "and so has another tenant");
    let listed = store.connector_recordings(A, "shop", Some("r17"), 9).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.new.name.as_str()).collect::<Vec<_>>(), ["r18", "r19"]);
    assert_eq!(store.connector_recordings(A, "shop", None, 7).await.unwrap().len(), 7);
    store.delete_connector_recording(A, "shop", "orders").await.unwrap();
    let missing = Err(ChangeError::Missing { what: "recording" });
    assert_eq!(store.delete_connector_recording(A, "shop", "orders").await, missing);
    assert_eq!(keep(&store, A, &recording("shop", "more"), b"x").await, Ok(true));
}

async fn no_tenant_reaches_the_recordings_of_another(home: Home) {
    let store = two_tenants(&home).await;
    keep(&store, A, &recording("shop", "orders"), b"of a").await.unwrap();
    for scope in [B, Scope::OPERATOR] {
        assert_eq!(store.connector_recording(scope, "shop", "orders").await.unwrap(), None);
        assert_eq!(store.connector_recording_bytes(scope, "shop", "orders").await.unwrap(), None);
        assert_eq!(store.connector_recordings(scope, "shop", None, 9).await.unwrap(), []);
        let missing = Err(ChangeError::Missing { what: "recording" });
        assert_eq!(store.delete_connector_recording(scope, "shop", "orders").await, missing);
    }
    keep(&store, B, &recording("shop", "orders"), b"of b").await.unwrap();
    let bytes = store.connector_recording_bytes(A, "shop", "orders").await.unwrap();
    assert_eq!(bytes.as_deref(), Some(b"of a".as_slice()));
}

async fn a_tenant_stays_with_the_operators_version_before_until_there_is_another(home: Home) {
    let store = two_tenants(&home).await;
    let install = async |sha256: &str, instead_of: Option<&str>| {
        let approval = Approval { sha256, instead_of, pin: None };
        store.approve_connector(Scope::OPERATOR, approval, "operator", 7).await.unwrap();
    };
    for (sha256, number) in [("11", "1.0.0"), ("22", "1.1.0"), ("33", "1.2.0")] {
        add(&store, Scope::OPERATOR, &version(sha256, number)).await;
    }
    let by = ("host", "its first run failed");
    let missing = Err(ChangeError::Missing { what: "installed connector" });
    assert_eq!(store.hold_connector(A, ("shop", "11"), by, 8).await, missing);
    install("11", None).await;
    assert!(refusal(store.hold_connector(A, ("shop", "11"), by, 8).await).contains("no version before"));
    install("22", Some("11")).await;
    assert!(refusal(store.hold_connector(A, ("shop", "11"), by, 8).await).contains("by now"));
    let hold = store.hold_connector(A, ("shop", "22"), by, 8).await.unwrap();
    assert_eq!((hold.sha256.as_str(), hold.instead_of.as_str(), hold.since_us), ("11", "22", 8));
    assert_eq!(store.connector_holds(A, Some("shop")).await.unwrap(), std::slice::from_ref(&hold));
    assert_eq!(store.connector_holds(A, None).await.unwrap(), [hold]);
    assert_eq!(store.connector_holds(A, Some("lab")).await.unwrap(), []);
    assert_eq!(store.connector_holds(B, None).await.unwrap(), [], "it is one tenant's");
    assert_eq!(store.connector_install(Scope::OPERATOR, "shop").await.unwrap().unwrap().sha256, "22");

    store.follow_connector(A, "shop").await.unwrap();
    assert_eq!(store.connector_holds(A, None).await.unwrap(), []);
    let nothing = Err(ChangeError::Missing { what: "connector that is held" });
    assert_eq!(store.follow_connector(A, "shop").await, nothing);

    store.hold_connector(A, ("shop", "22"), by, 9).await.unwrap();
    install("33", Some("22")).await;
    assert_eq!(store.connector_holds(A, None).await.unwrap(), [], "another one is installed");
    store.hold_connector(A, ("shop", "33"), by, 10).await.unwrap();
    store.decide_connector_version(Scope::OPERATOR, "22", VersionStep::Yank, ("operator", "x"), 11).await.unwrap();
    assert_eq!(store.connector_holds(A, None).await.unwrap(), [], "what was yanked is nothing to stay with");
}
