//! `POST /v1/tenants`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use sluice_core::validate;
use sluice_store::{NewTenant, Scope};

use super::{TenantBody, TenantView};
use crate::auth::principal::Caller;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::revision::Tagged;
use crate::state::{App, instant};
use crate::v1::record::record_of;

/// Tenants that one person may own.
const MOST: u64 = 10;

/// Make a tenant and own it
#[utoipa::path(
    post, path = "/v1/tenants", tag = "tenants", operation_id = "create_tenant",
    request_body = TenantBody,
    responses((status = 201, body = TenantView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<TenantBody>,
) -> Result<impl IntoResponse, Problem> {
    let (_, user) = caller.session()?;
    let now = app.now_us();
    let new = NewTenant { id: app.ids.next(), name: validate::name("name", &body.name)? };
    app.store.create_tenant_of(&new, &user.id, MOST, now).await?;
    let (object, detail) = (format!("tenant {}", new.id), json!({"name": new.name}));
    record_of(&app, Scope { tenant: &new.id }, &caller, "tenant.create", object, detail).await?;
    let location = [(header::LOCATION, format!("/v1/tenants/{}", new.id))];
    let view = TenantView { id: new.id, name: new.name, created_at: instant(now) };
    Ok((StatusCode::CREATED, location, Tagged(1, Json(view))))
}
