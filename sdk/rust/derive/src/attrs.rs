//! What stands in `#[serde(…)]`, `#[config(…)]` and doc comments.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token};

use crate::case::Case;

/// What serde was told about a type, a variant or a field, as far as it shows in the JSON that it reads.
#[derive(Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) default: bool,
    pub(crate) skip: bool,
    pub(crate) flatten: bool,
    pub(crate) deny_unknown_fields: bool,
    pub(crate) tag: Option<String>,
}

impl Serde {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut serde = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| serde.entry(&meta))?;
        }
        Ok(serde)
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "rename" => self.rename = deserialize_name(meta)?.map(|text| text.value()),
            "rename_all" => self.rename_all = deserialize_name(meta)?.as_ref().map(Case::parse).transpose()?,
            "rename_all_fields" => {
                self.rename_all_fields = deserialize_name(meta)?.as_ref().map(Case::parse).transpose()?;
            }
            "default" => {
                self.default = true;
                skip_value(meta)?;
            }
            "skip" | "skip_deserializing" => self.skip = true,
            "deny_unknown_fields" => self.deny_unknown_fields = true,
            "tag" => self.tag = Some(meta.value()?.parse::<LitStr>()?.value()),
            "flatten" => self.flatten = true,
            "untagged" | "content" | "transparent" => {
                return Err(meta.error(format!("a connector's configuration cannot use serde's `{name}`")));
            }
            _ => skip_value(meta)?,
        }
        Ok(())
    }
}

/// `= "name"`, or the `deserialize` one of `(serialize = "a", deserialize = "b")`.
fn deserialize_name(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<LitStr>> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    let mut found = None;
    meta.parse_nested_meta(|inner| {
        let name: LitStr = inner.value()?.parse()?;
        if inner.path.is_ident("deserialize") {
            found = Some(name);
        }
        Ok(())
    })?;
    Ok(found)
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

/// What `#[config(…)]` says about a field or a type.
#[derive(Default)]
pub(crate) struct Config {
    pub(crate) title: Option<String>,
    pub(crate) default: Option<Expr>,
    pub(crate) example: Option<Expr>,
    pub(crate) secret: bool,
    pub(crate) group: Option<String>,
    pub(crate) minimum: Option<Expr>,
    pub(crate) maximum: Option<Expr>,
    pub(crate) format: Option<String>,
    pub(crate) multiline: bool,
}

impl Config {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut config = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("config")) {
            attribute.parse_nested_meta(|meta| config.entry(&meta))?;
        }
        Ok(config)
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let text = || -> syn::Result<Option<String>> { Ok(Some(meta.value()?.parse::<LitStr>()?.value())) };
        match name.as_str() {
            "title" => self.title = text()?,
            "default" => self.default = Some(meta.value()?.parse()?),
            "example" => self.example = Some(meta.value()?.parse()?),
            "secret" => self.secret = true,
            "group" => self.group = text()?,
            "minimum" => self.minimum = Some(meta.value()?.parse()?),
            "maximum" => self.maximum = Some(meta.value()?.parse()?),
            "format" => self.format = text()?,
            "multiline" => self.multiline = true,
            _ => {
                let known = "title, default, example, secret, group, minimum, maximum, format, multiline";
                return Err(meta.error(format!("`config` knows {known}")));
            }
        }
        Ok(())
    }
}

/// The doc comment: lines of a paragraph joined, paragraphs apart.
pub(crate) fn docs(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value else { continue };
        for line in line.value().split('\n').map(str::trim) {
            match line {
                "" if !text.is_empty() && !text.ends_with('\n') => text.push_str("\n\n"),
                "" => {}
                line => {
                    if !text.is_empty() && !text.ends_with('\n') {
                        text.push(' ');
                    }
                    text.push_str(line);
                }
            }
        }
    }
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}
