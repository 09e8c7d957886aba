//! Comparing a definition with what its connection was found to offer: a stream or column that is not there is named, with the one that
//! was probably meant.

use sluice_core::pipeline::{Definition, ReadSpec, StreamSpec};
use sluice_core::worker::Stream;

use crate::http::problem::Problem;
use crate::v1::connections::discovered::Known;

/// Columns that connectors add to a read, which are not among those of the source.
const ADDED: &str = "_sluice";

/// Whether every stream could be compared.
///
/// # Errors
/// Names the first stream or column that is not there.
pub(super) fn fits(definition: &Definition, known: &Known) -> Result<bool, Problem> {
    let mut compared = true;
    for (index, spec) in definition.streams.iter().enumerate() {
        match known.streams.get(&spec.id) {
            Some(stream) if stream.columns.is_empty() => compared = false,
            Some(stream) => columns(index, spec, stream)?,
            None if known.complete => {
                let detail = format!("the connection has no stream {:?}", spec.id);
                let nearest = nearest(&spec.id, known.streams.keys().map(String::as_str));
                return Err(Problem::field(format!("streams[{index}].id"), suggesting(detail, nearest)));
            }
            None => compared = false,
        }
    }
    Ok(compared)
}

fn columns(index: usize, spec: &StreamSpec, stream: &Stream) -> Result<(), Problem> {
    let cursor = match &spec.read {
        ReadSpec::Incremental(column) if !column.is_empty() => Some(("read.incremental".to_owned(), column)),
        ReadSpec::Incremental(_) | ReadSpec::Full => None,
    };
    let chosen = spec.columns.iter().enumerate().map(|(at, column)| (format!("columns[{at}]"), column));
    let renamed = spec.rename.keys().map(|column| (format!("rename.{column}"), column));
    let cast = spec.cast.keys().map(|column| (format!("cast.{column}"), column));
    for (field, column) in chosen.chain(cursor).chain(renamed).chain(cast) {
        let there = || stream.columns.iter().map(|column| column.name.as_str());
        if column.starts_with(ADDED) || there().any(|name| name == column) {
            continue;
        }
        let detail = format!("the stream {} has no column {column:?}", stream.id);
        return Err(Problem::field(format!("streams[{index}].{field}"), suggesting(detail, nearest(column, there()))));
    }
    Ok(())
}

fn suggesting(detail: String, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("{detail}; is {nearest:?} meant?"),
        None => detail,
    }
}

/// The name that was probably meant: one that differs in few letters, or in case only.
fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = typed.to_lowercase();
    let most = (typed.chars().count() / 3).clamp(1, 4);
    let close = names.filter(|name| name.len().abs_diff(typed.len()) <= 16).map(|name| {
        // A table by its name without its schema is a common slip, too.
        let short = name.rsplit(['.', '/']).next().unwrap_or(name);
        let distance = |name: &str| strsim::osa_distance(&name.to_lowercase(), &lower);
        (distance(name).min(distance(short)), name)
    });
    close.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found_and_no_other() {
        let names = ["public.orders", "public.order_items", "public.users"];
        let meant = |typed: &str| nearest(typed, names.into_iter());
        assert_eq!(meant("public.ordres"), Some("public.orders"));
        assert_eq!(meant("Users"), Some("public.users"));
        assert_eq!(meant("public.invoices"), None);
        assert_eq!(meant("x"), None);
    }
}
