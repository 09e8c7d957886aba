//! `#[derive(Config)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Expr, Fields, FieldsNamed, Type, Variant};

use crate::attrs::{Config, Serde, docs};
use crate::case::Case;
use crate::json;
use crate::parts::{Object, Parts};
use crate::types::{FieldType, Shape};

/// Writes the implementation of `ConfigSchema`.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(&input.generics, "a configuration type has no parameters"));
    }
    let serde = Serde::parse(&input.attrs)?;
    let mut object = Object::new();
    let config = Config::parse(&input.attrs)?;
    if let Some(title) = &config.title {
        object.string("title", title);
    }
    if let Some(description) = docs(&input.attrs) {
        object.string("description", &description);
    }
    let mut own = Members::default();
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                own = Members::of(fields, serde.rename_all, serde.default)?;
                own.write(&mut object, None, serde.deny_unknown_fields);
            }
            other => return Err(syn::Error::new_spanned(other, "a configuration has named fields")),
        },
        Data::Enum(data) => match &serde.tag {
            Some(tag) => tagged(&mut object, data, &serde, tag)?,
            None => units(&mut object, data, &serde)?,
        },
        Data::Union(_) => return Err(syn::Error::new_spanned(&input.ident, "a union cannot be configured")),
    }
    let (name, schema) = (&input.ident, object.finish());
    let (secrets, listed) = (own.secrets(), bracketed(own.secrets()));
    let (properties, required, order) = (own.properties(), own.required(None), own.order());
    let flat = own.flat().map(|ty| {
        let message = "only a struct with fields can be flattened";
        quote!(
            const _: () = assert!(!<#ty as ::sluice_sdk::ConfigSchema>::MEMBERS.properties.is_empty(), #message);
        )
    });
    Ok(quote! {
        impl ::sluice_sdk::ConfigSchema for #name {
            const SCHEMA: &'static str = #schema;
            const SECRETS: &'static str = #listed;
            const MEMBERS: ::sluice_sdk::ConfigMembers = ::sluice_sdk::ConfigMembers {
                properties: #properties,
                required: #required,
                order: #order,
                secrets: #secrets,
            };
        }
        #flat
    })
}

fn bracketed(list: Parts) -> Parts {
    let mut parts = Parts::from_text("[");
    parts.append(list);
    parts.text("]");
    parts
}

/// A member of a JSON object.
enum Member {
    /// A field, by the name that it has in JSON.
    Field(String, Parts),
    /// All members of another type.
    Flat(Box<Type>),
}

/// The members of a JSON object.
#[derive(Default)]
struct Members {
    all: Vec<Member>,
    required: Vec<String>,
    secrets: Vec<String>,
}

impl Members {
    fn of(fields: &FieldsNamed, rename_all: Option<Case>, all_default: bool) -> syn::Result<Self> {
        let mut members = Self::default();
        for field in &fields.named {
            let serde = Serde::parse(&field.attrs)?;
            let Some(ident) = field.ident.as_ref().filter(|_| !serde.skip) else { continue };
            if serde.flatten {
                members.flatten(&field.ty)?;
                continue;
            }
            let name = ident.to_string();
            let name = name.trim_start_matches("r#");
            let name = serde.rename.unwrap_or_else(|| rename_all.map_or(name.to_owned(), |case| case.field(name)));
            let config = Config::parse(&field.attrs)?;
            let ty = FieldType::of(&field.ty)?;
            let optional = ty.optional || serde.default || all_default;
            if let Some(default) = config.default.as_ref().filter(|_| !optional) {
                let message = "a default is only true if the field may be left out: add `#[serde(default = \"…\")]`";
                return Err(syn::Error::new_spanned(default, message));
            }
            if !optional {
                members.required.push(name.clone());
            }
            if config.secret {
                members.secrets.push(name.clone());
            }
            members.all.push(Member::Field(name, property(&ty.shape, &config, docs(&field.attrs))?));
        }
        Ok(members)
    }

    fn flatten(&mut self, ty: &Type) -> syn::Result<()> {
        let FieldType { shape: Shape::Nested(inner), optional: false } = FieldType::of(ty)? else {
            return Err(syn::Error::new_spanned(ty, "only a type that derives `Config` can be flattened"));
        };
        if self.flat().is_some() {
            return Err(syn::Error::new_spanned(ty, "only one field can be flattened"));
        }
        self.all.push(Member::Flat(inner));
        Ok(())
    }

    fn flat(&self) -> Option<&Type> {
        self.all.iter().find_map(|member| match member {
            Member::Flat(ty) => Some(ty.as_ref()),
            Member::Field(..) => None,
        })
    }

    /// Writes the object's keywords; `tag` is the member that tells variants apart, and its value.
    fn write(&self, object: &mut Object, tag: Option<(&str, &str)>, closed: bool) {
        object.string("type", "object");
        let mut properties = Parts::from_text("{");
        if let Some((name, value)) = tag {
            properties.text(&format!("{}:{{\"const\":{}}}", json::string(name), json::string(value)));
            properties.text(if self.all.is_empty() { "" } else { "," });
        }
        properties.append(self.properties());
        properties.text("}");
        object.parts("properties", properties);
        object.parts("required", bracketed(self.required(tag.map(|(name, _)| name))));
        if closed {
            object.raw("additionalProperties", "false");
        }
        object.parts("x-order", bracketed(self.order()));
    }

    /// The members of `properties`, without the braces.
    fn properties(&self) -> Parts {
        self.each(quote!(properties), |name, schema| {
            let mut property = Parts::from_text(&format!("{}:", json::string(name)));
            property.append(schema.clone());
            property
        })
    }

    /// The names, in the order in which they were declared.
    fn order(&self) -> Parts {
        self.each(quote!(order), |name, _| Parts::from_text(&json::string(name)))
    }

    /// What is made of each field, with commas between; of a flattened type it is this constant. Neither is ever empty.
    fn each(&self, constant: TokenStream, field: impl Fn(&str, &Parts) -> Parts) -> Parts {
        let mut list = Parts::default();
        for (at, member) in self.all.iter().enumerate() {
            list.text(if at > 0 { "," } else { "" });
            match member {
                Member::Field(name, schema) => list.append(field(name, schema)),
                Member::Flat(ty) => list.constant(quote!(<#ty as ::sluice_sdk::ConfigSchema>::MEMBERS.#constant)),
            }
        }
        list
    }

    fn required(&self, tag: Option<&str>) -> Parts {
        let names: Vec<&str> = tag.into_iter().chain(self.required.iter().map(String::as_str)).collect();
        self.subset(&names, quote!(required))
    }

    fn secrets(&self) -> Parts {
        let names: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        self.subset(&names, quote!(secrets))
    }

    /// Some of the names, and those of the flattened type, of which there may be none.
    fn subset(&self, names: &[&str], constant: TokenStream) -> Parts {
        let names: Vec<String> = names.iter().map(|name| json::string(name)).collect();
        let mut list = Parts::from_text(&names.join(","));
        if let Some(ty) = self.flat() {
            let more = quote!(<#ty as ::sluice_sdk::ConfigSchema>::MEMBERS.#constant);
            if !names.is_empty() {
                list.constant(quote!(::sluice_sdk::__private::comma_before(#more)));
            }
            list.constant(more);
        }
        list
    }
}

/// A property: what is said of the field, and its type.
fn property(shape: &Shape, config: &Config, description: Option<String>) -> syn::Result<Parts> {
    let mut object = Object::new();
    let nested = !shape.write(&mut object);
    for (key, text) in [("title", &config.title), ("description", &description), ("x-group", &config.group)] {
        if let Some(text) = text {
            object.string(key, text);
        }
    }
    if let Some(default) = &config.default {
        object.raw("default", &fitting(default, shape)?);
    }
    if let Some(example) = &config.example {
        object.raw("examples", &format!("[{}]", fitting(example, shape)?));
    }
    let (minimum, maximum) = shape.bounds();
    for (key, own, said) in [("minimum", minimum, &config.minimum), ("maximum", maximum, &config.maximum)] {
        match (said, own) {
            (Some(bound), _) => object.raw(key, &number(bound, shape)?),
            (None, Some(bound)) => object.raw(key, &bound.to_string()),
            (None, None) => {}
        }
    }
    match (&config.format, config.secret) {
        (Some(format), _) => object.string("format", format),
        (None, true) => object.string("format", "password"),
        (None, false) => {}
    }
    if config.secret {
        object.raw("writeOnly", "true");
    }
    if config.multiline {
        object.raw("x-multiline", "true");
    }
    if !nested {
        return Ok(object.finish());
    }
    if object.is_empty() {
        return Ok(shape.schema());
    }
    // What is said of the field stands beside the type's own schema, which may say the same words of the type.
    let mut schemas = Parts::from_text("[");
    schemas.append(shape.schema());
    schemas.text("]");
    object.parts("allOf", schemas);
    Ok(object.finish())
}

fn fitting(expression: &Expr, shape: &Shape) -> syn::Result<String> {
    let value = json::value(expression)?;
    if !shape.accepts(&value) {
        return Err(syn::Error::new_spanned(expression, "this is no value of the field's type"));
    }
    Ok(value.to_string())
}

fn number(expression: &Expr, shape: &Shape) -> syn::Result<String> {
    let value = json::value(expression)?;
    let numeric = matches!(shape, Shape::Integer(..) | Shape::Simple("number"));
    if !numeric || !shape.accepts(&value) {
        return Err(syn::Error::new_spanned(expression, "a bound is a number within the field's own type"));
    }
    Ok(value.to_string())
}

fn variant_name(variant: &Variant, container: &Serde, own: &Serde) -> String {
    let name = variant.ident.to_string();
    own.rename.clone().unwrap_or_else(|| container.rename_all.map_or(name.clone(), |case| case.variant(&name)))
}

/// An enum of plain names.
fn units(object: &mut Object, data: &DataEnum, container: &Serde) -> syn::Result<()> {
    let mut names = Vec::new();
    let mut descriptions = Object::new();
    for variant in &data.variants {
        let own = Serde::parse(&variant.attrs)?;
        if own.skip {
            continue;
        }
        if !matches!(variant.fields, Fields::Unit) {
            let message = "a variant with fields needs `#[serde(tag = \"…\")]` on the enum";
            return Err(syn::Error::new_spanned(&variant.fields, message));
        }
        let name = variant_name(variant, container, &own);
        if let Some(description) = docs(&variant.attrs) {
            descriptions.string(&name, &description);
        }
        names.push(name);
    }
    object.string("type", "string");
    object.raw("enum", &json::strings(names.iter().map(String::as_str)));
    if !descriptions.is_empty() {
        object.parts("x-descriptions", descriptions.finish());
    }
    Ok(())
}

/// An enum whose variants are objects told apart by one member.
fn tagged(object: &mut Object, data: &DataEnum, container: &Serde, tag: &str) -> syn::Result<()> {
    let mut schemas = Parts::from_text("[");
    for (at, variant) in data.variants.iter().enumerate() {
        let own = Serde::parse(&variant.attrs)?;
        let members = match &variant.fields {
            Fields::Named(fields) => Members::of(fields, own.rename_all.or(container.rename_all_fields), own.default)?,
            Fields::Unit => Members::default(),
            other => return Err(syn::Error::new_spanned(other, "a tagged variant has named fields or none")),
        };
        let mut schema = Object::new();
        if let Some(title) = Config::parse(&variant.attrs)?.title {
            schema.string("title", &title);
        }
        if let Some(description) = docs(&variant.attrs) {
            schema.string("description", &description);
        }
        let name = variant_name(variant, container, &own);
        members.write(&mut schema, Some((tag, &name)), container.deny_unknown_fields);
        if at > 0 {
            schemas.text(",");
        }
        schemas.append(schema.finish());
    }
    schemas.text("]");
    object.string("type", "object");
    object.parts("oneOf", schemas);
    Ok(())
}
