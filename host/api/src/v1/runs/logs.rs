//! `GET /v1/tenants/{tenant}/runs/{run}/logs`

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_core::RunError;
use sluice_store::{LogLine, Scope};
use utoipa::ToSchema;

use super::view::find;
use crate::auth::principal::Member;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::state::{App, instant};

/// Lines that are read at once for a download.
const AT_ONCE: u32 = 500;

/// How the log is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// True for all of it, as a text file. So does `Accept: text/plain`.
    #[param(default = false)]
    download: Option<bool>,
}

/// A line of a run's log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogView {
    /// Which attempt said it.
    attempt: u32,
    /// Counts from one in each attempt.
    line: u32,
    /// When it was said.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    level: String,
    /// What was said, without secrets.
    message: String,
}

/// What a run said, line by line, or as a file
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/runs/{run}/logs", tag = "runs", operation_id = "get_run_logs",
    params(("tenant" = String, Path), ("run" = String, Path), LogQuery, PageQuery),
    responses(
        (status = 200, content((Page<LogView> = "application/json"), (String = "text/plain"))),
        (status = "4XX", body = ProblemBody)
    )
)]
pub(super) async fn logs(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Query(how): Query<LogQuery>,
    Query(page): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, place(page.after.as_deref())?);
    find(&app, member.scope(), &id).await?;
    let text = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if how.download.unwrap_or_default() || text.is_some_and(|accept| accept.trim().starts_with("text/plain")) {
        return Ok(download(app, member.tenant, id, after));
    }
    let found = app.store.run_log(member.scope(), &id, after, limit + 1).await?;
    let page = Page::of(found, limit, |line| format!("{}.{}", line.attempt, line.line));
    Ok(Json(page.map(LogView::from)).into_response())
}

/// Where a page begins: behind a line of an attempt.
fn place(after: Option<&str>) -> Result<(u32, u32), Problem> {
    let Some(after) = after else { return Ok((0, 0)) };
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| i32::try_from(*number).is_ok());
    let parsed = after.split_once('.').and_then(|(attempt, line)| Some((number(attempt)?, number(line)?)));
    parsed.ok_or_else(|| Problem::field("after", "it is no `next` of this list"))
}

/// The whole log as text. It is read while it is sent, so that a long one takes no memory.
fn download(app: App, tenant: String, id: String, after: (u32, u32)) -> Response {
    let attachment = format!("attachment; filename=\"run-{id}.log\"");
    let lines = stream::try_unfold((app, tenant, id, after), async |(app, tenant, id, after)| {
        let found = app.store.run_log(Scope { tenant: &tenant }, &id, after, AT_ONCE).await?;
        let Some(last) = found.last() else { return Ok::<_, RunError>(None) };
        let behind = (last.attempt, last.line);
        let text: String = found.iter().map(as_text).collect();
        Ok(Some((text, (app, tenant, id, behind))))
    });
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, attachment)];
    (headers, Body::from_stream(lines)).into_response()
}

/// One line, whatever was said in it.
fn as_text(line: &LogLine) -> String {
    let message = line.message.replace(['\n', '\r'], " ");
    format!("{} attempt {} {:<5} {message}\n", instant(line.at_us), line.attempt, line.level)
}

impl From<LogLine> for LogView {
    fn from(line: LogLine) -> Self {
        let at = instant(line.at_us);
        Self { attempt: line.attempt, line: line.line, at, level: line.level, message: line.message }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use sluice_core::access::Role;
    use sluice_store::{LogLine, Scope};

    use crate::testing::{START_US, Service};

    #[tokio::test]
    async fn it_is_read_page_by_page_and_downloaded_whole() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let pipeline = service.pipeline("acme", &editor).await;
        let id = service.run("acme", &editor, &pipeline).await;
        let said = |attempt, line| LogLine {
            attempt,
            line,
            at_us: START_US,
            level: "warn".into(),
            message: format!("line\n{line}"),
        };
        let mut lines: Vec<LogLine> = (1..=600).map(|line| said(1, line)).collect();
        lines.push(said(2, 1));
        service.app.store.add_log(Scope { tenant: "acme" }, &id, &lines).await.unwrap();
        let get = async |query: &str| {
            let path = format!("/v1/tenants/acme/runs/{id}/logs{query}");
            service.call(Method::GET, &path, Some(&editor), None).await
        };
        let first = get("?limit=2").await.body;
        assert_eq!((&first["items"][1]["message"], &first["next"]), (&"line\n2".into(), &"1.2".into()));
        let last = get("?after=1.600").await.body;
        assert_eq!((&last["items"][0]["attempt"], last["next"].is_null()), (&2.into(), true));
        assert_eq!(get("?after=x").await.body["field"], "after");
        let file = get("?download=true").await;
        assert_eq!(file.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(file.headers["content-disposition"], format!("attachment; filename=\"run-{id}.log\"").as_str());
        let text = file.body.as_str().unwrap();
        assert_eq!(text.lines().count(), 601);
        assert!(text.starts_with("2026-09-21T14:13:20Z attempt 1 warn  line 1\n"), "{}", &text[..80]);
    }
}
