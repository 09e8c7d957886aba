//! Derives for connectors: [`macro@Config`] makes a JSON Schema of a configuration type, [`macro@Manifest`] the
//! connector's manifest. Both are constants, so that the manifest can be read from the component without running it.
//!
//! The crate knows JSON Schema's words and serde's attributes, and nothing of any connector. To add an attribute: give it a
//! field in `attrs.rs`, an arm where it is parsed, and a line in `schema.rs` or `manifest.rs` where it is written.

mod attrs;
mod case;
mod json;
mod manifest;
mod parts;
mod schema;
mod types;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes the JSON Schema of a configuration type, a constant of `sluice_sdk::ConfigSchema`.
///
/// It reads what serde reads (`rename`, `rename_all`, `default`, `skip`, `flatten`, `deny_unknown_fields`, `tag`), takes doc
/// comments as descriptions, and adds what serde does not know:
///
/// | `#[config(…)]` | in the schema |
/// |---|---|
/// | `title = "…"` | `title` |
/// | `default = 5432` | `default`; the field must also have a serde default or be an `Option` |
/// | `example = "…"` | `examples` |
/// | `secret` | `writeOnly: true`, `format: password` |
/// | `group = "…"` | `x-group`: fields that a form shows together |
/// | `minimum = 1`, `maximum = 65535` | `minimum`, `maximum` |
/// | `format = "hostname"` | `format` |
/// | `multiline` | `x-multiline: true`: a form gives it a text area |
///
/// Fields may be `String`, `bool`, integers, floats, `Option`, `Vec`, `BTreeMap<String, _>`, and types that derive
/// `Config` themselves. One field of a struct may be `#[serde(flatten)]`, a struct whose fields are then those of the outer
/// one. Enums may have unit variants, or `#[serde(tag = "…")]` and named fields. `x-order` keeps the
/// order in which fields were declared, which JSON objects do not.
#[proc_macro_derive(Config, attributes(config, serde))]
pub fn config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    schema::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes the connector's manifest, a constant of `sluice_sdk::ConnectorManifest`, on the type that implements `Source`.
///
/// ```ignore
/// #[derive(Manifest)]
/// #[manifest(
///     name = "shop", title = "Shop", description = "Orders of a shop.", publisher = "Example", docs = "https://…",
///     icon = "icon.svg",                      // a file beside Cargo.toml, or the SVG itself
///     config = ShopConfig,
///     hosts("{host}:{port}"),                 // configuration fields in braces
///     secrets_inside("password"),             // secrets that must enter the sandbox
///     auth(bearer(token = "api_token")),      // how the host signs requests: see below
///     folders("/data"),
///     capabilities(incremental, splits, estimate, filter, changed_files),
///     memory_bytes = 268435456,
/// )]
/// struct Shop;
/// ```
///
/// `auth` takes any number of these; what stands in quotes is the name of a configuration field unless said otherwise:
///
/// ```ignore
/// bearer(token = "…")
/// basic(username = "…", password = "…")
/// header(name = "X-Api-Key", value = "…")                                // `name` is the header's own
/// aws_sigv4(access_key = "…", secret_key = "…", session_token = "…",     // the token may be left out
///           region = "…", service = "s3")                                // `service` is the service's own name
/// azure_shared_key(account = "…", key = "…")
/// azure_sas(token = "…")
/// google_oauth(key = "…", application_default = "…",                     // the latter may be left out
///              scopes("https://www.googleapis.com/auth/…"))              // the scopes themselves
/// oauth2(token_url = "https://…",                                        // the endpoint itself, or a field in braces
///        client_id = "…", client_secret = "…", refresh_token = "…",      // without the latter in the client's own name
///        scopes("…"))                                                    // the scopes themselves; may be left out
/// ```
///
/// A scheme whose credential a connection does not configure is not used; with none, requests go out as they are.
///
/// The version is that of the crate. A field that the configuration does not have, or that is not a secret where one is
/// needed, does not compile.
#[proc_macro_derive(Manifest, attributes(manifest))]
pub fn manifest(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    manifest::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
