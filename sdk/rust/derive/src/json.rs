//! From Rust literals in attributes to JSON.

use serde_json::Value;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

/// A JSON text literal.
pub(crate) fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON array of texts.
pub(crate) fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    Value::from(texts.into_iter().collect::<Vec<_>>()).to_string()
}

/// The value that a literal, a negative number or an array of them stands for.
pub(crate) fn value(expression: &Expr) -> syn::Result<Value> {
    match expression {
        Expr::Lit(ExprLit { lit, .. }) => literal(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => negative(expr),
        Expr::Array(array) => array.elems.iter().map(value).collect::<syn::Result<Vec<_>>>().map(Value::from),
        other => Err(syn::Error::new_spanned(other, "write a literal: a text, a number, true or false, or an array")),
    }
}

fn literal(literal: &Lit) -> syn::Result<Value> {
    match literal {
        Lit::Str(text) => Ok(Value::from(text.value())),
        Lit::Bool(flag) => Ok(Value::from(flag.value)),
        Lit::Int(number) => match number.base10_parse::<u64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(error) => Err(error),
        },
        Lit::Float(number) => Ok(Value::from(number.base10_parse::<f64>()?)),
        other => Err(syn::Error::new_spanned(other, "write a text, a number, true or false")),
    }
}

fn negative(expression: &Expr) -> syn::Result<Value> {
    let number = value(expression)?;
    if let Some(whole) = number.as_u64().and_then(|n| i64::try_from(n).ok()) {
        return Ok(Value::from(-whole));
    }
    match number.as_f64() {
        Some(number) => Ok(Value::from(-number)),
        None => Err(syn::Error::new_spanned(expression, "only a number can be negative")),
    }
}
