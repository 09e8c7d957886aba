//! Tenants, users, members, sessions, tokens.

use sluice_core::access::Role;
use sluice_store::{
    ChangeError, Failures, Identity, NewInvitation, NewSession, NewTenant, NewToken, NewUser, PasswordHash, Scope,
    Store, Whose,
};

use crate::support::*;

on_both!(
    a_tenant_is_renamed_by_who_saw_its_last_revision,
    an_email_address_is_unique_whatever_its_case,
    only_one_of_many_becomes_the_first_user,
    a_tenant_keeps_its_last_owner,
    an_invitation_is_accepted_once_and_in_time,
    a_new_person_and_the_membership_are_made_together,
    a_person_owns_only_so_many_tenants,
    a_session_ends_with_its_time_its_revocation_and_its_user,
    a_token_of_a_person_may_do_no_more_than_the_person,
    a_token_ends_with_its_time_its_revocation_and_the_membership,
    an_identity_belongs_to_one_user,
    failures_are_counted_within_their_window,
);

const A: Scope<'static> = Scope { tenant: "a" };
const B: Scope<'static> = Scope { tenant: "b" };

fn person(id: &str) -> NewUser {
    NewUser {
        id: id.into(),
        email: format!("{id}@example.com"),
        name: id.to_uppercase(),
        password: Some(PasswordHash("$argon2id$…".into())),
    }
}

fn tenant(id: &str) -> NewTenant {
    NewTenant { id: id.into(), name: id.to_uppercase() }
}

/// Two tenants, `a` owned by `ann` and `b` by `bob`.
async fn two_tenants(home: &Home) -> Store {
    let store = home.store().await;
    for (scope, user) in [(A, "ann"), (B, "bob")] {
        store.create_tenant(&tenant(scope.tenant), 1).await.unwrap();
        store.create_user(&person(user), 1).await.unwrap();
        store.add_member(scope, user, Role::Owner, 1).await.unwrap();
    }
    store
}

fn taken(error: &ChangeError, of: &str) -> bool {
    matches!(error, ChangeError::Taken { field, .. } if *field == of)
}

async fn a_tenant_is_renamed_by_who_saw_its_last_revision(home: Home) {
    let store = two_tenants(&home).await;
    assert_eq!(store.rename_tenant(A, 1, "Alpha").await.unwrap(), 2);
    let stale = store.rename_tenant(A, 1, "Late").await.unwrap_err();
    assert_eq!(stale, ChangeError::Stale { what: "tenant", seen: 1, now: 2 });
    assert!(stale.to_string().contains("changed by somebody else"), "{stale}");
    let missing = store.rename_tenant(ELSEWHERE, 1, "x").await.unwrap_err();
    assert_eq!(missing, ChangeError::Missing { what: "tenant" });
    assert_eq!(store.tenant(A).await.unwrap().unwrap().name, "Alpha");
    assert!(taken(&store.create_tenant(&tenant("a"), 2).await.unwrap_err(), "id"));
    let page = store.tenants(None, 1).await.unwrap();
    let next = store.tenants(Some(&page[0].id), 9).await.unwrap();
    assert_eq!((page[0].id.as_str(), next.len(), next[0].id.as_str()), ("a", 1, "b"));
}

async fn an_email_address_is_unique_whatever_its_case(home: Home) {
    let store = two_tenants(&home).await;
    let again = NewUser { id: "other".into(), email: " ANN@Example.com".into(), ..person("x") };
    assert!(taken(&store.create_user(&again, 1).await.unwrap_err(), "e-mail address"));
    let ann = store.user_by_email("Ann@EXAMPLE.com").await.unwrap().unwrap();
    assert_eq!((ann.id.as_str(), ann.email.as_str()), ("ann", "ann@example.com"));
    assert!(!format!("{ann:?}").contains("argon2id"), "a hash is not shown");
    store.set_password("ann", None).await.unwrap();
    assert_eq!(store.rename_user("ann", 1, "Anna").await.unwrap(), 2);
    assert!(matches!(store.rename_user("ann", 1, "x").await, Err(ChangeError::Stale { .. })));
    let ann = store.user("ann").await.unwrap().unwrap();
    assert_eq!((ann.password, ann.name.as_str(), ann.revision), (None, "Anna", 2));
    assert_eq!(store.set_password("nobody", None).await, Err(ChangeError::Missing { what: "user" }));
}

async fn only_one_of_many_becomes_the_first_user(home: Home) {
    assert!(home.store().await.has_no_users().await.unwrap());
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..6 {
        let store = home.store().await;
        let (tenant, user) = (tenant(&format!("t{n}")), person(&format!("u{n}")));
        tries.spawn(async move { store.create_first_user(&tenant, &user, 1).await.map(|()| user.id) });
    }
    let first: Vec<String> = tries.join_all().await.into_iter().flatten().collect();
    assert_eq!(first.len(), 1);
    let store = home.store().await;
    assert!(!store.has_no_users().await.unwrap());
    let tenants = store.memberships_of(&first[0]).await.unwrap();
    assert_eq!((tenants.len(), tenants[0].role), (1, Role::Owner));
    assert_eq!(store.tenants(None, 9).await.unwrap().len(), 1);
}

async fn a_tenant_keeps_its_last_owner(home: Home) {
    let store = two_tenants(&home).await;
    let (owner, admin) = (Role::Owner, Role::Admin);
    for refused in [store.set_role(A, "ann", owner, admin).await, store.remove_member(A, "ann", owner, 2).await] {
        assert!(matches!(refused, Err(ChangeError::Refused(text)) if text.contains("only owner")));
    }
    assert_eq!(store.set_role(A, "bob", admin, owner).await, Err(ChangeError::Missing { what: "member" }));
    store.add_member(A, "bob", Role::Viewer, 2).await.unwrap();
    assert!(taken(&store.add_member(A, "bob", Role::Admin, 2).await.unwrap_err(), "user"));
    assert_eq!(store.role_of(A, "bob").await.unwrap(), Some(Role::Viewer));
    for late in [store.set_role(A, "bob", admin, owner).await, store.remove_member(A, "bob", admin, 2).await] {
        assert!(matches!(late, Err(ChangeError::Refused(text)) if text.contains("changed to viewer")));
    }
    store.set_role(A, "bob", Role::Viewer, owner).await.unwrap();
    store.set_role(A, "ann", owner, Role::Editor).await.unwrap();
    let members: Vec<_> = store.members(A, None, 9).await.unwrap().into_iter().map(|m| (m.user, m.role)).collect();
    assert_eq!(members, [("ann".to_owned(), Role::Editor), ("bob".to_owned(), Role::Owner)]);
    assert_eq!(store.members(A, Some("ann"), 9).await.unwrap().len(), 1);
    store.remove_member(A, "ann", Role::Editor, 3).await.unwrap();
    assert_eq!(store.role_of(A, "ann").await.unwrap(), None);
    assert_eq!(store.memberships_of("bob").await.unwrap().len(), 2);
}

async fn an_invitation_is_accepted_once_and_in_time(home: Home) {
    let store = two_tenants(&home).await;
    let new = |id: &str, hash: u8| NewInvitation {
        id: id.into(),
        token_hash: vec![hash; 32],
        email: "cleo@example.com".into(),
        role: Role::Editor,
        invited_by: "ann".into(),
        expires_us: 100,
    };
    store.create_user(&person("cleo"), 1).await.unwrap();
    store.invite(A, &new("i1", 1), 10).await.unwrap();
    store.invite(A, &new("i2", 2), 10).await.unwrap();
    assert!(taken(&store.invite(A, &new("i3", 2), 10).await.unwrap_err(), "id"));
    assert_eq!(store.open_invitation(&[1; 32], 99).await.unwrap().unwrap().tenant, "a");
    assert_eq!(store.open_invitation(&[1; 32], 100).await.unwrap(), None);
    let late = store.accept_invitation(&[1; 32], "cleo", 100).await.unwrap_err();
    assert_eq!(late, ChangeError::Missing { what: "invitation" });
    let accepted = store.accept_invitation(&[1; 32], "cleo", 50).await.unwrap();
    assert_eq!((accepted.accepted_us, store.role_of(A, "cleo").await.unwrap()), (Some(50), Some(Role::Editor)));
    assert!(store.accept_invitation(&[1; 32], "bob", 51).await.is_err());
    // A member already: the link stays good for nobody else, and nothing is recorded.
    assert!(taken(&store.accept_invitation(&[2; 32], "cleo", 52).await.unwrap_err(), "user"));
    assert_eq!(store.invitations(A, Some("i1"), 9).await.unwrap()[0].accepted_us, None);
    assert!(!store.withdraw_invitation(B, "i2").await.unwrap());
    assert!(store.withdraw_invitation(A, "i2").await.unwrap());
    assert!(!store.withdraw_invitation(A, "i1").await.unwrap(), "an accepted one is history");
}

async fn a_new_person_and_the_membership_are_made_together(home: Home) {
    let store = two_tenants(&home).await;
    let new = NewInvitation {
        id: "i1".into(),
        token_hash: vec![1; 32],
        email: "cleo@example.com".into(),
        role: Role::Editor,
        invited_by: "ann".into(),
        expires_us: 100,
    };
    store.invite(A, &new, 10).await.unwrap();
    let open = async |scope, now| store.open_invitations(scope, now).await.unwrap();
    assert_eq!((open(A, 99).await, open(A, 100).await, open(B, 99).await), (1, 0, 0));
    let late = store.accept_invitation_as(&[1; 32], &person("cleo"), None, 100).await.unwrap_err();
    assert_eq!(late, ChangeError::Missing { what: "invitation" });
    assert_eq!(store.user("cleo").await.unwrap(), None, "all or nothing");
    let known = NewUser { id: "x".into(), ..person("bob") };
    assert!(taken(&store.accept_invitation_as(&[1; 32], &known, None, 50).await.unwrap_err(), "e-mail address"));
    store.accept_invitation_as(&[1; 32], &person("cleo"), None, 50).await.unwrap();
    assert_eq!((store.role_of(A, "cleo").await.unwrap(), open(A, 51).await), (Some(Role::Editor), 0));
}

async fn a_person_owns_only_so_many_tenants(home: Home) {
    let store = two_tenants(&home).await;
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..6 {
        let store = home.store().await;
        tries.spawn(async move { store.create_tenant_of(&tenant(&format!("t{n}")), "ann", 3, 2).await });
    }
    let made = tries.join_all().await;
    assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 2, "{made:?}");
    let refused = made.into_iter().find_map(Result::err).unwrap();
    assert!(matches!(&refused, ChangeError::Refused(text) if text.contains("at most 3 tenants")), "{refused}");
    let owned = store.memberships_of("ann").await.unwrap();
    assert!(owned.len() == 3 && owned.iter().all(|one| one.role == Role::Owner), "{owned:?}");
    let nobody = store.create_tenant_of(&tenant("t9"), "nobody", 3, 2).await;
    assert_eq!(nobody, Err(ChangeError::Missing { what: "user" }));
}

async fn a_session_ends_with_its_time_its_revocation_and_its_user(home: Home) {
    let store = two_tenants(&home).await;
    for (id, hash) in [("s1", 1), ("s2", 2), ("s3", 3), ("s4", 4)] {
        let new = NewSession {
            id: id.into(),
            token_hash: vec![hash; 32],
            user: "ann".into(),
            expires_us: 100,
            user_agent: "Firefox".into(),
            address: "192.0.2.1".into(),
        };
        store.begin_session(&new, 10).await.unwrap();
        assert!(taken(&store.begin_session(&new, 10).await.unwrap_err(), "id"));
    }
    let (session, user) = store.session(&[1; 32], 99).await.unwrap().unwrap();
    assert_eq!((session.id.as_str(), user.id.as_str(), session.last_seen_us), ("s1", "ann", 10));
    assert_eq!(store.session(&[1; 32], 100).await.unwrap(), None);
    store.touch_session("s1", 200, 60).await.unwrap();
    assert_eq!(store.session(&[1; 32], 150).await.unwrap().unwrap().0.last_seen_us, 60);
    assert_eq!(store.sessions_of("ann", 50).await.unwrap()[0].id, "s1", "the last used first");

    assert!(!store.revoke_session("bob", "s2", 20).await.unwrap(), "nobody ends another's session");
    assert!(store.revoke_session("ann", "s2", 20).await.unwrap());
    assert_eq!(store.session(&[2; 32], 30).await.unwrap(), None);
    assert_eq!(store.revoke_sessions("ann", Some("s1"), 21).await.unwrap(), 2);
    assert_eq!(store.sessions_of("ann", 50).await.unwrap().len(), 1);
    store.disable_user("ann", true, 70).await.unwrap();
    assert_eq!(store.session(&[1; 32], 71).await.unwrap(), None);
    store.disable_user("ann", false, 72).await.unwrap();
    assert_eq!(store.session(&[1; 32], 73).await.unwrap(), None, "an ended session stays ended");
    assert_eq!(store.forget_sessions(150).await.unwrap(), 3);
}

fn token(id: &str, hash: u8, user: Option<&str>, role: Role) -> NewToken {
    NewToken {
        id: id.into(),
        user: user.map(str::to_owned),
        name: id.into(),
        token_hash: vec![hash; 32],
        role,
        created_by: "ann".into(),
        expires_us: Some(100),
    }
}

async fn a_token_of_a_person_may_do_no_more_than_the_person(home: Home) {
    let store = two_tenants(&home).await;
    store.add_member(A, "bob", Role::Viewer, 1).await.unwrap();
    store.create_token(A, &token("k1", 1, Some("bob"), Role::Admin), 1).await.unwrap();
    store.create_token(A, &token("k2", 2, Some("ann"), Role::Operator), 1).await.unwrap();
    store.create_token(A, &token("k3", 3, None, Role::Editor), 1).await.unwrap();
    let role = async |hash: u8| store.bearer(&[hash; 32], 50).await.unwrap().map(|bearer| bearer.role);
    assert_eq!(
        [role(1).await, role(2).await, role(3).await],
        [Some(Role::Viewer), Some(Role::Operator), Some(Role::Editor)]
    );
    store.set_role(A, "bob", Role::Viewer, Role::Operator).await.unwrap();
    assert_eq!(role(1).await, Some(Role::Operator));
    assert_eq!(role(9).await, None);
    let bearer = store.bearer(&[3; 32], 50).await.unwrap().unwrap();
    assert_eq!((bearer.tenant.as_str(), bearer.token.as_str(), bearer.user), ("a", "k3", None));
}

async fn a_token_ends_with_its_time_its_revocation_and_the_membership(home: Home) {
    let store = two_tenants(&home).await;
    store.add_member(A, "bob", Role::Viewer, 1).await.unwrap();
    store.create_token(A, &token("k1", 1, Some("bob"), Role::Viewer), 1).await.unwrap();
    store.create_token(A, &token("k2", 2, None, Role::Viewer), 1).await.unwrap();
    store.create_token(A, &NewToken { expires_us: None, ..token("k3", 3, None, Role::Viewer) }, 1).await.unwrap();
    assert!(taken(&store.create_token(B, &token("k4", 3, None, Role::Owner), 1).await.unwrap_err(), "id"));
    let good = async |hash: u8, now: i64| store.bearer(&[hash; 32], now).await.unwrap().is_some();
    assert!(good(2, 99).await && !good(2, 100).await && good(3, 1_000).await);
    store.disable_user("bob", true, 2).await.unwrap();
    assert!(!good(1, 50).await);
    store.disable_user("bob", false, 2).await.unwrap();
    assert!(good(1, 50).await);
    store.remove_member(A, "bob", Role::Viewer, 3).await.unwrap();
    assert!(!good(1, 50).await);
    let (bobs, services) = (Whose::Person("bob"), Whose::Services);
    assert_eq!(store.good_tokens(A, services, 50).await.unwrap(), 2);
    for (scope, whose) in [(B, services), (A, bobs)] {
        assert!(!store.revoke_token(scope, whose, "k2", 4).await.unwrap());
    }
    assert!(store.revoke_token(A, services, "k2", 4).await.unwrap() && !good(2, 50).await);
    assert!(!store.revoke_token(A, services, "k1", 4).await.unwrap(), "a person's token is no service's");
    assert_eq!(store.good_tokens(A, services, 101).await.unwrap(), 1);
    assert_eq!(store.good_tokens(A, bobs, 50).await.unwrap(), 0);
    store.touch_token(A, "k3", 40).await.unwrap();
    let mut all = store.tokens(A, bobs, None, 9).await.unwrap();
    all.extend(store.tokens(A, services, None, 9).await.unwrap());
    let seen: Vec<_> = all.iter().map(|k| (k.id.as_str(), k.last_used_us, k.revoked_us)).collect();
    assert_eq!(seen, [("k1", None, Some(3)), ("k2", None, Some(4)), ("k3", Some(40), None)]);
    assert_eq!(store.tokens(A, services, Some("k2"), 1).await.unwrap().len(), 1);
    assert_eq!(store.tokens(B, services, None, 9).await.unwrap(), []);
}

async fn an_identity_belongs_to_one_user(home: Home) {
    let store = two_tenants(&home).await;
    let identity = Identity { issuer: "https://id.example".into(), subject: "123".into() };
    store.link_identity(&identity, "ann", 2).await.unwrap();
    assert!(taken(&store.link_identity(&identity, "bob", 2).await.unwrap_err(), "identity"));
    let invitation = NewInvitation {
        id: "i1".into(),
        token_hash: vec![1; 32],
        email: "dora@example.com".into(),
        role: Role::Viewer,
        invited_by: "ann".into(),
        expires_us: 100,
    };
    store.invite(A, &invitation, 1).await.unwrap();
    let dora = NewUser { password: None, ..person("dora") };
    let comes_as = async |identity| store.accept_invitation_as(&[1; 32], &dora, Some(identity), 2).await;
    assert!(taken(&comes_as(&identity).await.unwrap_err(), "identity"));
    assert_eq!(store.user("dora").await.unwrap(), None, "all or nothing");
    assert_eq!(store.open_invitations(A, 3).await.unwrap(), 1);
    let other = Identity { subject: "124".into(), ..identity.clone() };
    comes_as(&other).await.unwrap();
    assert_eq!(store.role_of(A, "dora").await.unwrap(), Some(Role::Viewer));
    assert_eq!(store.user_of_identity(&other).await.unwrap().unwrap().id, "dora");
    assert_eq!(store.user_of_identity(&identity).await.unwrap().unwrap().id, "ann");
    assert_eq!(store.identities_of("dora").await.unwrap(), [other]);
}

async fn failures_are_counted_within_their_window(home: Home) {
    let store = home.store().await;
    for (now, expected) in [(100, 1), (105, 2), (109, 3), (110, 1), (111, 2)] {
        let since_us = if now < 110 { 100 } else { 110 };
        let counted = store.count_failure("login:ann", 10, now).await.unwrap();
        assert_eq!(counted, Failures { count: expected, since_us }, "at {now}");
    }
    assert_eq!(store.failures("login:ann", 10, 112).await.unwrap(), Failures { count: 2, since_us: 110 });
    assert_eq!(store.failures("login:ann", 10, 120).await.unwrap(), Failures::default());
    assert_eq!(store.failures("login:bob", 10, 112).await.unwrap(), Failures::default());
    store.clear_failures("login:ann").await.unwrap();
    assert_eq!(store.count_failure("login:ann", 10, 112).await.unwrap().count, 1);
    assert_eq!(store.forget_failures(113).await.unwrap(), 1);
}
