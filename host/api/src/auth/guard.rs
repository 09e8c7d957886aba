//! Routes: a handler, and what whoever calls it must be. Checked before the handler runs, and written into the OpenAPI document as
//! `x-sluice-needs`.

use std::collections::HashMap;

use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use sluice_core::access::Operation;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::principal::{Member, authenticate};
use crate::http::problem::{Problem, Slug};
use crate::state::App;

/// What an operation asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: how one signs in, and how the service is.
    Nobody,
    /// Somebody who is signed in, or a token.
    Somebody,
    /// A member of the tenant in the address whose role allows this.
    Member(Operation),
}

impl Needs {
    /// The word in the document: `nobody`, `somebody`, or the operation's.
    pub fn word(self) -> serde_json::Value {
        match self {
            Self::Nobody => "nobody".into(),
            Self::Somebody => "somebody".into(),
            Self::Member(operation) => serde_json::to_value(operation).unwrap_or_default(),
        }
    }
}

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

    /// One more operation: `routes!(handler)` of utoipa-axum.
    #[must_use]
    pub fn operation(self, needs: Needs, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Self {
        for item in paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let extension = ("x-sluice-needs".to_owned(), needs.word());
                operation.extensions.get_or_insert_default().merge([extension].into_iter().collect());
            }
        }
        let methods = methods.layer(from_fn_with_state((self.app.clone(), needs), check));
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

/// Lets through who may, and tells the handler who it is.
async fn check(
    State((app, needs)): State<(App, Needs)>,
    Path(path): Path<HashMap<String, String>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if needs == Needs::Nobody {
        return Ok(next.run(request).await);
    }
    let caller = authenticate(&app, request.method(), request.headers(), request.extensions()).await?;
    if let Needs::Member(operation) = needs {
        let tenant = path.get("tenant").cloned().unwrap_or_default();
        // Whether a tenant exists is nobody's business but its members'.
        let role = caller.role_in(&app, &tenant).await?.ok_or_else(|| Problem::not_found("tenant"))?;
        if !role.may(operation) {
            let needs = operation.needs().as_str();
            let detail = format!("this needs the role {needs} in the tenant; yours is {}", role.as_str());
            return Err(Problem::new(Slug::Forbidden, detail));
        }
        request.extensions_mut().insert(Member { caller: caller.clone(), tenant, role });
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}
