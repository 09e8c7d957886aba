//! `GET /v1/providers/{provider}/finish`

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use super::query::Returned;
use super::{back, errand, provider, welcome};
use crate::auth::cookie::ERRAND;
use crate::http::client::Client;
use crate::http::path::Path;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::query::Query;
use crate::state::App;
use crate::v1::record::record_everywhere;
use crate::v1::session::begin;

/// Come back from an identity provider
///
/// For browsers: sets the session's cookie and redirects to the service's first page.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/finish", tag = "session", operation_id = "finish_with_provider",
    params(("provider" = String, Path, description = "Its name"), Returned),
    responses(
        (status = 303, description = "Signed in", headers(("Location" = String), ("Set-Cookie" = String))),
        (status = "4XX", body = ProblemBody), (status = 502, description = "The provider does not answer", body = ProblemBody)
    )
)]
pub(super) async fn finish(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Path(name): Path<String>,
    Query(returned): Query<Returned>,
) -> Result<Response, Problem> {
    let provider = provider(&app, &name)?;
    // The cookie ties the answer to the browser that asked: nobody can be signed in as somebody else by a link.
    let errand =
        errand::kept(&headers).filter(|kept| kept.provider == name && Some(&kept.state) == returned.state.as_ref());
    let errand = errand.ok_or_else(|| {
        let detail = "signing in was not begun in this browser, or more than ten minutes ago; begin again";
        Problem::new(Slug::CrossSite, detail)
    })?;
    let title = &provider.settings().title;
    let code = returned.code.ok_or_else(|| {
        let why = if returned.error.as_deref() == Some("access_denied") { "you declined" } else { "it refused" };
        Problem::new(Slug::WrongCredentials, format!("{title} did not confirm who you are: {why}"))
    })?;
    let person = provider.finish(code, &errand, &back(&app, provider), app.now()).await?;
    let user = welcome::user_of(&app, provider, &person, errand.invitation.as_deref(), client).await?;
    let (_, cookie) = begin(&app, &user, &headers, client).await?;
    record_everywhere(&app, &user, client, "session.create").await?;
    let location = (header::LOCATION, HeaderValue::from_static("/"));
    let cookies = AppendHeaders([(header::SET_COOKIE, cookie), (header::SET_COOKIE, ERRAND.clear())]);
    Ok((StatusCode::SEE_OTHER, [location], cookies).into_response())
}
