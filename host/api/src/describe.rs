//! What the OpenAPI document says of every operation beyond what its handler does: what it needs, how one shows who one is, how errors
//! look, and whether it may be repeated.

use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Paths, Ref, RefOr, Required, Response};

use crate::auth::guard::{Needs, Rules};
use crate::http::problem::Slug;
use crate::http::repeat;

const TOKEN: &str = "token";
const SESSION: &str = "session";
const PROBLEM: &str = "application/problem+json";

/// Completes the operations of a route. Whether they take an `Idempotency-Key`: those that make or start something do, except where
/// nobody asks or the answer holds a secret.
pub(crate) fn operations(paths: &mut Paths, rules: &Rules) -> bool {
    let mut keyed = false;
    for item in paths.paths.values_mut() {
        let others = [&mut item.get, &mut item.put, &mut item.patch, &mut item.delete];
        others.into_iter().flatten().for_each(|operation| complete(operation, rules));
        if let Some(operation) = &mut item.post {
            complete(operation, rules);
            if makes(operation) && rules.needs != Needs::Nobody && !rules.answers_secret {
                keyed = true;
                operation.parameters.get_or_insert_default().push(RefOr::T(key().build()));
            }
        }
    }
    keyed
}

/// Whether it makes or starts something, as its answers say: 201 Created or 202 Accepted.
fn makes(operation: &Operation) -> bool {
    ["201", "202"].iter().any(|status| operation.responses.responses.contains_key(*status))
}

fn complete(operation: &mut Operation, rules: &Rules) {
    let mut extensions = vec![("x-sluice-needs".to_owned(), rules.needs.word())];
    if rules.needs.in_person() {
        extensions.push(("x-sluice-in-person".to_owned(), true.into()));
    }
    operation.extensions.get_or_insert_default().merge(extensions.into_iter().collect());
    let schemes = match (rules.needs, rules.needs.in_person()) {
        (Needs::Nobody, _) => &[][..],
        (_, true) => &[SESSION][..],
        (_, false) => &[TOKEN, SESSION][..],
    };
    let none: [&str; 0] = [];
    operation.security = Some(schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, none)).collect());
    let responses = &mut operation.responses.responses;
    responses.entry("5XX".to_owned()).or_insert_with(|| RefOr::T(problem()));
    for (status, response) in responses {
        if let RefOr::T(response) = response {
            finish(status, response);
        }
    }
}

/// Errors are problems, and every answer is described.
fn finish(status: &str, response: &mut Response) {
    if status.starts_with(['4', '5'])
        && let Some(content) = response.content.shift_remove("application/json")
    {
        response.content.insert(PROBLEM.to_owned(), content);
    }
    if response.description.is_empty() {
        let text = match status {
            "201" => "Made",
            "202" => "Begun",
            "204" => "Done",
            "4XX" => "The request cannot be answered as it is: the problem says why",
            "5XX" => "It failed: the problem says at whom",
            _ => "The answer",
        };
        text.clone_into(&mut response.description);
    }
}

fn problem() -> Response {
    let mut response = Response::new("");
    response.content.insert(PROBLEM.to_owned(), RefOr::T(Content::new(Some(Ref::from_schema_name("Problem")))));
    response
}

fn key() -> ParameterBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(repeat::LONGEST));
    let about = "A name of the client's choosing. The same request with the same key within a day is not carried out again: the first \
                 answer is repeated, with Idempotency-Replayed: true.";
    ParameterBuilder::new()
        .name(repeat::HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(text))
}

/// What the document says once.
pub(crate) fn whole(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let about = "An API token: `Authorization: Bearer slua_…`";
    let token = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token));
    let about = "The cookie that signing in sets. A change must come from the service's own pages.";
    let cookie = ApiKeyValue::with_description("__Host-sluice", about);
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let names = Slug::ALL
        .map(|slug| format!("- `urn:sluice:problem:{}` ({}): {}", slug.name(), slug.status().as_u16(), slug.title()));
    let problems = format!("\n\nThe types of problems:\n\n{}", names.join("\n"));
    document.info.description.get_or_insert_default().push_str(&problems);
}
