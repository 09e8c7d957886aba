//! Lists in pages: a page ends with the id of its last item, and the next one begins behind it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;

/// Most items of a page.
pub const MAX_LIMIT: u32 = 200;
const DEFAULT_LIMIT: u32 = 50;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before; none for the first one.
    #[param(max_length = 200)]
    pub after: Option<String>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many items to return.
    ///
    /// # Errors
    /// If it is none, or more than a page holds.
    pub fn limit(&self) -> Result<u32, Problem> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            other => Err(Problem::field("limit", format!("a page has 1 to {MAX_LIMIT} items, not {other}"))),
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// In the list's own order.
    pub items: Vec<T>,
    /// What to ask for the next page with; none on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page out of one item more than fits, if there are that many.
    pub fn of(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> String) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(id);
        Self { items, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(each).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_with_more_behind_it_has_a_next() {
        let page = Page::of(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        let page = Page::of(vec![1, 2], 2, ToString::to_string);
        assert_eq!((page.items, page.next), (vec![1, 2], None));
    }
}
