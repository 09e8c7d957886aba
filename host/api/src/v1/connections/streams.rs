//! `GET /v1/tenants/{tenant}/connections/{connection}/streams`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_core::pipeline::SourceSpec;
use sluice_core::plan::{DiscoverFilter, StreamKind};
use sluice_core::secret::Redactor;
use sluice_core::worker::{Column, Event, Job, Stream, StreamPage};
use sluice_engine::service::resolve::{Purpose, Resolved};
use utoipa::ToSchema;

use super::discovered::Place;
use super::input::hide;
use super::view::find;
use super::working::{ask, limits};
use crate::auth::principal::Member;
use crate::http::page::MAX_LIMIT;
use crate::http::problem::{Problem, ProblemBody, Slug};
use crate::http::query::Query;
use crate::state::{App, instant};

/// Longest place in a list of streams, bytes: it is the connector's own text.
const LONGEST_AFTER: usize = 4 << 10;

/// Which streams.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::v1) struct StreamsQuery {
    /// Only streams whose ids contain this, ignoring case.
    #[param(max_length = 200)]
    contains: Option<String>,
    /// The `next` of the page before; none for the first one.
    #[param(max_length = 4096)]
    after: Option<String>,
    /// At most this many streams.
    #[param(minimum = 1, maximum = 200, default = 100)]
    limit: Option<u32>,
    /// True to ask the source again, although the answer of some minutes ago is still known.
    #[param(default = false)]
    refresh: Option<bool>,
}

/// Streams that a connection offers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct StreamsView {
    /// Ordered by id.
    items: Vec<StreamView>,
    /// What to ask for the next page with; none on the last one.
    next: Option<String>,
    /// When the source was asked.
    #[schema(value_type = String, format = DateTime)]
    read_at: Timestamp,
}

/// A stream that a connection offers.
#[derive(Debug, Serialize, ToSchema)]
struct StreamView {
    /// Unique and stable within the connection; what a pipeline names.
    id: String,
    /// `table`, `view`, `materialized-view`, `partitioned-table`, `query`, `files` or `other`.
    #[schema(value_type = String)]
    kind: StreamKind,
    /// Its columns.
    columns: Vec<ColumnView>,
    /// Columns that identify a row.
    primary_key: Vec<String>,
    /// Columns that an incremental read could use, the best first.
    cursor_candidates: Vec<String>,
    /// Estimated rows.
    rows: Option<u64>,
    /// Estimated bytes.
    bytes: Option<u64>,
    /// The source's own comment.
    description: Option<String>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::v1) struct ColumnView {
    /// Its name.
    name: String,
    /// Its Arrow type, as text.
    r#type: String,
    /// Whether it may be NULL.
    nullable: bool,
}

impl From<Column> for ColumnView {
    fn from(Column { name, r#type, nullable }: Column) -> Self {
        Self { name, r#type, nullable }
    }
}

impl From<&Stream> for StreamView {
    fn from(stream: &Stream) -> Self {
        Self {
            id: stream.id.clone(),
            kind: stream.kind,
            columns: stream.columns.iter().cloned().map(ColumnView::from).collect(),
            primary_key: stream.primary_key.clone(),
            cursor_candidates: stream.cursor_candidates.clone(),
            rows: stream.rows,
            bytes: stream.bytes,
            description: stream.description.clone(),
        }
    }
}

/// The streams that a connection offers
///
/// The source is asked by a worker, for at most a minute; the answer is remembered for ten.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/connections/{connection}/streams", tag = "connections",
    operation_id = "list_streams", params(("tenant" = String, Path), ("connection" = String, Path), StreamsQuery),
    responses(
        (status = 200, body = StreamsView), (status = "4XX", body = ProblemBody), (status = "5XX", body = ProblemBody)
    )
)]
pub(super) async fn streams(
    State(app): State<App>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Query(query): Query<StreamsQuery>,
) -> Result<Json<StreamsView>, Problem> {
    let found = find(&app, member.scope(), &id).await?;
    let (actor, address) = (member.caller.actor(), member.caller.address.as_deref());
    let purpose = Purpose { actor: &actor, object: "discover", address, now_us: app.now_us() };
    let opening = async {
        let opened = app.resolver.source(member.scope(), &id, purpose).await;
        opened.map_err(|error| hide(error, &Redactor::default()).into())
    };
    Ok(Json(told(&app, &member.tenant, (id.clone(), found.revision), query, opening).await?))
}

/// A page of the streams of a connection, or of what will be one, at a revision. It is opened only if the source has to be asked.
pub(in crate::v1) async fn told(
    app: &App,
    tenant: &str,
    (connection, revision): (String, u64),
    query: StreamsQuery,
    opening: impl Future<Output = Result<Resolved<SourceSpec>, Problem>> + Send,
) -> Result<StreamsView, Problem> {
    let page_size = match query.limit.unwrap_or(100) {
        limit @ 1..=MAX_LIMIT => limit,
        other => return Err(Problem::field("limit", format!("a page has 1 to {MAX_LIMIT} items, not {other}"))),
    };
    if query.after.as_ref().is_some_and(|after| after.len() > LONGEST_AFTER) {
        return Err(Problem::field("after", "it is no `next` of this list"));
    }
    let contains = query.contains.unwrap_or_default().to_lowercase();
    if contains.chars().count() > 200 {
        return Err(Problem::field("contains", "at most 200 characters are looked for"));
    }
    let place = Place { tenant: tenant.to_owned(), connection, revision, contains, page_size, after: query.after };
    let again = query.refresh.unwrap_or_default();
    let known = app.discovered().get(&place, app.now_us()).filter(|_| !again);
    let (page, at_us) = match known {
        Some(known) => known,
        None => {
            if again && place.after.is_none() {
                app.discovered().forget(&place.tenant, &place.connection);
            }
            (discover(app, &place, opening.await?).await?, app.now_us())
        }
    };
    let items = page.streams.iter().map(StreamView::from).collect();
    Ok(StreamsView { items, next: page.next.clone(), read_at: instant(at_us) })
}

async fn discover(app: &App, place: &Place, opened: Resolved<SourceSpec>) -> Result<Arc<StreamPage>, Problem> {
    let filter = DiscoverFilter { contains: place.contains.clone(), ids: Vec::new(), page_size: place.page_size };
    let job = Job::Discover { source: opened.it, limits: limits(), filter, page: place.after.clone() };
    let told = ask(app, &job, &opened.redactor).await?;
    let page = told.into_iter().find_map(|event| match event {
        Event::Streams(page) => Some(page),
        _ => None,
    });
    let mut page = page.ok_or_else(|| Problem::new(Slug::Upstream, "the connector listed no streams"))?;
    for text in page.streams.iter_mut().filter_map(|stream| stream.description.as_mut()) {
        *text = opened.redactor.redact(text).into_owned();
    }
    let page = Arc::new(page);
    app.discovered().put(place.clone(), page.clone(), app.now_us());
    Ok(page)
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use sluice_core::access::Role;

    use crate::testing::Service;

    #[tokio::test]
    async fn they_are_listed_page_by_page_and_remembered_for_a_while() {
        let service = Service::new().await;
        service.tenant("acme").await;
        service.tenant("globex").await;
        let editor = service.token("acme", Role::Editor).await;
        let stranger = service.token("globex", Role::Owner).await;
        let id = service.connection("acme", &editor, "shop").await;
        let path = format!("/v1/tenants/acme/connections/{id}/streams");
        let get = async |query: &str| service.call(Method::GET, &format!("{path}{query}"), Some(&editor), None).await;
        let asked = async || service.actions("acme").await.get("secret.use").copied().unwrap_or_default();
        let first = get("").await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        assert_eq!((&first.body["items"][0]["id"], &first.body["next"]), (&"public.orders".into(), &"2".into()));
        assert_eq!(first.body["items"][0]["columns"][1]["name"], "updated_at");
        assert_eq!(get("?after=2").await.body["items"][0]["kind"], "view");
        assert_eq!(asked().await, 2);
        service.pass(60);
        assert_eq!((get("").await.body["read_at"].clone(), asked().await), (first.body["read_at"].clone(), 2));
        assert_ne!(get("?refresh=true").await.body["read_at"], first.body["read_at"]);
        assert_eq!(asked().await, 3);
        service.pass(601);
        get("").await;
        assert_eq!(asked().await, 4);
        assert_eq!(get("?limit=0").await.body["field"], "limit");
        let elsewhere = path.replace("acme", "globex");
        let other = service.call(Method::GET, &elsewhere, Some(&stranger), None).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
}
