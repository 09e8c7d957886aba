//! From a field's Rust type to its JSON Schema.

use quote::quote_spanned;
use serde_json::Value;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use crate::parts::{Object, Parts};

/// What a type looks like in JSON.
pub(crate) enum Shape {
    /// `string`, `boolean` or `number`.
    Simple(&'static str),
    /// An integer and its bounds, as far as JSON's readers can hold them.
    Integer(Option<i64>, Option<i64>),
    /// An array.
    Array(Box<Shape>),
    /// An object with any keys.
    Map(Box<Shape>),
    /// A type that derives `Config` itself.
    Nested(Box<Type>),
}

/// A field's shape, and whether it may be left out.
pub(crate) struct FieldType {
    pub(crate) shape: Shape,
    pub(crate) optional: bool,
}

impl FieldType {
    /// Takes a type apart.
    pub(crate) fn of(ty: &Type) -> syn::Result<Self> {
        if let Some((name, arguments)) = last_segment(ty)
            && name == "Option"
            && let Some(inner) = arguments.first()
        {
            return Ok(Self { shape: shape(inner)?, optional: true });
        }
        Ok(Self { shape: shape(ty)?, optional: false })
    }
}

fn shape(ty: &Type) -> syn::Result<Shape> {
    let Some((name, arguments)) = last_segment(ty) else {
        return Err(syn::Error::new_spanned(ty, "a configuration cannot hold this type"));
    };
    let inner = |at: usize| match arguments.get(at) {
        Some(ty) => shape(ty).map(Box::new),
        None => Err(syn::Error::new_spanned(ty, "name the type's arguments")),
    };
    Ok(match name.as_str() {
        "String" | "PathBuf" | "char" => Shape::Simple("string"),
        "bool" => Shape::Simple("boolean"),
        "f32" | "f64" => Shape::Simple("number"),
        "i8" => Shape::Integer(Some(-128), Some(127)),
        "i16" => Shape::Integer(Some(-32_768), Some(32_767)),
        "i32" => Shape::Integer(Some(i32::MIN.into()), Some(i32::MAX.into())),
        "i64" | "isize" => Shape::Integer(None, None),
        "u8" => Shape::Integer(Some(0), Some(255)),
        "u16" => Shape::Integer(Some(0), Some(65_535)),
        "u32" => Shape::Integer(Some(0), Some(u32::MAX.into())),
        "u64" | "usize" => Shape::Integer(Some(0), None),
        "NonZeroU16" => Shape::Integer(Some(1), Some(65_535)),
        "NonZeroU32" => Shape::Integer(Some(1), Some(u32::MAX.into())),
        "NonZeroU64" | "NonZeroUsize" => Shape::Integer(Some(1), None),
        "Vec" | "BTreeSet" => Shape::Array(inner(0)?),
        "BTreeMap" | "HashMap" => Shape::Map(inner(1)?),
        "Box" => *inner(0)?,
        "Option" => return Err(syn::Error::new_spanned(ty, "only a field itself can be optional")),
        _ => Shape::Nested(Box::new(ty.clone())),
    })
}

/// The last name of a path type, and its type arguments.
fn last_segment(ty: &Type) -> Option<(String, Vec<Type>)> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Some((segment.ident.to_string(), arguments))
}

impl Shape {
    /// Writes `type` and what belongs to it; `false` for a nested type, which is a schema of its own.
    pub(crate) fn write(&self, object: &mut Object) -> bool {
        match self {
            Self::Simple(name) => object.string("type", name),
            Self::Integer(..) => object.string("type", "integer"),
            Self::Array(items) => {
                object.string("type", "array");
                object.parts("items", items.schema());
            }
            Self::Map(values) => {
                object.string("type", "object");
                object.parts("additionalProperties", values.schema());
            }
            Self::Nested(_) => return false,
        }
        true
    }

    /// The type's own bounds.
    pub(crate) fn bounds(&self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Integer(minimum, maximum) => (*minimum, *maximum),
            _ => (None, None),
        }
    }

    /// The schema of a value that nothing more is said about.
    pub(crate) fn schema(&self) -> Parts {
        if let Self::Nested(ty) = self {
            let mut parts = Parts::default();
            parts.constant(quote_spanned!(ty.span()=> <#ty as ::sluice_sdk::ConfigSchema>::SCHEMA));
            return parts;
        }
        let mut object = Object::new();
        self.write(&mut object);
        let (minimum, maximum) = self.bounds();
        for (key, bound) in [("minimum", minimum), ("maximum", maximum)] {
            if let Some(bound) = bound {
                object.raw(key, &bound.to_string());
            }
        }
        object.finish()
    }

    /// Whether a literal can be a value of this type, as far as can be told here.
    pub(crate) fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Simple("string") => value.is_string(),
            Self::Simple("boolean") => value.is_boolean(),
            Self::Simple(_) => value.is_number(),
            Self::Integer(minimum, maximum) => match value.as_i64() {
                Some(n) => minimum.is_none_or(|m| m <= n) && maximum.is_none_or(|m| n <= m),
                None => value.is_u64() && maximum.is_none(),
            },
            Self::Array(items) => value.as_array().is_some_and(|values| values.iter().all(|v| items.accepts(v))),
            Self::Map(_) => false,
            Self::Nested(_) => true,
        }
    }
}
