//! `POST /v1/tenants/{tenant}/previews/names`

use std::collections::BTreeMap;

use axum::Json;
use serde::{Deserialize, Serialize};
use sluice_core::naming::{Reason, assign, check_name, table_name};
use sluice_core::pipeline::QUARANTINE_SUFFIX;
use utoipa::ToSchema;

use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};

/// Most streams that are asked for together.
const MOST_STREAMS: usize = 10_000;

/// Most columns of all of them.
const MOST_COLUMNS: usize = 50_000;

/// Streams on their way to tables.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamesBody {
    /// The streams of one pipeline.
    #[schema(max_items = 10000)]
    streams: Vec<StreamNames>,
}

/// A stream on its way to its table.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StreamNames {
    /// Its id.
    #[schema(min_length = 1)]
    id: String,
    /// The table's name, if a person chose it.
    #[serde(default)]
    table: Option<String>,
    /// Its columns, as they are called at the source; none to ask for the table's name only.
    #[serde(default)]
    columns: Vec<String>,
    /// Names that a person chose, by the name at the source.
    #[serde(default)]
    rename: BTreeMap<String, String>,
    /// Whether it is loaded as a catalog, which adds a column of its own.
    #[serde(default)]
    catalog: bool,
}

/// What everything would be called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamesView {
    /// Each stream, in the order in which they were asked for.
    streams: Vec<NamedView>,
}

/// What a stream's table would be called.
#[derive(Debug, Serialize, ToSchema)]
struct NamedView {
    /// The stream's id.
    id: String,
    /// Its table.
    table: String,
    /// Its columns, in the order in which they were asked for.
    columns: Vec<NamedColumn>,
    /// What is wrong with a name that was chosen, or that streams would share a table.
    problem: Option<NameProblem>,
}

/// What a column would be called.
#[derive(Debug, Serialize, ToSchema)]
struct NamedColumn {
    /// At the source.
    source: String,
    /// In the table.
    name: String,
    /// Why: `kept`, `chosen` by a person, `made-safe`, or `taken` (another column, or the load, has the name that it would have had).
    why: &'static str,
}

/// What is wrong with a name.
#[derive(Debug, Serialize, ToSchema)]
struct NameProblem {
    /// `table`, or `rename.COLUMN`.
    field: String,
    /// What to do.
    detail: String,
}

/// What tables and columns would be called
///
/// Of names that nobody remembers yet; those of a pipeline that has run stay what they are.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/previews/names", tag = "pipelines", operation_id = "preview_names",
    params(("tenant" = String, Path)), request_body = NamesBody,
    responses((status = 200, body = NamesView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn names(Body(body): Body<NamesBody>) -> Result<Json<NamesView>, Problem> {
    let columns = body.streams.iter().map(|stream| stream.columns.len()).sum::<usize>();
    if body.streams.len() > MOST_STREAMS || columns > MOST_COLUMNS {
        let detail = format!("at most {MOST_STREAMS} streams with {MOST_COLUMNS} columns are named together");
        return Err(Problem::field("streams", detail));
    }
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut streams: Vec<NamedView> = Vec::with_capacity(body.streams.len());
    for stream in body.streams {
        let mut view = named(stream);
        let table = view.table.to_lowercase();
        for name in [format!("{table}{QUARANTINE_SUFFIX}"), table] {
            if let Some(other) = taken.insert(name, view.id.clone()) {
                let detail = format!("the stream {other} has a table of this name already; choose another");
                view.problem.get_or_insert(NameProblem { field: "table".to_owned(), detail });
            }
        }
        streams.push(view);
    }
    Ok(Json(NamesView { streams }))
}

fn named(stream: StreamNames) -> NamedView {
    let StreamNames { id, table, columns, rename, catalog } = stream;
    let chosen = table.as_deref().map(check_name);
    let mut problem = match chosen {
        Some(Err(why)) => Some(NameProblem { field: "table".to_owned(), detail: format!("the name {why}") }),
        Some(Ok(())) | None => None,
    };
    let reserved: &[&str] = if catalog { &[sluice_core::load::SNAPSHOT_DATE_COLUMN] } else { &[] };
    let of: Vec<&str> = columns.iter().map(String::as_str).collect();
    let none = BTreeMap::new();
    let assigned = assign(&none, &of, &rename, reserved).or_else(|error| {
        problem.get_or_insert(NameProblem { field: error.field.clone().unwrap_or_default(), detail: error.message });
        // What the others would be called without the names that are wrong.
        assign(&none, &of, &none, reserved)
    });
    let column = |(source, name): (String, String)| {
        let why = Reason::of(&source, &name, &rename).as_str();
        NamedColumn { source, name, why }
    };
    let columns = assigned.unwrap_or_default().into_iter().map(column).collect();
    NamedView { table: table.unwrap_or_else(|| table_name(&id)), id, columns, problem }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};
    use sluice_core::access::Role;

    use crate::testing::Service;

    async fn ask(streams: Value) -> Value {
        let service = Service::new().await;
        service.tenant("acme").await;
        let viewer = service.token("acme", Role::Viewer).await;
        let body = Some(json!({"streams": streams}));
        service.call(Method::POST, "/v1/tenants/acme/previews/names", Some(&viewer), body).await.body["streams"].clone()
    }

    #[tokio::test]
    async fn each_name_is_told_with_its_reason() {
        let columns = json!(["id", "order date", "order_date", "snapshot_date"]);
        let told =
            ask(json!([{"id": "public.orders", "columns": columns, "catalog": true, "rename": {"id": "key"}}])).await;
        assert_eq!(told[0]["table"], "public_orders");
        let why: Vec<_> =
            told[0]["columns"].as_array().unwrap().iter().map(|one| one["why"].as_str().unwrap()).collect();
        assert_eq!(why, ["chosen", "taken", "kept", "taken"], "{told}");
        assert_eq!((&told[0]["columns"][0]["name"], &told[0]["problem"]), (&"key".into(), &Value::Null));
    }

    #[tokio::test]
    async fn what_collides_and_what_no_sink_takes_is_named() {
        let told = ask(json!([
            {"id": "a.b"}, {"id": "a_b"}, {"id": "c", "table": "1st"},
            {"id": "d", "columns": ["x", "y"], "rename": {"x": "Y", "y": "y"}}
        ]))
        .await;
        assert_eq!(told[0]["problem"], Value::Null);
        assert_eq!(told[1]["problem"]["field"], "table");
        assert!(told[1]["problem"]["detail"].as_str().unwrap().contains("stream a.b"), "{told}");
        assert_eq!(told[2]["problem"]["detail"], "the name may not start with a digit");
        assert_eq!(told[3]["problem"]["field"], "rename.y", "{told}");
    }
}
