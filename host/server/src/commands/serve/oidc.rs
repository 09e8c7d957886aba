//! Identity providers that people may sign in with, from files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use sluice_api::auth::oidc::{Provider, Settings};
use sluice_api::http::fetch::Fetch;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};

use super::fetch::Web;
use crate::cli::ServeArgs;

/// A provider's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Names it in addresses.
    name: String,
    /// What people see; by default the name.
    title: Option<String>,
    /// Its issuer.
    issuer: String,
    /// What it knows this service by.
    client_id: String,
    /// A file with what this service proves that with, relative to this one.
    client_secret_file: Option<PathBuf>,
    /// Whether it gives an address to nobody but its owner.
    #[serde(default)]
    vouches_for_email: bool,
}

/// The providers that the operator names.
pub(super) fn providers(args: &ServeArgs) -> Result<Vec<Provider>, RunError> {
    if args.oidc.is_empty() {
        return Ok(Vec::new());
    }
    let fetch: Arc<dyn Fetch> = Arc::new(Web::new()?);
    let mut providers: Vec<Provider> = Vec::new();
    for path in &args.oidc {
        let settings = read(path)?;
        if providers.iter().any(|other| other.settings().name == settings.name) {
            return Err(wrong(path, &format!("there is a provider {} already", settings.name)));
        }
        providers.push(Provider::new(settings, fetch.clone()));
    }
    Ok(providers)
}

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> RunError {
    let message = format!("the identity provider's file {} cannot be used: {why}", path.display());
    RunError::new(Kind::Config, Actor::User, message).with_field("--oidc")
}

fn read(path: &Path) -> Result<Settings, RunError> {
    let text = std::fs::read_to_string(path).map_err(|e| wrong(path, &e))?;
    let file: File = serde_saphyr::from_str(&text).map_err(|e| wrong(path, &e))?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if file.name.is_empty() || file.name.len() > 40 || !file.name.chars().all(plain) {
        return Err(wrong(path, &"`name` has 1 to 40 lower-case letters, digits and hyphens"));
    }
    // Whoever can change what is sent could sign in as anybody.
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    if !file.issuer.starts_with("https://") && !local.iter().any(|prefix| file.issuer.starts_with(prefix)) {
        return Err(wrong(path, &"`issuer` begins with https://"));
    }
    let secret = file.client_secret_file.map(|name| {
        let place = path.parent().unwrap_or(Path::new("")).join(name);
        let read = std::fs::read_to_string(&place).map_err(|e| wrong(path, &format!("{}: {e}", place.display())));
        read.map(|text| text.trim().to_owned())
    });
    Ok(Settings {
        title: file.title.unwrap_or_else(|| file.name.clone()),
        name: file.name,
        issuer: file.issuer,
        client_id: file.client_id,
        client_secret: secret.transpose()?,
        vouches_for_email: file.vouches_for_email,
    })
}
