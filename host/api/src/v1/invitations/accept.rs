//! `POST /v1/invitations/accept`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sluice_core::validate;
use sluice_store::{Invitation, NewUser, Scope, User};
use utoipa::ToSchema;

use super::open::open;
use crate::auth::password::hashed;
use crate::auth::principal::{Credential, authenticate};
use crate::http::body::Body;
use crate::http::client::Client;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::security::not_cross_site;
use crate::state::App;
use crate::v1::session::{Me, signed_in};

/// Who comes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    /// What the link holds.
    #[schema(max_length = 100, write_only)]
    secret: String,
    /// What others will see; of a new person.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Of a new person.
    #[schema(min_length = 12, max_length = 256, format = Password, write_only)]
    password: Option<String>,
}

/// Accept an invitation
///
/// A new person gives a name and a password, and is signed in. Whoever has an account with the invitation's address signs in first and
/// accepts with that session: an invitation never opens an account.
#[utoipa::path(
    post, path = "/v1/invitations/accept", tag = "members", operation_id = "accept_invitation",
    request_body = Acceptance,
    responses(
        (status = 200, description = "A member now, in the session that asked", body = Me),
        (status = 201, description = "Known, a member and signed in now", body = Me,
            headers(("Set-Cookie" = String, description = "The session, for browsers"))),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn accept(
    State(app): State<App>,
    client: Client,
    method: Method,
    headers: HeaderMap,
    Body(asked): Body<Acceptance>,
) -> Result<Response, Problem> {
    not_cross_site(&headers, &app.origin)?;
    let opened = open(&app, &asked.secret).await?;
    if let Some(known) = app.store.user_by_email(&opened.invitation.email).await? {
        let session = session_of(&app, &method, &headers, &known).await?;
        app.store.accept_invitation(&opened.hash, &known.id, app.now_us()).await?;
        opened.record(&app, &known.id, client, None).await?;
        return Ok((StatusCode::OK, Json(Me::of_person(&app, &known.id, session).await?)).into_response());
    }
    let new = person(&app, &opened.invitation, asked).await?;
    app.store.accept_invitation_as(&opened.hash, &new, None, app.now_us()).await?;
    opened.record(&app, &new.id, client, None).await?;
    signed_in(&app, &new.id, &headers, client).await
}

/// The id of the session that the invited person asks with.
async fn session_of(app: &App, method: &Method, headers: &HeaderMap, known: &User) -> Result<String, Problem> {
    let extensions = axum::http::Extensions::new();
    let caller = authenticate(app, method, headers, &extensions).await.ok();
    match caller.map(|caller| caller.by) {
        Some(Credential::Session(session)) if session.1.id == known.id => Ok(session.0.id.clone()),
        _ => {
            let detail = "there is an account with the invitation's address; sign in as that person, then accept";
            Err(Problem::new(Slug::Refused, detail))
        }
    }
}

async fn person(app: &App, invitation: &Invitation, asked: Acceptance) -> Result<NewUser, Problem> {
    let name = asked.name.ok_or_else(|| Problem::field("name", "a new person needs a name"))?;
    let name = validate::name("name", &name)?;
    let password = asked.password.ok_or_else(|| Problem::field("password", "a new person needs a password"))?;
    let tenant = app.store.tenant(Scope { tenant: &invitation.tenant }).await?;
    let tenant = tenant.map(|tenant| tenant.name).unwrap_or_default();
    validate::password("password", &password, &[&name, &invitation.email, &tenant])?;
    let password = Some(hashed(app, password).await?);
    Ok(NewUser { id: app.ids.next(), email: invitation.email.clone(), name, password })
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;
    use sluice_store::Scope;

    use crate::testing::{Answer, Service};

    const ACME: Scope<'static> = Scope { tenant: "acme" };
    const PASSWORD: &str = "four words nobody says";

    async fn invite(service: &Service, by: &str, email: &str, role: &str) -> Answer {
        let body = json!({"email": email, "role": role});
        service.call(Method::POST, "/v1/tenants/acme/invitations", Some(by), Some(body)).await
    }

    async fn accept(service: &Service, by: Option<&str>, secret: &Value, rest: Value) -> Answer {
        let mut body = json!({"secret": secret});
        body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        service.call(Method::POST, "/v1/invitations/accept", by, Some(body)).await
    }

    /// The tenant `acme` and the session of an admin.
    async fn with_admin() -> (Service, String, String) {
        let service = Service::new().await;
        service.tenant("acme").await;
        let admin = service.member("acme", Role::Admin).await;
        let session = service.session_of(&admin).await;
        (service, admin, session)
    }

    #[tokio::test]
    async fn a_new_person_comes_in_once() {
        let (service, _, admin) = with_admin().await;
        let made = invite(&service, &admin, " Cleo@Example.com", "editor").await;
        let secret = &made.body["secret"];
        assert_eq!(made.body["link"], format!("https://sluice.example/invitation#{}", secret.as_str().unwrap()));
        let list = service.call(Method::GET, "/v1/tenants/acme/invitations", Some(&admin), None).await;
        assert_eq!(
            (&list.body["items"][0]["email"], &list.body["items"][0]["secret"]),
            (&"cleo@example.com".into(), &Value::Null)
        );
        assert_eq!(accept(&service, None, secret, json!({})).await.body["field"], "name");
        let weak = accept(&service, None, secret, json!({"name": "Cleo", "password": "cleo@example"})).await;
        assert_eq!(weak.body["field"], "password");
        let new = json!({"name": "Cleo", "password": PASSWORD});
        let came = accept(&service, None, secret, new.clone()).await;
        assert_eq!((came.status.as_u16(), &came.body["tenants"][0]["role"]), (201, &"editor".into()));
        let me = service.call(Method::GET, "/v1/session", Some(&came.session()), None).await;
        assert_eq!((&me.body["user"]["email"], &me.body["user"]["name"]), (&"cleo@example.com".into(), &"Cleo".into()));
        let again = accept(&service, None, secret, new).await;
        assert_eq!(again.problem(), "not-found");
        assert_eq!(invite(&service, &admin, "cleo@example.com", "viewer").await.problem(), "exists");
        let did: Vec<String> =
            service.audited("acme").await.iter().filter_map(|one| one.split(' ').next().map(str::to_owned)).collect();
        assert_eq!(did, ["invitation.create", "invitation.accept", "session.create"]);
    }

    #[tokio::test]
    async fn an_account_is_never_taken_over() {
        let (service, _, admin) = with_admin().await;
        service.tenant("globex").await;
        let dora = service.member("globex", Role::Owner).await;
        let made = invite(&service, &admin, &format!("{dora}@example.com"), "viewer").await;
        let secret = &made.body["secret"];
        let new = json!({"name": "Mallory", "password": PASSWORD});
        let doras = service.session_of(&dora).await;
        let token = service.token_of("globex", &dora, Role::Owner).await;
        for by in [None, Some(admin.as_str()), Some(token.as_str())] {
            let refused = accept(&service, by, secret, new.clone()).await;
            assert_eq!(refused.problem(), "refused", "{by:?}");
            assert!(!refused.headers.contains_key("set-cookie"));
        }
        let user = service.app.store.user(&dora).await.unwrap().unwrap();
        assert_eq!((user.name, user.password), (dora.clone(), None));
        let came = accept(&service, Some(&doras), secret, json!({})).await;
        assert_eq!((came.status.as_u16(), came.body["tenants"].as_array().map(Vec::len)), (200, Some(2)));
        assert_eq!(service.app.store.role_of(ACME, &dora).await.unwrap(), Some(Role::Viewer));
    }

    #[tokio::test]
    async fn an_invitation_gives_no_more_than_who_invited_may_give_now() {
        let (service, admin, session) = with_admin().await;
        service.member("acme", Role::Owner).await;
        assert_eq!(invite(&service, &session, "cleo@example.com", "owner").await.body["field"], "role");
        let token = service.token_of("acme", &admin, Role::Admin).await;
        assert_eq!(invite(&service, &token, "cleo@example.com", "viewer").await.problem(), "forbidden");
        let [first, second, third] = [
            invite(&service, &session, "a@example.com", "admin").await,
            invite(&service, &session, "b@example.com", "admin").await,
            invite(&service, &session, "c@example.com", "admin").await,
        ];
        let path = format!("/v1/tenants/acme/invitations/{}", first.body["id"].as_str().unwrap());
        assert_eq!(service.call(Method::DELETE, &path, Some(&session), None).await.status.as_u16(), 204);
        let new = json!({"name": "Cleo", "password": PASSWORD});
        assert_eq!(accept(&service, None, &first.body["secret"], new.clone()).await.problem(), "not-found");
        service.app.store.set_role(ACME, &admin, Role::Admin, Role::Editor).await.unwrap();
        assert_eq!(accept(&service, None, &second.body["secret"], new.clone()).await.problem(), "not-found");
        service.app.store.set_role(ACME, &admin, Role::Editor, Role::Admin).await.unwrap();
        assert_eq!(accept(&service, None, &second.body["secret"], new.clone()).await.status.as_u16(), 201);
        service.pass(7 * 24 * 3_600);
        assert_eq!(accept(&service, None, &third.body["secret"], new).await.problem(), "not-found");
    }
}
