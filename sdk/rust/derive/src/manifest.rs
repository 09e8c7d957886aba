//! `#[derive(Manifest)]`.

use std::path::Path;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::{DeriveInput, LitInt, LitStr, Type};

use crate::attrs::docs;
use crate::json;
use crate::parts::{Object, Parts};

/// The contract that this SDK speaks.
const CONTRACT: &str = "0.1";

/// Capabilities, as the host names them.
const CAPABILITIES: [&str; 5] = ["incremental", "splits", "estimate", "filter", "changed_files"];

/// Schemes and what each is told; for each whether it names a configuration field, and whether that must be a secret.
const SCHEMES: [(&str, &[Told]); 8] = [
    ("bearer", &[secret("token")]),
    ("basic", &[field("username"), secret("password")]),
    ("header", &[constant("name"), secret("value")]),
    (
        "aws-sigv4",
        &[
            field("access_key"),
            secret("secret_key"),
            secret("session_token").optional(),
            field("region"),
            constant("service"),
        ],
    ),
    ("azure-shared-key", &[field("account"), secret("key")]),
    ("azure-sas", &[secret("token")]),
    ("google-oauth", &[secret("key"), field("application_default").optional(), list_of("scopes")]),
    (
        "oauth2",
        &[
            constant("token_url"),
            field("client_id"),
            secret("client_secret"),
            secret("refresh_token").optional(),
            list_of("scopes").optional(),
        ],
    ),
];

/// Largest icon that the host takes, bytes.
const MAX_ICON: usize = 64 << 10;

/// What a text in the manifest refers to.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    Nothing,
    Field,
    Secret,
}

/// One thing that a scheme is told.
struct Told {
    name: &'static str,
    names: Names,
    /// Whether it is `name("…", "…")` instead of `name = "…"`.
    list: bool,
    needed: bool,
}

const fn constant(name: &'static str) -> Told {
    Told { name, names: Names::Nothing, list: false, needed: true }
}

const fn field(name: &'static str) -> Told {
    Told { names: Names::Field, ..constant(name) }
}

const fn secret(name: &'static str) -> Told {
    Told { names: Names::Secret, ..constant(name) }
}

const fn list_of(name: &'static str) -> Told {
    Told { list: true, ..constant(name) }
}

impl Told {
    const fn optional(self) -> Self {
        Self { needed: false, ..self }
    }

    /// How it is written.
    fn usage(&self) -> String {
        if self.list { format!("{}(\"…\")", self.name) } else { format!("{} = \"…\"", self.name) }
    }
}

#[derive(Default)]
struct Attributes {
    name: Option<LitStr>,
    title: Option<LitStr>,
    description: Option<LitStr>,
    publisher: Option<LitStr>,
    docs: Option<LitStr>,
    icon: Option<LitStr>,
    config: Option<Type>,
    hosts: Vec<LitStr>,
    secrets_inside: Vec<LitStr>,
    folders: Vec<LitStr>,
    auth: Vec<String>,
    capabilities: Vec<String>,
    memory_bytes: Option<LitInt>,
    /// Configuration fields that were named, to be checked against the configuration type.
    named: Vec<(LitStr, String, Names)>,
}

/// Writes the implementation of `ConnectorManifest`.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut attributes = Attributes::default();
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("manifest")) {
        attribute.parse_nested_meta(|meta| attributes.entry(&meta))?;
    }
    let missing = |what: &str| syn::Error::new(input.ident.span(), format!("add `#[manifest({what} = …)]`"));
    let name = attributes.name.as_ref().ok_or_else(|| missing("name"))?;
    let title = attributes.title.as_ref().ok_or_else(|| missing("title"))?;
    let config = attributes.config.as_ref().ok_or_else(|| missing("config"))?;
    valid_name(name)?;

    let mut manifest = Object::new();
    manifest.string("contract", CONTRACT);
    manifest.string("name", &name.value());
    let mut version = Parts::from_text("\"");
    version.constant(quote!(::core::env!("CARGO_PKG_VERSION")));
    version.text("\"");
    manifest.parts("version", version);
    manifest.string("title", &title.value());
    let description = attributes.description.as_ref().map(LitStr::value).or_else(|| docs(&input.attrs));
    manifest.string("description", &description.unwrap_or_default());
    manifest.string("publisher", &attributes.publisher.as_ref().map(LitStr::value).unwrap_or_default());
    manifest.string("docs", &attributes.docs.as_ref().map(LitStr::value).unwrap_or_default());
    let (icon, icon_file) = icon(attributes.icon.as_ref())?;
    manifest.string("icon", &icon);
    let mut schema = Parts::default();
    schema.constant(quote!(<#config as ::sluice_sdk::ConfigSchema>::SCHEMA));
    manifest.parts("config", schema);
    manifest.raw("secrets", &format!("{{\"inside\":{}}}", texts(&attributes.secrets_inside)));
    manifest.raw("hosts", &texts(&attributes.hosts));
    manifest.raw("auth", &format!("[{}]", attributes.auth.join(",")));
    manifest.raw("folders", &texts(&attributes.folders));
    manifest.parts("capabilities", attributes.capabilities());
    let memory = attributes.memory_bytes.as_ref().map(LitInt::base10_parse::<u64>).transpose()?;
    manifest.raw("memory_bytes", &memory.map_or("null".to_owned(), |bytes| bytes.to_string()));

    let (ident, manifest) = (&input.ident, manifest.finish());
    let (impl_generics, type_generics, bounds) = input.generics.split_for_impl();
    let checks = attributes.named.iter().map(|named| check(config, named));
    Ok(quote! {
        impl #impl_generics ::sluice_sdk::ConnectorManifest for #ident #type_generics #bounds {
            const MANIFEST: &'static str = #manifest;
        }
        const _: () = { #(#checks)* #icon_file };
    })
}

impl Attributes {
    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "name" => self.name = Some(meta.value()?.parse()?),
            "title" => self.title = Some(meta.value()?.parse()?),
            "description" => self.description = Some(meta.value()?.parse()?),
            "publisher" => self.publisher = Some(meta.value()?.parse()?),
            "docs" => self.docs = Some(meta.value()?.parse()?),
            "icon" => self.icon = Some(meta.value()?.parse()?),
            "config" => self.config = Some(meta.value()?.parse()?),
            "memory_bytes" => self.memory_bytes = Some(meta.value()?.parse()?),
            "hosts" => {
                self.hosts = list(meta)?;
                for host in &self.hosts {
                    let fields = placeholders(host)?;
                    self.named.extend(fields.into_iter().map(|field| (host.clone(), field, Names::Field)));
                }
            }
            "secrets_inside" => {
                self.secrets_inside = list(meta)?;
                let named = self.secrets_inside.iter().map(|field| (field.clone(), field.value(), Names::Secret));
                self.named.extend(named);
            }
            "folders" => self.folders = list(meta)?,
            "auth" => meta.parse_nested_meta(|scheme| self.scheme(&scheme))?,
            "capabilities" => meta.parse_nested_meta(|capability| self.capability(&capability))?,
            _ => {
                let known = "name, title, description, publisher, docs, icon, config, hosts, secrets_inside, \
                             folders, auth, capabilities, memory_bytes";
                return Err(meta.error(format!("`manifest` knows {known}")));
            }
        }
        Ok(())
    }

    fn scheme(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some((scheme, told)) = SCHEMES.iter().find(|(name, _)| meta.path.is_ident(&name.replace('-', "_"))) else {
            let known: Vec<_> = SCHEMES.iter().map(|(name, _)| name.replace('-', "_")).collect();
            return Err(meta.error(format!("the host knows the schemes {}", known.join(", "))));
        };
        let mut given: Vec<(&str, String)> = Vec::new();
        meta.parse_nested_meta(|entry| {
            let Some(told) = told.iter().find(|told| entry.path.is_ident(told.name)) else {
                let known: Vec<_> = told.iter().map(|told| told.name).collect();
                return Err(entry.error(format!("`{scheme}` has {}", known.join(", "))));
            };
            if told.list {
                given.push((told.name, texts(&list(&entry)?)));
                return Ok(());
            }
            let value: LitStr = entry.value()?.parse()?;
            // The token endpoint may be a field in braces, as hosts are.
            if told.name == "token_url" {
                let chosen = placeholders(&value)?;
                if chosen.is_empty() && !value.value().starts_with("https://") {
                    return Err(syn::Error::new_spanned(
                        &value,
                        "the token endpoint must be https://…, or a field in braces",
                    ));
                }
                self.named.extend(chosen.into_iter().map(|field| (value.clone(), field, Names::Field)));
            }
            if told.names != Names::Nothing {
                self.named.push((value.clone(), value.value(), told.names));
            }
            given.push((told.name, json::string(&value.value())));
            Ok(())
        })?;
        let missing = |told: &&Told| told.needed && given.iter().all(|(name, _)| *name != told.name);
        if let Some(told) = told.iter().find(missing) {
            return Err(meta.error(format!("`{scheme}` needs `{}`", told.usage())));
        }
        let mut members = vec![format!("\"scheme\":{}", json::string(scheme))];
        members.extend(given.iter().map(|(name, value)| format!("{}:{value}", json::string(name))));
        self.auth.push(format!("{{{}}}", members.join(",")));
        Ok(())
    }

    fn capability(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match CAPABILITIES.iter().find(|name| meta.path.is_ident(name)) {
            Some(name) => self.capabilities.push((*name).to_owned()),
            None => return Err(meta.error(format!("capabilities are {}", CAPABILITIES.join(", ")))),
        }
        Ok(())
    }

    fn capabilities(&self) -> Parts {
        let mut object = Object::new();
        for name in CAPABILITIES {
            object.raw(name, if self.capabilities.iter().any(|c| c == name) { "true" } else { "false" });
        }
        object.finish()
    }
}

/// The texts in `name("…", "…")`.
fn list(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<LitStr>> {
    let content;
    syn::parenthesized!(content in meta.input);
    let texts = content.parse_terminated(|input| input.parse::<LitStr>(), syn::Token![,])?;
    Ok(texts.into_iter().collect())
}

fn texts(list: &[LitStr]) -> String {
    let values: Vec<String> = list.iter().map(LitStr::value).collect();
    json::strings(values.iter().map(String::as_str))
}

fn valid_name(name: &LitStr) -> syn::Result<()> {
    let value = name.value();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if value.is_empty() || value.len() > 63 || !value.chars().all(fits) {
        let message = "a connector's name has 1 to 63 lower-case letters, digits or '-'";
        return Err(syn::Error::new_spanned(name, message));
    }
    Ok(())
}

/// The names in braces.
fn placeholders(host: &LitStr) -> syn::Result<Vec<String>> {
    let value = host.value();
    let mut names = Vec::new();
    let mut rest = value.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else {
            return Err(syn::Error::new_spanned(host, "a brace is not closed"));
        };
        names.push(name.to_owned());
        rest = tail;
    }
    Ok(names)
}

/// The SVG, and for a file the constant that makes the compiler watch it.
fn icon(icon: Option<&LitStr>) -> syn::Result<(String, Option<TokenStream>)> {
    let Some(icon) = icon else { return Ok((String::new(), None)) };
    let value = icon.value();
    if value.trim_start().starts_with('<') {
        return checked_icon(icon, value).map(|svg| (svg, None));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a macro learns where its crate is from cargo, by this variable alone"
    )]
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let path = Path::new(&root).join(&value);
    let svg = std::fs::read_to_string(&path)
        .map_err(|error| syn::Error::new_spanned(icon, format!("cannot read {}: {error}", path.display())))?;
    let file = path.to_string_lossy();
    let watch = quote!(
        const _: &[u8] = ::core::include_bytes!(#file);
    );
    checked_icon(icon, svg).map(|svg| (svg, Some(watch)))
}

fn checked_icon(icon: &LitStr, svg: String) -> syn::Result<String> {
    if svg.len() > MAX_ICON {
        return Err(syn::Error::new_spanned(icon, "an icon has at most 64 KiB"));
    }
    Ok(svg)
}

/// A compile-time check that the configuration has the field.
fn check(config: &Type, (literal, field, names): &(LitStr, String, Names)) -> TokenStream {
    let span: Span = literal.span();
    let secret = *names == Names::Secret;
    let (place, pattern, message) = if secret {
        let message = format!("the configuration has no field `{field}` that is marked `#[config(secret)]`");
        (quote!(SECRETS), json::string(field), message)
    } else {
        let pattern = format!("{}:", json::string(field));
        (quote!(SCHEMA), pattern, format!("the configuration has no field `{field}`"))
    };
    quote_spanned! {span=>
        ::core::assert!(
            ::sluice_sdk::__private::contains(<#config as ::sluice_sdk::ConfigSchema>::#place, #pattern),
            #message
        );
    }
}
