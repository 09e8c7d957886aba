//! Connectors that are uploaded in tests. The worker of tests takes a manifest for a component.

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};

use super::{Answer, Service};

/// A component of the connector `shop`: its version, and what differs from others of it.
pub(crate) fn component(version: &str, changes: Value) -> Vec<u8> {
    let mut manifest = json!({
        "contract": "0.1", "name": "shop", "version": version, "title": "Shop", "publisher": "Acme",
        "config": {
            "type": "object", "additionalProperties": false, "required": ["host"],
            "properties": {"host": {"type": "string"}, "password": {"type": "string", "writeOnly": true}}
        },
        "hosts": ["{host}:443"], "secrets": {"inside": ["password"]}, "capabilities": {"incremental": true}
    });
    for (field, value) in changes.as_object().unwrap() {
        manifest[field] = value.clone();
    }
    manifest.to_string().into_bytes()
}

impl Service {
    /// Uploads a component, perhaps with the bytes of a signature's file.
    pub(crate) async fn upload(
        &self,
        tenant: &str,
        token: &str,
        component: Vec<u8>,
        signature: Option<&[u8]>,
    ) -> Answer {
        use base64::Engine;

        let path = format!("/v1/tenants/{tenant}/connector-versions");
        let mut request =
            Self::request(Method::POST, &path, Some(token)).header(header::CONTENT_TYPE, "application/wasm");
        if let Some(signature) = signature {
            let text = base64::engine::general_purpose::STANDARD.encode(signature);
            request = request.header("Sluice-Signature", text);
        }
        self.send(request.body(Body::from(component)).unwrap()).await
    }

    /// Approves a version as it was answered; `more` is put into the body.
    pub(crate) async fn approve(&self, tenant: &str, token: &str, version: &Value, more: Value) -> Answer {
        let mut body = json!({"permissions": version["permissions_digest"]});
        for (field, value) in more.as_object().unwrap() {
            body[field] = value.clone();
        }
        self.decide(tenant, token, version, "approve", body).await
    }

    /// Does something with a version.
    pub(crate) async fn decide(&self, tenant: &str, token: &str, version: &Value, what: &str, body: Value) -> Answer {
        let sha256 = version["sha256"].as_str().unwrap();
        let path = format!("/v1/tenants/{tenant}/connector-versions/{sha256}/{what}");
        self.call(Method::POST, &path, Some(token), Some(body)).await
    }

    /// A version that runs use.
    pub(crate) async fn install(&self, tenant: &str, token: &str, component: Vec<u8>) -> Value {
        let made = self.upload(tenant, token, component, None).await;
        assert_eq!(made.status.as_u16(), 201, "{made:?}");
        let approved = self.approve(tenant, token, &made.body, json!({})).await;
        assert_eq!(approved.status.as_u16(), 200, "{approved:?}");
        approved.body
    }
}
