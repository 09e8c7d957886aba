//! Routes: a handler, and what it declares ([`Rules`]). Checked before the handler runs, and written into the OpenAPI document
//! (`x-sluice-needs`).

use std::collections::HashMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::principal::{Caller, Credential, Member, authenticate};
pub use super::rules::{Needs, Rules};
use crate::describe;
use crate::http::client::Client;
use crate::http::problem::{Problem, Slug};
use crate::http::repeat;
use crate::state::App;

/// Routes that are being put together.
pub struct Guarded {
    app: App,
    inner: OpenApiRouter<App>,
}

impl Guarded {
    /// None yet.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), inner: OpenApiRouter::new() }
    }

    /// One more operation: what it needs, or more of what it declares, and `routes!(handler)` of utoipa-axum.
    #[must_use]
    pub fn operation(self, rules: impl Into<Rules>, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Self {
        let rules = rules.into();
        let keyed = describe::operations(&mut paths, &rules);
        let methods = methods
            .route_layer(DefaultBodyLimit::max(rules.body))
            .route_layer(from_fn_with_state((self.app.clone(), rules, keyed), check));
        Self { inner: self.inner.routes((schemas, paths, methods)), ..self }
    }

    /// The operations of a resource.
    #[must_use]
    pub fn and(self, routes: fn(Self) -> Self) -> Self {
        routes(self)
    }

    /// All of them.
    pub fn finish(self) -> OpenApiRouter<App> {
        self.inner
    }
}

/// Longest name in an address, bytes. Streams are named by their source.
const LONGEST_ID: usize = 1_000;

type Parameters = Result<Path<HashMap<String, String>>, PathRejection>;

/// Lets through who may, tells the handler who it is, and ends what takes too long.
async fn check(
    State((app, rules, keyed)): State<(App, Rules, bool)>,
    path: Parameters,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // What cannot be decoded, and what no id looks like, is the name of nothing.
    let name = |text: &String| text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
    let path = path.ok().filter(|Path(path)| path.values().all(name));
    let Some(Path(path)) = path else { return Err(Problem::not_found("address")) };
    let tenant = path.get("tenant").map(String::as_str).unwrap_or_default();
    let work = admit(&app, rules, keyed, tenant, request, next);
    let Some(limit) = rules.within else { return work.await };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let detail =
            format!("there was no answer within {} seconds; what was begun may still be done", limit.as_secs());
        Err(Problem::new(Slug::Timeout, detail))
    })
}

async fn admit(
    app: &App,
    rules: Rules,
    keyed: bool,
    tenant: &str,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let client = Client::of(request.extensions());
    if rules.needs == Needs::Nobody {
        if rules.limited {
            app.limiters().address(client, app.now_us())?;
        }
        return Ok(next.run(request).await);
    }
    let caller = match authenticate(app, request.method(), request.headers(), request.extensions()).await {
        Ok(caller) => caller,
        Err(problem) => {
            app.limiters().address(client, app.now_us())?;
            return Err(problem);
        }
    };
    app.limiters().credential(caller.credential(), app.now_us())?;
    if let Some(member) = member(app, rules.needs, &caller, tenant).await? {
        request.extensions_mut().insert(member);
    }
    if rules.needs.in_person() && matches!(caller.by, Credential::Token(_)) {
        let detail = "only a person who is signed in may do this, no token: what a leaked token can do ends with it";
        return Err(Problem::new(Slug::Forbidden, detail));
    }
    let actor = caller.actor();
    request.extensions_mut().insert(caller);
    if keyed { repeat::once(app, tenant, &actor, rules.body, request, next).await } else { Ok(next.run(request).await) }
}

/// Who asks as a member of the tenant, where the route asks for one.
async fn member(app: &App, needs: Needs, caller: &Caller, tenant: &str) -> Result<Option<Member>, Problem> {
    let Some(operation) = needs.operation() else { return Ok(None) };
    // Whether a tenant exists is nobody's business but its members'.
    let role = caller.role_in(app, tenant).await?.ok_or_else(|| Problem::not_found("tenant"))?;
    if !role.may(operation) {
        let needs = operation.needs().as_str();
        let detail = format!("this needs the role {needs} in the tenant; yours is {}", role.as_str());
        return Err(Problem::new(Slug::Forbidden, detail));
    }
    Ok(Some(Member { caller: caller.clone(), tenant: tenant.to_owned(), role }))
}
