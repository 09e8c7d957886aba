//! Who belongs to a tenant. People come in by [`invitations`](super::invitations).

mod delete;
mod leave;
mod list;
mod update;

use serde_json::{Value, json};
use sluice_core::access::{Operation, Role};
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs};
use crate::auth::principal::Member;
use crate::http::problem::{Problem, Slug};

/// The operations on members. To leave is everybody's right, so it is an operation of its own, which needs no more than to be a member.
/// No token gives roles.
pub fn routes(routes: Guarded) -> Guarded {
    routes
        .operation(Needs::Member(Operation::MembersRead), routes!(list::list))
        .operation(Needs::PersonWho(Operation::MembersWrite), routes!(update::update))
        .operation(Needs::Member(Operation::MembersWrite), routes!(delete::delete))
        .operation(Needs::PersonWho(Operation::TenantRead), routes!(leave::leave))
}

/// Whether the member may touch who has this role, or give it.
fn may_grant(member: &Member, role: Role) -> Result<(), Problem> {
    if member.role.may_grant(role) {
        return Ok(());
    }
    let (needs, yours) = (role.as_str(), member.role.as_str());
    let detail = format!("only who is {needs} or more decides about a member who is {needs}; your role is {yours}");
    Err(Problem::new(Slug::Forbidden, detail))
}

/// What the audit log says of a changed role.
fn change(from: Role, to: Option<Role>) -> Value {
    json!({"from": from.as_str(), "to": to.map(Role::as_str)})
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::json;
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::Service;

    const ACME: Scope<'static> = Scope { tenant: "acme" };

    #[tokio::test]
    async fn nobody_rises_above_oneself_or_touches_who_stands_above() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let owner = service.member("acme", Role::Owner).await;
        let (admin, editor) = (service.member("acme", Role::Admin).await, service.member("acme", Role::Editor).await);
        let (owners, admins) = (service.session_of(&owner).await, service.session_of(&admin).await);
        let set = async |session: &str, user: &str, role: &str| {
            let path = format!("/v1/tenants/acme/members/{user}");
            service.call(Method::PATCH, &path, Some(session), Some(json!({"role": role}))).await.status.as_u16()
        };
        assert_eq!(set(&admins, &editor, "owner").await, 403);
        assert_eq!(set(&admins, &admin, "owner").await, 403);
        assert_eq!(set(&admins, &owner, "viewer").await, 403);
        assert_eq!(set(&admins, &editor, "admin").await, 204);
        assert_eq!(set(&admins, "nobody", "viewer").await, 404);
        assert_eq!(set(&admins, &editor, "king").await, 422);
        assert_eq!(set(&owners, &owner, "admin").await, 409, "the tenant keeps an owner");
        assert_eq!(set(&owners, &admin, "owner").await, 204);
        assert_eq!(set(&owners, &owner, "admin").await, 204);
        let token = service.token_of("acme", &admin, Role::Owner).await;
        assert_eq!(set(&token, &editor, "owner").await, 403, "no token gives roles");
        let roles = service.app.store.members(ACME, None, 9).await.unwrap();
        let mut roles: Vec<_> = roles.into_iter().map(|one| (one.user, one.role)).collect();
        roles.sort();
        let mut wanted = [(owner, Role::Admin), (admin, Role::Owner), (editor, Role::Admin)];
        wanted.sort();
        assert_eq!(roles, wanted);
        assert_eq!(service.audited("acme").await.len(), 3, "one entry per change");
    }

    #[tokio::test]
    async fn who_is_removed_or_leaves_has_no_token_any_more() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let (owner, viewer) = (service.member("acme", Role::Owner).await, service.member("acme", Role::Viewer).await);
        let editor = service.member("acme", Role::Editor).await;
        let owners = service.session_of(&owner).await;
        let (viewers, editors) = (service.session_of(&viewer).await, service.session_of(&editor).await);
        let tokens = [&viewer, &editor].map(|user| service.token_of("acme", user, Role::Viewer));
        let tokens = futures::future::join_all(tokens).await;
        let call =
            async |method, path: &str, by: &str| service.call(method, path, Some(by), None).await.status.as_u16();
        let leave = "/v1/tenants/acme/membership";
        assert_eq!(call(Method::DELETE, leave, &owners).await, 409, "the only owner");
        assert_eq!(call(Method::DELETE, leave, &tokens[0]).await, 403, "not by a token");
        assert_eq!(call(Method::DELETE, leave, &viewers).await, 204);
        assert_eq!(call(Method::DELETE, &format!("/v1/tenants/acme/members/{editor}"), &owners).await, 204);
        for by in [&viewers, &editors] {
            assert_eq!(call(Method::GET, "/v1/tenants/acme", by).await, 404);
            assert_eq!(call(Method::GET, "/v1/session", by).await, 200, "they are still who they are");
        }
        for by in &tokens {
            assert_eq!(call(Method::GET, "/v1/tenants/acme", by).await, 401);
        }
        let members = service.call(Method::GET, "/v1/tenants/acme/members", Some(&owners), None).await;
        assert_eq!(
            (&members.body["items"][0]["user"], &members.body["items"][1]),
            (&owner.into(), &serde_json::Value::Null)
        );
        let did = [format!("member.leave user {viewer}"), format!("member.delete user {editor}")];
        assert_eq!(service.audited("acme").await, did);
    }
}
