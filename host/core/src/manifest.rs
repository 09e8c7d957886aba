//! A connector's manifest: data in the custom section `sluice:manifest`, read without running any of its code.

use serde::{Deserialize, Serialize};

use crate::config::bounds;
use crate::error::{Actor, Kind, RunError};
use crate::plain;

/// The custom section that holds the manifest, as JSON.
pub const SECTION: &str = "sluice:manifest";

/// Largest manifest that is read, bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What a connector says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the contract it was built for, e.g. `0.1`.
    pub contract: String,
    /// Short name: lower-case letters, digits and `-`.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Name for people.
    pub title: String,
    /// One or two sentences for people.
    #[serde(default)]
    pub description: String,
    /// Who publishes it.
    #[serde(default)]
    pub publisher: String,
    /// Where its documentation is.
    #[serde(default)]
    pub docs: String,
    /// An SVG image, at most 64 KiB; shown only as an image, never as markup.
    #[serde(default)]
    pub icon: String,
    /// JSON Schema of its configuration; secrets are marked `"writeOnly": true`.
    pub config: serde_json::Value,
    /// Secrets that it needs inside the sandbox, because a wire protocol does.
    #[serde(default)]
    pub secrets: SecretNeeds,
    /// Hosts that it asks to reach: `host:port`, where `{name}` stands for a configuration field.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How the host signs HTTP requests for it.
    #[serde(default)]
    pub auth: Vec<AuthScheme>,
    /// Names of folders that it asks an operator to grant, e.g. `/data`.
    #[serde(default)]
    pub folders: Vec<String>,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Linear memory that it asks for, bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

/// Which secrets enter the sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretNeeds {
    /// Top-level configuration fields.
    #[serde(default)]
    pub inside: Vec<String>,
}

/// What a connector can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Reads beyond a state.
    #[serde(default)]
    pub incremental: bool,
    /// Plans more than one split.
    #[serde(default)]
    pub splits: bool,
    /// Estimates rows and bytes.
    #[serde(default)]
    pub estimate: bool,
    /// Takes a row restriction.
    #[serde(default)]
    pub filter: bool,
    /// Reads files, and does with changed ones what the pipeline says.
    #[serde(default)]
    pub changed_files: bool,
}

/// How the host authenticates HTTP requests to the connection's own origins. Each names the configuration fields that
/// hold the secret; they never enter the sandbox. A scheme whose credential is not configured is not used: a manifest
/// may name several, of which a connection configures one, or none to send requests as they are (anonymously).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthScheme {
    /// `Authorization: Bearer …`.
    Bearer {
        /// Field that holds the token.
        token: String,
    },
    /// HTTP basic authentication.
    Basic {
        /// Field that holds the user's name.
        username: String,
        /// Field that holds the password.
        password: String,
    },
    /// A header of the API's own.
    Header {
        /// The header's name.
        name: String,
        /// Field that holds the value.
        value: String,
    },
    /// AWS Signature Version 4, which S3-compatible services want as well. Bodies are not hashed (`UNSIGNED-PAYLOAD`)
    /// unless the guest states their SHA-256 in `x-amz-content-sha256`.
    AwsSigv4 {
        /// Field that holds the access key's id.
        access_key: String,
        /// Field that holds the secret access key.
        secret_key: String,
        /// Field that holds the session token of temporary credentials.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_token: Option<String>,
        /// Field that holds the region.
        region: String,
        /// The service itself, e.g. `s3`; not a field.
        service: String,
    },
    /// `SharedKey` of Azure's Blob service. The host adds `x-ms-date`, and `x-ms-version` where the guest does not.
    AzureSharedKey {
        /// Field that holds the storage account's name.
        account: String,
        /// Field that holds one of the account's keys, in base64.
        key: String,
    },
    /// A shared access signature, which the host adds to the query of each request.
    AzureSas {
        /// Field that holds the token: `sv=…&sig=…`, with or without a question mark before it.
        token: String,
    },
    /// An access token of Google's, which the host fetches and renews.
    GoogleOauth {
        /// Field that holds a service account's key, the JSON file as it is downloaded.
        key: String,
        /// Field that is true where the host's own identity (application default credentials) stands in for a key; an
        /// operator has to grant that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        application_default: Option<String>,
        /// The scopes themselves, e.g. `https://www.googleapis.com/auth/devstorage.read_only`; not a field.
        scopes: Vec<String>,
    },
    /// OAuth 2.0: an access token that the host fetches and renews, for a refresh token, or in the client's own name where none is
    /// configured.
    Oauth2 {
        /// The token endpoint itself, `https://…`, or a field in braces that holds its URL. The guest cannot reach it by this.
        token_url: String,
        /// Field that holds the client's id.
        client_id: String,
        /// Field that holds the client's secret.
        client_secret: String,
        /// Field that holds the refresh token that a person's consent has brought.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_token: Option<String>,
        /// The scopes themselves; not a field.
        #[serde(default)]
        scopes: Vec<String>,
    },
}

impl AuthScheme {
    /// The configuration fields that it names, and for each whether that must be a secret.
    pub fn fields(&self) -> Vec<(&str, bool)> {
        match self {
            Self::Bearer { token } | Self::AzureSas { token } => vec![(token, true)],
            Self::Basic { username, password } => vec![(username, false), (password, true)],
            Self::Header { name: _, value } => vec![(value, true)],
            Self::AwsSigv4 { access_key, secret_key, session_token, region, service: _ } => {
                let mut fields = vec![(access_key.as_str(), false), (secret_key, true), (region, false)];
                fields.extend(session_token.as_deref().map(|token| (token, true)));
                fields
            }
            Self::AzureSharedKey { account, key } => vec![(account, false), (key, true)],
            Self::GoogleOauth { key, application_default, scopes: _ } => {
                let mut fields = vec![(key.as_str(), true)];
                fields.extend(application_default.as_deref().map(|field| (field, false)));
                fields
            }
            Self::Oauth2 { token_url, client_id, client_secret, refresh_token, scopes: _ } => {
                let chosen = token_url.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                let mut fields = vec![(client_id.as_str(), false), (client_secret, true)];
                fields.extend(refresh_token.as_deref().map(|field| (field, true)));
                fields.extend(chosen.map(|field| (field, false)));
                fields
            }
        }
    }
}

impl Manifest {
    /// Reads a manifest from the custom section's bytes.
    ///
    /// # Errors
    /// Says what is wrong with it; the connector's author must act.
    pub fn parse(bytes: &[u8]) -> Result<Self, RunError> {
        let wrong = |message: String| RunError::new(Kind::Protocol, Actor::Source, message).with_field(SECTION);
        if bytes.len() > MAX_BYTES {
            return Err(wrong(format!("the manifest has {} bytes; at most {MAX_BYTES} are read", bytes.len())));
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|e| wrong(format!("the connector's manifest is not valid: {e}")))?;
        manifest.validate().map_err(wrong)?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<(), String> {
        let name_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 63 || !self.name.chars().all(name_ok) {
            return Err("`name` must have 1 to 63 lower-case letters, digits or '-'".into());
        }
        let version_ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        if self.version.is_empty() || self.version.len() > 64 || !self.version.chars().all(version_ok) {
            return Err("`version` must have 1 to 64 letters, digits, '.', '-' or '+'".into());
        }
        self.validate_texts()?;
        if self.config.get("type").and_then(|t| t.as_str()) != Some("object") {
            return Err("`config` must be a JSON Schema of type object".into());
        }
        bounds::check(&self.config).map_err(|why| format!("the schema in `config` {why}"))?;
        let property = |field: &str| self.config.get("properties").and_then(|properties| properties.get(field));
        let secret = |field: &str| {
            let marked = property(field).and_then(|property| property.get("writeOnly"));
            marked.and_then(serde_json::Value::as_bool) == Some(true)
        };
        if let Some(field) = self.secrets.inside.iter().find(|field| !secret(field)) {
            return Err(format!("`secrets.inside` names {field}, which `config` does not mark as writeOnly"));
        }
        for scheme in &self.auth {
            if let AuthScheme::Oauth2 { token_url, .. } = scheme
                && !token_url.starts_with("https://")
                && !(token_url.starts_with('{') && token_url.ends_with('}'))
            {
                return Err("`token_url` must be https://…, or a field in braces".into());
            }
        }
        for (field, is_secret) in self.auth.iter().flat_map(AuthScheme::fields) {
            if property(field).is_none() {
                return Err(format!("`auth` names {field}, which is no field of `config`"));
            }
            // An unmarked secret would be handed to the guest.
            if is_secret && !secret(field) {
                return Err(format!("`auth` names {field}, which `config` does not mark as writeOnly"));
            }
        }
        Ok(())
    }

    /// What people read, and what is looked up.
    fn validate_texts(&self) -> Result<(), String> {
        if self.title.trim().is_empty() {
            return Err("`title` is empty".into());
        }
        for (field, text, most) in [
            ("title", &self.title, 100),
            ("description", &self.description, 2_000),
            ("publisher", &self.publisher, 100),
            ("docs", &self.docs, 2_000),
        ] {
            plain::check(text, most).map_err(|why| format!("`{field}` {why}"))?;
        }
        if !self.docs.is_empty() && !self.docs.starts_with("https://") && !self.docs.starts_with("http://") {
            return Err("`docs` must be the address of a page: https://…".into());
        }
        if self.icon.len() > 64 << 10 {
            return Err("`icon` has more than 64 KiB".into());
        }
        let short = |texts: &[String], most: usize| {
            texts.len() <= most && texts.iter().all(|text| text.len() <= 300 && plain::check(text, 300).is_ok())
        };
        if !short(&self.hosts, 100) {
            return Err("`hosts` has at most 100 templates of at most 300 visible characters each".into());
        }
        let below = |folder: &String| folder.starts_with('/') && !folder.split('/').any(|part| part == "..");
        if !short(&self.folders, 20) || !self.folders.iter().all(below) {
            return Err("`folders` has at most 20 names such as /data, without `..`".into());
        }
        if self.auth.len() > 20 {
            return Err("`auth` has more than 20 schemes".into());
        }
        let fields = self.config.get("properties").and_then(serde_json::Value::as_object);
        for field in fields.into_iter().flatten().map(|(name, _)| name) {
            plain::check(field, 100).map_err(|why| format!("a field of `config` has a name that {why}"))?;
        }
        Ok(())
    }

    /// Names of the top-level configuration fields that are secrets.
    pub fn secret_fields(&self) -> impl Iterator<Item = &str> {
        let properties = self.config.get("properties").and_then(|p| p.as_object());
        properties.into_iter().flatten().filter_map(|(name, schema)| {
            (schema.get("writeOnly").and_then(serde_json::Value::as_bool) == Some(true)).then_some(name.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"contract":"0.1","name":"demo","version":"1.0.0","title":"Demo",
        "config":{"type":"object","properties":{"password":{"type":"string","writeOnly":true},"host":{"type":"string"}}},
        "secrets":{"inside":["password"]},"hosts":["{host}:5432"]}"#;

    #[test]
    fn a_manifest_tells_its_secrets() {
        let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(manifest.secret_fields().collect::<Vec<_>>(), ["password"]);
    }

    #[test]
    fn a_secret_that_is_not_marked_is_refused() {
        let error = Manifest::parse(GOOD.replace(",\"writeOnly\":true", "").as_bytes()).unwrap_err();
        assert!(error.message.contains("secrets.inside"), "{error}");
    }

    #[test]
    fn auth_schemes_name_fields_that_exist_and_secrets_that_are_marked() {
        let with =
            |auth: &str| Manifest::parse(GOOD.replace("\"hosts\"", &format!("\"auth\":[{auth}],\"hosts\"")).as_bytes());
        let sas = with(r#"{"scheme":"azure-sas","token":"password"}"#).unwrap();
        assert_eq!(sas.auth, [AuthScheme::AzureSas { token: "password".to_owned() }]);
        let sigv4 =
            r#"{"scheme":"aws-sigv4","access_key":"host","secret_key":"password","region":"host","service":"s3"}"#;
        assert_eq!(with(sigv4).unwrap().auth[0].fields(), [("host", false), ("password", true), ("host", false)]);
        let key = r#"{"scheme":"azure-shared-key","account":"host","key":"password"}"#;
        assert!(with(key).is_ok());
        let google = r#"{"scheme":"google-oauth","key":"password","application_default":"host","scopes":["s"]}"#;
        assert!(with(google).is_ok());
        let oauth2 = |url: &str| {
            with(&format!(r#"{{"scheme":"oauth2","token_url":"{url}","client_id":"host","client_secret":"password"}}"#))
        };
        let chosen = oauth2("{host}").unwrap();
        assert_eq!(chosen.auth[0].fields(), [("host", false), ("password", true), ("host", false)]);
        assert!(oauth2("https://login.example.com/token").is_ok() && oauth2("{absent}").is_err());
        assert!(oauth2("http://login.example.com/token").unwrap_err().message.contains("must be https"));
        let missing = with(r#"{"scheme":"bearer","token":"absent"}"#).unwrap_err();
        assert!(missing.message.contains("absent, which is no field"), "{missing}");
        let shown = with(r#"{"scheme":"bearer","token":"host"}"#).unwrap_err();
        assert!(shown.message.contains("host, which `config` does not mark as writeOnly"), "{shown}");
    }

    #[test]
    fn what_people_read_holds_nothing_that_misleads_them() {
        let with = |from: &str, to: &str| Manifest::parse(GOOD.replace(from, to).as_bytes()).unwrap_err().message;
        assert!(with("\"Demo\"", "\"D\\u0435mo\"").contains("`title` holds the word"));
        assert!(with("\"Demo\"", "\" \"").contains("`title` is empty"));
        assert!(with("1.0.0", "1.0\\u001b[2J").contains("`version` must"));
        assert!(with("\"hosts\"", "\"docs\":\"javascript:alert(1)\",\"hosts\"").contains("`docs` must be"));
        assert!(with("\"hosts\"", "\"folders\":[\"/data/../etc\"],\"hosts\"").contains("`folders` has"));
        assert!(with("\"host\":{", "\"ho\\u202est\":{").contains("a field of `config`"));
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = Manifest::parse(GOOD.replace("\"title\"", "\"titel\"").as_bytes()).unwrap_err();
        assert!(error.message.contains("titel"), "{error}");
    }
}
