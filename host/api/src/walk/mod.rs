//! Every operation of the OpenAPI document × everybody who may ask × the tenant's ids, another tenant's, and ids that never were.
//!
//! Operations are found in the document: one that is added is walked too. Whoever adds a resource gives [`world`] one of it in each
//! tenant, under the name that its id has in addresses; without, only an id that never was is asked for.

mod sample;
mod world;

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode, header};
use serde_json::Value;
use sluice_core::access::{Operation, Role};

use crate::document;
use crate::testing::{Answer, Service};
use sample::sample;
use world::World;

/// An operation, as the document has it.
struct Described {
    id: String,
    method: Method,
    path: String,
    needs: String,
    in_person: bool,
    body: Option<Value>,
    item: Value,
}

impl Described {
    fn is_of_a_tenant(&self) -> bool {
        self.path.contains("{tenant}")
    }

    /// The names in its address but for the tenant's.
    fn names(&self) -> Vec<&str> {
        let names = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        names.filter(|name| *name != "tenant").collect()
    }
}

fn every(service: &Service) -> Vec<Described> {
    let document = serde_json::to_value(document(&service.app)).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, item) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
            let schema = &item["requestBody"]["content"]["application/json"]["schema"];
            let body = (!schema.is_null()).then(|| sample(&document, schema));
            all.push(Described {
                id: text("operationId"),
                needs: text("x-sluice-needs"),
                in_person: item["x-sluice-in-person"] == true,
                path: path.clone(),
                method,
                body,
                item: item.clone(),
            });
        }
    }
    all
}

async fn ask(world: &World, one: &Described, path: &str, credential: Option<&str>) -> Answer {
    let request = Service::request(one.method.clone(), path, credential).header(header::IF_MATCH, "\"1\"");
    let answer = world.service.finish(request, one.body.clone()).await;
    let whose = format!("{} {path}: {answer:?}", one.id);
    assert!(!answer.status.is_server_error(), "{whose}");
    if answer.status.is_client_error() {
        answer.problem();
    }
    answer
}

#[tokio::test]
async fn every_operation_says_what_it_needs_and_how_it_is_refused() {
    let service = Service::new().await;
    let all = every(&service);
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert!(all.len() >= 33, "the walk finds too few operations: {ids:?}");
    assert_eq!(ids.len(), all.len(), "an operation_id is missing or used twice: {ids:?}");
    let words: BTreeSet<String> = Operation::ALL
        .iter()
        .filter_map(|one| serde_json::to_value(one).unwrap().as_str().map(str::to_owned))
        .collect();
    for one in &all {
        let id = &one.id;
        assert!(!id.is_empty(), "{} {} has no operation_id", one.method, one.path);
        let of_tenant = words.contains(&one.needs);
        assert!(
            of_tenant || ["nobody", "somebody", "person"].contains(&one.needs.as_str()),
            "{id} needs {:?}",
            one.needs
        );
        assert_eq!(of_tenant, one.is_of_a_tenant(), "{id}: a role is one in the tenant of the address");
        let answers = one.item["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('4')), "{id} does not say how it is refused");
        assert!(answers.keys().any(|status| status.starts_with(['1', '2', '3'])), "{id} does not say what it answers");
        for (status, answer) in answers {
            let kinds: Vec<&String> =
                answer["content"].as_object().into_iter().flatten().map(|(kind, _)| kind).collect();
            let problem = kinds.iter().all(|kind| *kind == "application/problem+json");
            assert!(problem || !status.starts_with(['4', '5']), "{id} {status} answers {kinds:?}");
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{id} {status}");
        }
        let named: BTreeSet<&str> = one.item["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "path")
            .filter_map(|one| one["name"].as_str())
            .collect();
        let wanted: BTreeSet<&str> = one.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        assert_eq!(named, wanted, "{id} describes other names than its address has");
        assert!(one.item["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id} has no summary");
    }
}

#[tokio::test]
async fn nobody_gets_in_where_somebody_is_asked_for() {
    let world = World::new().await;
    for one in every(&world.service) {
        let path = world.path(&one.path, "a");
        let bad =
            ["slua_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "slus_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
        for credential in [None, Some(bad[0]), Some(bad[1])] {
            world.service.pass(1);
            let answer = ask(&world, &one, &path, credential).await;
            if one.needs == "nobody" {
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{} {answer:?}", one.id);
            } else {
                assert_eq!(answer.problem(), "unauthenticated", "{} {answer:?}", one.id);
            }
        }
    }
}

#[tokio::test]
async fn each_role_may_do_what_the_operation_says_and_no_more() {
    let first = World::new().await;
    for one in every(&first.service) {
        if one.needs == "nobody" {
            continue;
        }
        // Some operations end what the others ask with.
        let world = World::new().await;
        for role in Role::ALL {
            let path = world.path(&one.path, "a");
            for (credential, is_token) in [(world.token("a", role), true), (world.session("a", role), false)] {
                let answer = ask(&world, &one, &path, Some(credential)).await;
                let enough = match serde_json::from_value::<Operation>(one.needs.clone().into()) {
                    Ok(operation) => role.may(operation),
                    Err(_) => true,
                };
                let whose = format!("{} as {} (token: {is_token}): {answer:?}", one.id, role.as_str());
                if enough && !(is_token && one.in_person) {
                    assert!(![401, 403].contains(&answer.status.as_u16()), "{whose}");
                } else {
                    assert_eq!(answer.problem(), "forbidden", "{whose}");
                }
            }
        }
    }
}

#[tokio::test]
async fn another_tenant_is_the_same_as_none() {
    let world = World::new().await;
    for one in every(&world.service).into_iter().filter(Described::is_of_a_tenant) {
        world.service.pass(60);
        let theirs = world.path(&one.path, "b");
        let nowhere = theirs.replace("/tenants/b", "/tenants/never-was");
        for credential in [world.token("a", Role::Owner), world.session("a", Role::Owner)] {
            let (found, none) = (
                ask(&world, &one, &theirs, Some(credential)).await,
                ask(&world, &one, &nowhere, Some(credential)).await,
            );
            assert_eq!(found.problem(), "not-found", "{} {found:?}", one.id);
            assert_eq!((found.status, &found.body), (none.status, &none.body), "{}", one.id);
        }
    }
}

#[tokio::test]
async fn ids_of_another_tenant_are_the_same_as_ids_that_never_were() {
    let world = World::new().await;
    for one in every(&world.service) {
        let names = one.names();
        if names.is_empty() || one.needs == "nobody" {
            continue;
        }
        world.service.pass(60);
        let foreign = world.path_with(&one.path, "a", "b");
        let never = world.path_with(&one.path, "a", "nowhere");
        for credential in [world.token("a", Role::Owner), world.session("a", Role::Owner)] {
            let (found, none) = (
                ask(&world, &one, &foreign, Some(credential)).await,
                ask(&world, &one, &never, Some(credential)).await,
            );
            assert_eq!((found.status, &found.body), (none.status, &none.body), "{} {foreign}", one.id);
            let whose = format!("{} {foreign}: {found:?}", one.id);
            assert!(found.status.is_client_error() || !world.has("b", &names), "{whose}");
            if world.has("a", &names) && !(one.in_person && found.status == StatusCode::FORBIDDEN) {
                assert_eq!(found.problem(), "not-found", "{whose}");
            }
        }
    }
    world.is_whole("b").await;
}
