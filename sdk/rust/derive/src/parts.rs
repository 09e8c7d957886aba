//! JSON text in the making: pieces known now, and constants that only the compiler knows.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

#[derive(Clone)]
enum Part {
    Text(String),
    Constant(TokenStream),
}

/// Pieces of one JSON text, in order.
#[derive(Clone, Default)]
pub(crate) struct Parts(Vec<Part>);

impl Parts {
    /// Adds text as it is.
    pub(crate) fn text(&mut self, text: &str) {
        if let Some(Part::Text(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(Part::Text(text.to_owned()));
        }
    }

    /// Adds a constant expression of type `&'static str`.
    pub(crate) fn constant(&mut self, expression: TokenStream) {
        self.0.push(Part::Constant(expression));
    }

    /// Adds all pieces of another text.
    pub(crate) fn append(&mut self, other: Self) {
        for part in other.0 {
            match part {
                Part::Text(text) => self.text(&text),
                Part::Constant(expression) => self.constant(expression),
            }
        }
    }

    /// Text alone.
    pub(crate) fn from_text(text: &str) -> Self {
        let mut parts = Self::default();
        parts.text(text);
        parts
    }
}

/// The constant expression that joins the pieces.
impl ToTokens for Parts {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => quote!(#text),
            Part::Constant(expression) => expression.clone(),
        });
        tokens.extend(quote!(::sluice_sdk::__concat!(#(#parts),*)));
    }
}

/// A JSON object in the making.
pub(crate) struct Object {
    parts: Parts,
    empty: bool,
}

impl Object {
    /// An object without members.
    pub(crate) fn new() -> Self {
        Self { parts: Parts::from_text("{"), empty: true }
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.parts.text(",");
        }
        self.empty = false;
        self.parts.text(&format!("{}:", crate::json::string(key)));
    }

    /// Adds a member whose value is JSON already.
    pub(crate) fn raw(&mut self, key: &str, value: &str) {
        self.key(key);
        self.parts.text(value);
    }

    /// Adds a text member.
    pub(crate) fn string(&mut self, key: &str, value: &str) {
        self.raw(key, &crate::json::string(value));
    }

    /// Adds a member made of pieces.
    pub(crate) fn parts(&mut self, key: &str, value: Parts) {
        self.key(key);
        self.parts.append(value);
    }

    /// True if nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// The finished object.
    pub(crate) fn finish(mut self) -> Parts {
        self.parts.text("}");
        self.parts
    }
}
