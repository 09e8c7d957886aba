//! `POST /v1/tenants/{tenant}/pipelines/import`

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use sluice_core::RunError;
use sluice_core::manifest::Manifest;
use sluice_core::pipeline::{Definition, Grants, Pipeline};
use sluice_core::secret::split;
use sluice_store::Connection;
use utoipa::ToSchema;

use super::create::save;
use super::input::{PipelineBody, prepare, yes};
use super::view::PipelineView;
use crate::auth::principal::Member;
use crate::http::body::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::v1::connections::grants_of;

/// Largest file that is read, bytes.
const MAX_BYTES: usize = 512 << 10;

/// A pipeline's file, and the connection that stands in for its source.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportBody {
    /// The id of a connection of the same connector. The file's own configuration must be the same, or be left out.
    #[schema(min_length = 1, max_length = 100)]
    connection: String,
    /// The file that `sluice run` takes.
    #[schema(min_length = 1, max_length = 524_288)]
    yaml: String,
    /// What people call it; the file's `name` if this is left out.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Whether its schedule is followed.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
}

/// Make a pipeline from the file of `sluice run`
///
/// Its source becomes a connection that is there already: secrets are never taken from a file.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/pipelines/import", tag = "pipelines", operation_id = "import_pipeline",
    params(("tenant" = String, Path)), request_body = ImportBody,
    responses((status = 201, body = PipelineView), (status = "4XX", body = ProblemBody))
)]
pub(super) async fn import(
    State(app): State<App>,
    member: Member,
    Body(body): Body<ImportBody>,
) -> Result<Response, Problem> {
    if body.yaml.len() > MAX_BYTES {
        return Err(Problem::field("yaml", format!("a file has at most {MAX_BYTES} bytes")));
    }
    // Without the lines around the mistake: the file may hold secrets.
    let pipeline: Pipeline =
        serde_saphyr::from_str(&body.yaml).map_err(|e| Problem::field("yaml", e.without_snippet().to_string()))?;
    let found = app.store.connection(member.scope(), &body.connection).await?;
    let connection = found.ok_or_else(|| Problem::field("connection", "there is no such connection"))?;
    if pipeline.source.connector != connection.connector {
        let detail = format!(
            "the file reads with the connector {:?}, the connection is one of {:?}",
            pipeline.source.connector, connection.connector
        );
        return Err(Problem::field("source.connector", detail));
    }
    let manifest = app.resolver.catalogue.get(member.scope(), &connection.connector).await?.manifest;
    same_source(&pipeline, &connection, &manifest)?;
    let name = body.name.unwrap_or_else(|| pipeline.name.clone());
    let definition = serde_json::to_value(Definition::from(pipeline));
    let definition = definition.map_err(|e| RunError::internal(format!("a definition: {e}")))?;
    let id = app.ids.next();
    let body = PipelineBody { name, connection: body.connection, enabled: body.enabled, definition };
    let ready = prepare(&app, member.scope(), &id, body).await?;
    save(&app, &member, id, ready, "pipeline.import").await
}

/// Whether the file's source says nothing else than the connection does. Secrets are not compared: a file refers to its own.
fn same_source(pipeline: &Pipeline, connection: &Connection, manifest: &Manifest) -> Result<(), Problem> {
    let config = &pipeline.source.config;
    let left_out = config.is_null() || config.as_object().is_some_and(Map::is_empty);
    let written = split(&manifest.config, config);
    let inline = |value: &Value| !matches!(value, Value::Object(members) if members.len() == 1 && (members.contains_key("env") || members.contains_key("file")));
    if let Some((field, _)) = written.secrets.iter().find(|(_, value)| inline(value)) {
        let detail = "a secret is not taken from a file; remove it here, and set it at the connection";
        return Err(Problem::field(format!("source.config{field}"), detail));
    }
    if !left_out {
        let (ours, theirs) = (full(&connection.config, manifest), full(&written.public, manifest));
        let names = ours.keys().chain(theirs.keys());
        let other = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name));
        if let Some(name) = other {
            let detail =
                "it differs from the connection's; give the connection of this source, or remove it from the file";
            return Err(Problem::field(format!("source.config.{name}"), detail));
        }
    }
    let grants = &pipeline.source.grants;
    if *grants != Grants::default() && *grants != grants_of(connection)? {
        let detail = "they differ from the connection's; remove them from the file";
        return Err(Problem::field("source.grants", detail));
    }
    Ok(())
}

/// The fields of a configuration, with the schema's defaults; what holds nothing is as if it were not there.
fn full(config: &Value, manifest: &Manifest) -> Map<String, Value> {
    let mut fields = config.as_object().cloned().unwrap_or_default();
    let properties = manifest.config.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(default) = property.get("default") {
            fields.entry(name).or_insert_with(|| default.clone());
        }
    }
    fields.retain(|_, value| !value.is_null() && !value.as_object().is_some_and(Map::is_empty));
    fields
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};
    use sluice_core::access::Role;
    use sluice_core::pipeline::{Definition, Pipeline};

    use crate::testing::{SECRET, Service};

    const PATH: &str = "/v1/tenants/acme/pipelines/import";

    /// Something of everything that a definition can have.
    fn definition() -> Value {
        json!({
            "streams": [
                {
                    "id": "public.orders", "table": "orders", "read": {"incremental": "updated_at"},
                    "columns": ["id", "updated_at", "no", "yes"], "rename": {"no": "off", "yes": "on"},
                    "cast": {"id": {"to": "NUMERIC(20,2)", "on_misfit": "set-null"}}, "on_misfit": "quarantine",
                    "partition": {"column": "updated_at", "unit": "month"}, "cluster": ["id"], "evolution": "freeze",
                    "checks": [
                        {"rows": {"min": 1}, "level": "warn"}, {"accepted": {"column": "on", "values": ["0123", 7, true, "null"]}}
                    ]
                },
                {"id": "public.\"odd: #name\"", "load": "catalog", "table": "odd"}
            ],
            "sink": {"type": "local", "path": "sales: # 1"},
            "limits": {"parallel": 3, "wall_seconds": 60},
            "schedule": {
                "cron": "*/5 * * * *", "time_zone": "Europe/Berlin", "jitter_seconds": 20, "overlap": "queue",
                "catch_up": {"all": {"max": 5}}, "blackouts": [{"from": "22:00", "to": "06:00", "days": ["fri"], "reason": "~"}]
            },
            "retry": {"max_attempts": 4},
            "notify": [{"email": ["a@example.com"], "on": ["failure"]}]
        })
    }

    #[tokio::test]
    async fn what_was_exported_is_a_file_of_sluice_run_and_is_imported_as_it_was() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let connection = service.connection("acme", &editor, "The shop").await;
        let body = json!({"name": "Täglich: Sales 1", "connection": connection, "definition": definition()});
        let made = service.call(Method::POST, "/v1/tenants/acme/pipelines", Some(&editor), Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let path = format!("/v1/tenants/acme/pipelines/{}/export", made.body["id"].as_str().unwrap());
        let file = service.call(Method::GET, &path, Some(&editor), None).await;
        assert_eq!(file.headers["content-type"], "application/yaml");
        let text = file.body.as_str().unwrap();
        assert!(text.contains("#   THE_SHOP_PASSWORD  (source.config/password)") && !text.contains(SECRET), "{text}");
        let parsed: Pipeline = serde_saphyr::from_str(text).unwrap();
        parsed.validate().unwrap();
        assert_eq!(parsed.name, "T-glich--Sales-1");
        assert_eq!(parsed.source.config, json!({"host": "db.example.com", "password": {"env": "THE_SHOP_PASSWORD"}}));
        let stored: Definition = serde_json::from_value(made.body["definition"].clone()).unwrap();
        assert_eq!(Definition::from(parsed), stored);

        let body = json!({"connection": connection, "yaml": text, "enabled": false});
        let again = service.call(Method::POST, PATH, Some(&editor), Some(body)).await;
        assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
        assert_eq!(again.body["definition"], made.body["definition"]);
        assert_eq!((&again.body["name"], &again.body["enabled"]), (&"T-glich--Sales-1".into(), &false.into()));
        assert_eq!(service.actions("acme").await["pipeline.import"], 1);
    }

    #[tokio::test]
    async fn a_file_of_another_source_is_refused_by_what_differs() {
        let service = Service::new().await;
        service.tenant("acme").await;
        let editor = service.token("acme", Role::Editor).await;
        let connection = service.connection("acme", &editor, "shop").await;
        let ask = async |source: &str| {
            let yaml = format!("name: p\nsource: {source}\nstreams: [{{id: a}}]\nsink: {{type: \"null\"}}\n");
            let body = json!({"connection": connection, "yaml": yaml});
            let answer = service.call(Method::POST, PATH, Some(&editor), Some(body)).await;
            assert!(!answer.body.to_string().contains("s3cret"), "{answer:?}");
            answer.body["field"].as_str().unwrap_or("created").to_owned()
        };
        assert_eq!(ask("{connector: lake}").await, "source.connector");
        assert_eq!(ask("{connector: demo, config: {host: other}}").await, "source.config.host");
        assert_eq!(ask("{connector: demo, config: {host: db.example.com, port: 1}}").await, "source.config.port");
        let inline = "{connector: demo, config: {host: db.example.com, password: s3cret}}";
        assert_eq!(ask(inline).await, "source.config/password");
        assert_eq!(ask("{connector: demo, grants: {private_network: true}}").await, "source.grants");
        assert_eq!(ask("{connector: demo, secret: s3cret").await, "yaml");
        assert_eq!(
            ask("{connector: demo, config: {host: db.example.com, port: 5432, password: {env: X}}}").await,
            "created"
        );
    }
}
