//! What a connector asks for, as whoever approves it reads it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::shown;
use crate::hex;
use crate::manifest::{AuthScheme, Manifest};

/// What a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A place in the network.
    Host,
    /// A secret that enters the sandbox.
    Secret,
    /// How the host signs requests, or fetches tokens, with secrets that stay outside.
    Signing,
    /// A folder that an operator may lend.
    Folder,
    /// Linear memory.
    Memory,
}

/// One thing that a connector asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// What it is about.
    pub subject: Subject,
    /// Which one, in the manifest's words.
    pub name: String,
    /// What it means, in a sentence.
    pub detail: String,
}

/// Everything that a version asks for, in a fixed order.
pub fn permissions(manifest: &Manifest) -> Vec<Permission> {
    let mut all = Vec::new();
    let mut add = |subject, name: &str, detail: String| {
        all.push(Permission { subject, name: shown(name), detail });
    };
    for host in &manifest.hosts {
        let detail = if host.contains('{') {
            format!("reaches the host that the connection's configuration names ({})", shown(host))
        } else {
            format!("reaches {}, whatever the connection's configuration says", shown(host))
        };
        add(Subject::Host, host, detail);
    }
    for field in &manifest.secrets.inside {
        let detail = format!("the secret {} enters the sandbox, where the connector's own code sees it", shown(field));
        add(Subject::Secret, field, detail);
    }
    for scheme in &manifest.auth {
        let (name, detail) = signing(scheme);
        add(Subject::Signing, &name, detail);
    }
    for folder in &manifest.folders {
        let detail = format!("reads a folder as {}, if a connection is lent one", shown(folder));
        add(Subject::Folder, folder, detail);
    }
    if let Some(bytes) = manifest.memory_bytes {
        let detail = format!("asks for {} MiB of memory for each instance", bytes.div_ceil(1 << 20));
        add(Subject::Memory, "memory", detail);
    }
    all.sort_by(|a, b| (a.subject, &a.name, &a.detail).cmp(&(b.subject, &b.name, &b.detail)));
    all.dedup();
    all
}

/// Names exactly these permissions: whoever approves a version says which ones were read.
pub fn permissions_digest(permissions: &[Permission]) -> String {
    let mut hash = Sha256::new();
    for Permission { subject, name, detail } in permissions {
        for part in [format!("{subject:?}"), name.clone(), detail.clone()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

fn signing(scheme: &AuthScheme) -> (String, String) {
    let fields: Vec<String> = scheme.fields().into_iter().map(|(field, _)| shown(field)).collect();
    let fields = fields.join(", ");
    let outside = "which do not enter the sandbox";
    match scheme {
        AuthScheme::Bearer { .. } => {
            ("bearer".into(), format!("the host sends a bearer token with requests, from {fields}, {outside}"))
        }
        AuthScheme::Basic { .. } => {
            ("basic".into(), format!("the host sends user and password with requests, from {fields}, {outside}"))
        }
        AuthScheme::Header { name, .. } => (
            format!("header {name}"),
            format!("the host sends the header {} with requests, from {fields}, {outside}", shown(name)),
        ),
        AuthScheme::AwsSigv4 { service, .. } => (
            format!("aws-sigv4 {service}"),
            format!("the host signs requests to AWS's {} with {fields}, {outside}", shown(service)),
        ),
        AuthScheme::AzureSharedKey { .. } => {
            ("azure-shared-key".into(), format!("the host signs requests to Azure with {fields}, {outside}"))
        }
        AuthScheme::AzureSas { .. } => {
            ("azure-sas".into(), format!("the host adds a shared access signature of Azure, from {fields}, {outside}"))
        }
        AuthScheme::GoogleOauth { scopes, application_default, .. } => {
            let own = if application_default.is_some() {
                ", or with the service's own identity where an operator lends it"
            } else {
                ""
            };
            let detail = format!(
                "the host fetches tokens of Google for {} with {fields}, {outside}{own}",
                scopes.iter().map(|scope| shown(scope)).collect::<Vec<_>>().join(" ")
            );
            ("google-oauth".into(), detail)
        }
        AuthScheme::Oauth2 { token_url, scopes, .. } => {
            let scopes: Vec<String> = scopes.iter().map(|scope| shown(scope)).collect();
            let scopes = if scopes.is_empty() { String::new() } else { format!(" for {}", scopes.join(" ")) };
            let detail = format!("the host fetches tokens{scopes} from {} with {fields}, {outside}", shown(token_url));
            (format!("oauth2 {token_url}"), detail)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A manifest of a small API, with these fields in place of its own.
    pub(in crate::connector) fn manifest(changes: Value) -> Manifest {
        let mut text = json!({
            "contract": "0.1", "name": "demo", "version": "1.0.0", "title": "Demo",
            "config": {
                "type": "object", "additionalProperties": false, "required": ["url"],
                "properties": {
                    "url": {"type": "string"}, "api_key": {"type": "string", "writeOnly": true},
                    "password": {"type": "string", "writeOnly": true}, "page": {"type": "integer", "default": 100}
                }
            },
            "hosts": ["{url}", "login.example.com:443"], "secrets": {"inside": ["password"]},
            "auth": [{"scheme": "bearer", "token": "api_key"}], "capabilities": {"incremental": true}
        });
        for (field, value) in changes.as_object().unwrap() {
            text[field] = value.clone();
        }
        Manifest::parse(text.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_asked_for_is_said_in_sentences() {
        let found = permissions(&manifest(json!({"folders": ["/data"], "memory_bytes": 300 << 20})));
        let said: Vec<_> = found.iter().map(|one| (one.subject, one.detail.as_str())).collect();
        assert_eq!(
            said,
            [
                (Subject::Host, "reaches login.example.com:443, whatever the connection's configuration says"),
                (Subject::Host, "reaches the host that the connection's configuration names ({url})"),
                (Subject::Secret, "the secret password enters the sandbox, where the connector's own code sees it"),
                (
                    Subject::Signing,
                    "the host sends a bearer token with requests, from api_key, which do not enter the sandbox"
                ),
                (Subject::Folder, "reads a folder as /data, if a connection is lent one"),
                (Subject::Memory, "asks for 300 MiB of memory for each instance"),
            ]
        );
    }

    #[test]
    fn the_digest_is_of_what_is_asked_for_and_of_nothing_else() {
        let digest = |changes| permissions_digest(&permissions(&manifest(changes)));
        let first = digest(json!({}));
        assert_eq!(first, digest(json!({"version": "1.1.0", "title": "Other"})));
        assert_eq!(first, digest(json!({"hosts": ["login.example.com:443", "{url}"]})), "in any order");
        for wider in [
            json!({"hosts": ["{url}"]}),
            json!({"secrets": {"inside": []}}),
            json!({"auth": []}),
            json!({"folders": ["/data"]}),
            json!({"memory_bytes": 1}),
        ] {
            assert_ne!(first, digest(wider.clone()), "{wider}");
        }
    }
}
