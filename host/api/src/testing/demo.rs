//! Connectors that are installed in tests, and a worker that plays them.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use sluice_core::manifest::Manifest;
use sluice_engine::service::catalogue::{Catalogue, Installed};
use sluice_engine::service::worker::Workers;

use super::{Answer, Service};

/// A secret that tests put in, and look for everywhere.
pub(crate) const SECRET: &str = "hunter2-correct-horse";

/// A host that makes the worker fail with the secret in its message.
pub(crate) const LEAKY_HOST: &str = "leaky.example.com";

/// What `sluice worker` is in tests: it reads a job and answers with lines, by the kind of job.
const SCRIPT: &str = r#"
read -r job
case "$job" in
  *leaky.example.com*)
    printf '%s\n' '{"event":"failed","kind":"auth","actor":"user","retry":"never","message":"password hunter2-correct-horse was refused","field":"/password","stream":null}';;
  *slow.example.com*) exec sleep 30 ;;
  *crash.example.com*) exit 3 ;;
  *'"job":"examine"'*)
    path=${job#*'"component":"'}; path=${path%%'"'*}
    case "$(cat "$path")" in
      bomb) printf '%s\n' '{"event":"step","name":"file","outcome":"passed","detail":"4 bytes","remedy":""}'; exit 137 ;;
      '{'*)
        printf '%s\n' '{"event":"step","name":"file","outcome":"passed","detail":"small","remedy":""}'
        printf '{"event":"examined","manifest":"%s","imports":[]}\n' "$(sed 's/"/\\"/g' "$path")"
        printf '%s\n' '{"event":"done"}' ;;
      *)
        printf '%s\n' '{"event":"step","name":"file","outcome":"failed","detail":"no WebAssembly","remedy":"send some"}'
        printf '%s\n' '{"event":"done"}' ;;
    esac ;;
  *'"job":"recording"'*)
    path=${job#*'"recording":"'}; path=${path%%'"'*}
    case "$(cat "$path")" in
      recording*) printf '{"event":"recorded","connector":"%s","version":"1.0.0","digest":"%064d","calls":3,"rows":7}\n' "$(cut -d ' ' -f 2 "$path")" 0
        printf '%s\n' '{"event":"done"}' ;;
      *) printf '%s\n' '{"event":"failed","kind":"config","actor":"user","retry":"never","message":"the recording, line 1: it is none","field":null,"stream":null}' ;;
    esac ;;
  *'"job":"replay"'*)
    path=${job#*'"recording":"'}; path=${path%%'"'*}
    digest=${job#*'"digest":"'}; digest=${digest%%'"'*}
    # A recording says which component does something else.
    case "$(cat "$path")" in
      *"differs $digest"* | *"stale"*) printf '%s\n' '{"event":"step","name":"replay","outcome":"failed","detail":"read: it asks for another page","remedy":""}' ;;
      *) printf '%s\n' '{"event":"step","name":"replay","outcome":"passed","detail":"3 calls, 7 rows","remedy":""}' ;;
    esac
    printf '%s\n' '{"event":"done"}' ;;
  *'"job":"conform"'*)
    digest=${job#*'"digest":"'}; digest=${digest%%'"'*}
    printf '%s\n' '{"event":"step","name":"discover","outcome":"passed","detail":"2 streams","remedy":""}'
    # A host says which component keeps to it.
    case "$job" in
      *fits-"$digest"*) printf '%s\n' '{"event":"step","name":"hosts","outcome":"passed","detail":"1 host asked for, all declared","remedy":""}' ;;
      *fits-*) printf '%s\n' '{"event":"step","name":"hosts","outcome":"failed","detail":"it told s3cret elsewhere","remedy":""}' ;;
      *) printf '%s\n' '{"event":"step","name":"hosts","outcome":"passed","detail":"1 host asked for, all declared","remedy":""}' ;;
    esac
    printf '%s\n' '{"event":"done"}' ;;
  *'"job":"check"'*)
    printf '%s\n' '{"event":"phase","phase":"loading"}'
    printf '%s\n' '{"event":"phase","phase":"reaching","host":"db.example.com","port":5432}'
    printf '%s\n' '{"event":"step","name":"connect","outcome":"passed","detail":"as hunter2-correct-horse","remedy":""}'
    printf '%s\n' '{"event":"step","name":"list","outcome":"warned","detail":"no tables","remedy":"grant some"}'
    printf '%s\n' '{"event":"done"}';;
  *'"job":"discover"'*'"page":"2"'*)
    printf '%s\n' '{"event":"streams","streams":[{"id":"public.users","kind":"view","columns":[{"name":"id","type":"Int64","nullable":false}],"primary_key":[],"cursor_candidates":[],"rows":null,"bytes":null,"description":null}],"next":null}'
    printf '%s\n' '{"event":"done"}';;
  *'"job":"discover"'*)
    printf '%s\n' '{"event":"streams","streams":[{"id":"public.orders","kind":"table","columns":[{"name":"id","type":"Int64","nullable":false},{"name":"updated_at","type":"Timestamp","nullable":true}],"primary_key":["id"],"cursor_candidates":["updated_at"],"rows":7,"bytes":700,"description":"Orders"}],"next":"2"}'
    printf '%s\n' '{"event":"done"}';;
  *'"job":"plan"'*)
    printf '%s\n' '{"event":"planned","streams":[{"stream":"public.orders","table":"main.orders","from":"state","splits":3,"rows":70,"bytes":null,"columns":[{"name":"x","type":"Int64","nullable":true}],"table_change":{"exists":true,"changes":["column x is added as Int64"]},"error":null},{"stream":"b","table":"main.b","from":"beginning","splits":0,"rows":null,"bytes":null,"columns":[],"table_change":null,"error":{"kind":"auth","actor":"user","retry":"never","message":"hunter2-correct-horse was refused","field":null,"stream":null}}]}'
    printf '%s\n' '{"event":"done"}';;
  *'"job":"sample"'*)
    printf '%s\n' '{"event":"sampled","columns":[{"source":"id","name":"id","source_type":"text","type":"STRING","nullable":true,"misfits":1,"changed":0,"examples":[{"row":1,"before":"x","after":null}]}],"rows":[[null]]}'
    printf '%s\n' '{"event":"done"}';;
  *'"job":"preview"'*)
    printf '%s\n' '{"event":"rows","columns":[{"name":"id","type":"Int64","nullable":false}],"rows":[["1"],[null]]}'
    printf '%s\n' '{"event":"done"}';;
esac
"#;

pub(super) fn workers() -> Workers {
    Workers::new("/bin/sh".into(), vec!["-c".into(), SCRIPT.into()], vec![("PATH".into(), "/usr/bin:/bin".into())], 4)
}

/// `demo`, a database with a password; `lake`, files behind an endpoint with a list of keys.
pub(super) fn catalogue() -> Catalogue {
    let demo = json!({
        "contract": "0.1", "name": "demo", "version": "1.2.3", "title": "Demo", "icon": "<svg/>",
        "config": {
            "type": "object", "additionalProperties": false, "required": ["host", "password"],
            "properties": {
                "host": {"type": "string"}, "port": {"type": "integer", "default": 5432},
                "database": {"type": "string"}, "password": {"type": "string", "minLength": 4, "writeOnly": true},
                "client_key": {"type": "string", "writeOnly": true}
            }
        },
        "secrets": {"inside": ["password"]}, "hosts": ["{host}:{port}"], "folders": ["/certs"],
        "capabilities": {"incremental": true, "splits": true}
    });
    let lake = json!({
        "contract": "0.1", "name": "lake", "version": "0.1.0", "title": "Lake",
        "config": {
            "type": "object",
            "properties": {
                "endpoint": {"type": "string", "format": "uri"}, "prefix": {"type": "string"},
                "login": {
                    "type": "object",
                    "properties": {"server_url": {"type": "string"}, "token": {"type": "string", "writeOnly": true}}
                }
            }
        },
        "hosts": ["{endpoint}", "lake.example.com:443"], "capabilities": {"changed_files": true}
    });
    let installed = |manifest: Value| {
        Installed::built_in(Manifest::parse(manifest.to_string().as_bytes()).unwrap(), "5a".repeat(32))
    };
    Catalogue::new([installed(demo), installed(lake)])
}

impl Service {
    /// Sends a change of something that has a revision; none to send no `If-Match`.
    pub(crate) async fn change(
        &self,
        method: Method,
        path: &str,
        token: &str,
        revision: Option<u64>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        if let Some(revision) = revision {
            request = request.header(header::IF_MATCH, format!("\"{revision}\""));
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// A connection of the connector `demo` that has a password; its id.
    pub(crate) async fn connection(&self, tenant: &str, token: &str, name: &str) -> String {
        let body = json!({
            "name": name, "connector": "demo", "config": {"host": "db.example.com", "password": SECRET}
        });
        let path = format!("/v1/tenants/{tenant}/connections");
        let made = self.call(Method::POST, &path, Some(token), Some(body)).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// A pipeline of this connection, as it is sent.
    pub(crate) fn pipeline_body(&self, connection: &str) -> Value {
        json!({
            "name": format!("pipeline of {connection}"), "connection": connection,
            "definition": {
                "streams": [{"id": "public.orders", "read": {"incremental": "updated_at"}}],
                "sink": {"type": "local", "path": "sales"}
            }
        })
    }

    /// A pipeline of a connection of its own; its id.
    pub(crate) async fn pipeline(&self, tenant: &str, token: &str) -> String {
        let name = format!("connection {}", self.counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let connection = self.connection(tenant, token, &name).await;
        let path = format!("/v1/tenants/{tenant}/pipelines");
        let made = self.call(Method::POST, &path, Some(token), Some(self.pipeline_body(&connection))).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// A run that waits; its id.
    pub(crate) async fn run(&self, tenant: &str, token: &str, pipeline: &str) -> String {
        let path = format!("/v1/tenants/{tenant}/pipelines/{pipeline}/runs");
        let made = self.call(Method::POST, &path, Some(token), Some(json!({}))).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Where in the files of the database a text is found; nowhere if nothing is said.
    pub(crate) fn found_in_files(&self, text: &str) -> Vec<String> {
        let mut places = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                places.push(path.display().to_string());
            }
        }
        places
    }

    /// How often each action is in the audit log of a tenant.
    pub(crate) async fn actions(&self, tenant: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.audited(tenant).await {
            let action = entry.split(' ').next().unwrap_or_default().to_owned();
            *counts.entry(action).or_default() += 1;
        }
        counts
    }
}
