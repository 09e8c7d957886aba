use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sluice_core::access::Role;
use sluice_engine::service::resolve::Purpose;
use sluice_store::Scope;

use crate::testing::{Answer, SECRET, START_US, Service};

const PATH: &str = "/v1/tenants/acme/drafts";

struct Author {
    service: Service,
    token: String,
}

impl Author {
    async fn new() -> Self {
        let service = Service::new().await;
        service.tenant("acme").await;
        let token = service.token("acme", Role::Editor).await;
        Self { service, token }
    }

    async fn begin(&self) -> String {
        let made = self.service.call(Method::POST, PATH, Some(&self.token), Some(draft(SECRET.into()))).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    async fn put(&self, id: &str, revision: u64, body: Value) -> Answer {
        self.service.change(Method::PUT, &format!("{PATH}/{id}"), &self.token, Some(revision), Some(body)).await
    }

    async fn call(&self, method: Method, rest: &str, body: Option<Value>) -> Answer {
        self.service.call(method, &format!("{PATH}/{rest}"), Some(&self.token), body).await
    }
}

fn draft(password: Value) -> Value {
    json!({
        "name": "Orders", "step": "map",
        "source": {"connector": "demo", "name": "Shop", "config": {"host": "db.example.com", "password": password}},
        "definition": {
            "streams": [{"id": "public.orders", "read": {"incremental": "updated_at"}}],
            "sink": {"type": "local", "path": "sales"}, "schedule": {"cron": "0 3 * * *"}
        }
    })
}

/// The same without the secret, which is left out.
fn without(mut draft: Value) -> Value {
    draft["source"]["config"].as_object_mut().unwrap().remove("password");
    draft
}

#[tokio::test]
async fn a_secret_that_was_typed_stays_and_never_comes_back() {
    let it = Author::new().await;
    let id = it.begin().await;
    let mut next = without(draft(Value::Null));
    next["step"] = "schedule".into();
    let kept = it.put(&id, 1, next).await;
    assert_eq!(
        (kept.status, &kept.body["step"], &kept.body["revision"]),
        (StatusCode::OK, &"schedule".into(), &2.into())
    );
    assert_eq!(kept.body["source"]["secrets"], json!(["/password"]));
    let list = it.service.call(Method::GET, PATH, Some(&it.token), None).await;
    assert_eq!(list.body["items"][0], kept.body);
    assert!(!list.body.to_string().contains(SECRET));
    assert_eq!(it.service.found_in_files(SECRET), Vec::<String>::new());
    let stale = it.put(&id, 1, draft(Value::Null)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn a_secret_is_forgotten_once_the_rest_leads_elsewhere() {
    let it = Author::new().await;
    let id = it.begin().await;
    let mut moved = without(draft(Value::Null));
    moved["source"]["config"]["host"] = "evil.example.com".into();
    let kept = it.put(&id, 1, moved).await;
    assert_eq!((kept.status, &kept.body["source"]["secrets"]), (StatusCode::OK, &json!([])));
    let checked = it.call(Method::POST, &format!("{id}/check"), None).await;
    assert_eq!(checked.body["field"], "/config/password", "it has to be typed again: {checked:?}");
    let again = it.put(&id, 2, draft(SECRET.into())).await;
    assert_eq!(again.body["source"]["secrets"], json!(["/password"]));
    let removed = it.put(&id, 3, draft(Value::Null)).await;
    assert_eq!(removed.body["source"]["secrets"], json!([]));
    let other = json!({"source": {"connector": "lake", "config": {}}});
    it.put(&id, 4, draft(SECRET.into())).await;
    assert_eq!(it.put(&id, 5, other).await.body["source"]["secrets"], json!([]));
}

#[tokio::test]
async fn a_draft_is_its_authors_and_bounded() {
    let it = Author::new().await;
    let id = it.begin().await;
    let colleague = it.service.token("acme", Role::Owner).await;
    let path = format!("{PATH}/{id}");
    assert_eq!(it.service.call(Method::GET, &path, Some(&colleague), None).await.status, StatusCode::NOT_FOUND);
    let list = it.service.call(Method::GET, PATH, Some(&colleague), None).await;
    assert_eq!(list.body["items"], json!([]));
    for _ in 1..super::super::MOST {
        it.begin().await;
    }
    let more = it.service.call(Method::POST, PATH, Some(&it.token), Some(json!({}))).await;
    assert_eq!((more.status, more.problem()), (StatusCode::CONFLICT, "refused"));
    assert_eq!(it.service.change(Method::DELETE, &path, &it.token, Some(1), None).await.status, StatusCode::NO_CONTENT);
    it.begin().await;
    it.service.app.store.forget_drafts(START_US + 1).await.unwrap();
    let list = it.service.call(Method::GET, PATH, Some(&it.token), None).await;
    assert_eq!(list.body["items"], json!([]));
    let named = async |body: Value| {
        it.service.call(Method::POST, PATH, Some(&it.token), Some(body)).await.body["field"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(named(json!({"name": "x".repeat(201)})).await, "name");
    assert_eq!(named(json!({"source": {"connector": "nope"}})).await, "source.connector");
    assert_eq!(named(json!({"definition": []})).await, "definition");
    assert_eq!(named(draft(json!({"env": "HOME"}))).await, "/config/password");
}

#[tokio::test]
async fn what_it_reads_from_is_tried_listed_sampled_and_planned_before_anything_is_made() {
    let it = Author::new().await;
    let id = it.begin().await;
    let checked = it.call(Method::POST, &format!("{id}/check"), None).await;
    assert_eq!((&checked.body["passed"], &checked.body["steps"][0]["detail"]), (&true.into(), &"as [secret]".into()));
    let streams = it.call(Method::GET, &format!("{id}/streams?contains=order"), None).await;
    assert_eq!(streams.body["items"][0]["cursor_candidates"], json!(["updated_at"]), "{streams:?}");
    let stream = json!({"id": "public.orders", "cast": {"id": {"to": "STRING"}}});
    let sample = it.call(Method::POST, &format!("{id}/sample"), Some(json!({"stream": stream}))).await;
    assert_eq!(
        (&sample.body["columns"][0]["type"], &sample.body["columns"][0]["misfits"]),
        (&"STRING".into(), &1.into())
    );
    assert_eq!(sample.body["columns"][0]["examples"][0]["before"], "x", "{sample:?}");
    let wrong = json!({"stream": {"id": "public.orders", "cast": {"id": {"to": "INTEGERISH"}}}});
    let wrong = it.call(Method::POST, &format!("{id}/sample"), Some(wrong)).await;
    assert_eq!(wrong.body["field"], "stream.cast.id.to");
    let plan = it.call(Method::POST, &format!("{id}/plan"), None).await;
    assert_eq!((&plan.body["streams"][0]["rows"], &plan.body["passed"]), (&70.into(), &false.into()), "{plan:?}");
    assert_eq!((&plan.body["schedule"], &plan.body["runs"]), (&"every day at 03:00 (UTC)".into(), &"local".into()));
    let actions = it.service.actions("acme").await;
    assert_eq!((actions["rows.preview"], actions["connection.check"], actions["pipeline.dry-run"]), (1, 1, 1));
    let made = it.service.call(Method::GET, "/v1/tenants/acme/connections", Some(&it.token), None).await;
    assert_eq!(made.body["items"], json!([]));
}

#[tokio::test]
async fn finishing_makes_all_of_it_with_the_secret_and_deletes_the_draft() {
    let it = Author::new().await;
    let id = it.begin().await;
    let finish = async |id: &str, revision| {
        it.service.change(Method::POST, &format!("{PATH}/{id}/finish"), &it.token, Some(revision), None).await
    };
    assert_eq!(finish(&id, 9).await.status, StatusCode::PRECONDITION_FAILED);
    let made = finish(&id, 1).await;
    assert_eq!((made.status, &made.body["connection_made"]), (StatusCode::CREATED, &true.into()), "{made:?}");
    assert_eq!(made.body["connection"], id.as_str());
    let purpose = Purpose { actor: "host", object: "test", address: None, now_us: START_US };
    let source = it.service.app.resolver.source(Scope { tenant: "acme" }, &id, purpose).await.unwrap().it;
    assert_eq!(source.config, json!({"host": "db.example.com", "password": SECRET}), "it opens where it is now");
    assert!(it.service.app.store.next_due().await.unwrap().is_some(), "the schedule holds");
    assert_eq!(it.call(Method::GET, &id, None).await.status, StatusCode::NOT_FOUND);
    let second = it.begin().await;
    let taken = finish(&second, 1).await;
    assert_eq!((taken.status, &taken.body["field"]), (StatusCode::CONFLICT, &"name".into()), "{taken:?}");
    let uses = json!({"name": "Other", "connection": id, "definition": draft(Value::Null)["definition"]});
    it.put(&second, 1, uses).await;
    let made = finish(&second, 2).await;
    assert_eq!(
        (&made.body["connection"], &made.body["connection_made"]),
        (&id.as_str().into(), &false.into()),
        "{made:?}"
    );
    let third = it.service.call(Method::POST, PATH, Some(&it.token), Some(json!({"name": "x"}))).await;
    let refused = finish(third.body["id"].as_str().unwrap(), 1).await;
    assert_eq!(refused.body["field"], "sink", "{refused:?}");
}
