//! Many objects: from a block to rows of cells, with the names of the columns known.

use std::collections::HashMap;

use super::object::{Guess, Members, Stop, object, skip_space};
use super::unescape;
use crate::values::cell::{Cell, Malformed, Records};

/// The names of the columns that are wanted.
pub(crate) struct Names {
    /// What the last object's members were, in their order: objects mostly have the same members in the same order.
    order: Vec<(Guess, Option<usize>)>,
    by_name: HashMap<Vec<u8>, Option<usize>>,
}

impl Names {
    /// Columns in the order of the cells, and names that are known but not wanted.
    pub(crate) fn new(wanted: &[String], others: impl IntoIterator<Item = String>) -> Self {
        let mut by_name: HashMap<Vec<u8>, Option<usize>> =
            others.into_iter().map(|name| (name.into_bytes(), None)).collect();
        by_name.extend(wanted.iter().enumerate().map(|(at, name)| (name.clone().into_bytes(), Some(at))));
        Self { order: Vec::new(), by_name }
    }
}

/// One object's members on their way into a row of cells.
struct Row<'a, 'b> {
    names: &'a mut Names,
    row: &'a mut [Cell],
    nth: usize,
    unknown: Option<&'b [u8]>,
}

impl Row<'_, '_> {
    #[inline(always)]
    fn set(&mut self, column: Option<usize>, cell: Cell) {
        if let Some(slot) = column.and_then(|column| self.row.get_mut(column)) {
            *slot = cell;
        }
        self.nth += 1;
    }
}

impl<'b> Members<'b> for Row<'_, 'b> {
    #[inline(always)]
    fn guess(&self) -> Option<&Guess> {
        self.names.order.get(self.nth).map(|(guess, _)| guess)
    }

    #[inline(always)]
    fn guessed(&mut self, cell: Cell) {
        let column = self.names.order.get(self.nth).and_then(|(_, column)| *column);
        self.set(column, cell);
    }

    fn member(&mut self, name: &'b [u8], escaped: bool, cell: Cell) {
        let found = if escaped {
            let mut plain = Vec::new();
            let _ = unescape(name, &mut plain);
            self.names.by_name.get(&plain)
        } else {
            self.names.by_name.get(name)
        };
        let Some(column) = found.copied() else {
            self.unknown = Some(name);
            return;
        };
        let expected = (Guess::new(name), column);
        let order = &mut self.names.order;
        let learned = order.len();
        match order.get_mut(self.nth) {
            Some(slot) => *slot = expected,
            None if self.nth == learned && learned < MAX_GUESSES => order.push(expected),
            None => {}
        }
        self.set(column, cell);
    }
}

/// Members of an object whose names are guessed; those behind are looked up.
const MAX_GUESSES: usize = 10_000;

/// What to find in a block.
pub(crate) struct Scan {
    /// The block is the last one.
    pub(crate) eof: bool,
    /// Objects that start here or later belong to somebody else.
    pub(crate) stop: usize,
    /// At most this many objects are added.
    pub(crate) most: usize,
    /// The objects are the elements of an array.
    pub(crate) array: bool,
    /// Names that the schema lacks are counted, instead of ending the read.
    pub(crate) lenient: bool,
}

/// Adds the objects of a block and returns the place after the last one.
pub(crate) fn scan(block: &[u8], scan: &Scan, names: &mut Names, records: &mut Records) -> Result<usize, Malformed> {
    let mut at = 0;
    loop {
        let start = next_object(block, at, scan.array)?;
        if start >= scan.stop.min(block.len()) || records.len() >= scan.most {
            return Ok(start);
        }
        let first = records.cells.len();
        records.cells.resize(first + records.width, Cell::MISSING);
        let cells = records.cells.get_mut(first..).unwrap_or_default();
        let mut row = Row { names, row: cells, nth: 0, unknown: None };
        let read = object(block, start, &mut row);
        let unknown = row.unknown;
        match (read, unknown) {
            (Ok(_), Some(name)) if !scan.lenient => {
                let name = String::from_utf8_lossy(name);
                let reason = format!(
                    "the object has the member {name:?}, which the stream's schema lacks; raise sample_files so that it is \
                     found, or set on_mismatch to null to leave it out"
                );
                return Err(Malformed::new(start, reason));
            }
            (Ok(next), unknown) => {
                records.starts.push(start as u32);
                records.unknown += u64::from(unknown.is_some());
                at = next;
            }
            (Err(Stop::Incomplete), _) if scan.eof => {
                return Err(Malformed::new(start, "the file ends within this object"));
            }
            (Err(Stop::Incomplete), _) => {
                records.cells.truncate(first);
                return Ok(start);
            }
            (Err(Stop::Malformed(malformed)), _) => return Err(malformed),
        }
    }
}

/// Where the next object starts; the end of the block if there is none in it.
pub(crate) fn next_object(block: &[u8], from: usize, array: bool) -> Result<usize, Malformed> {
    let mut at = from;
    loop {
        at = skip_space(block, at);
        match block.get(at) {
            None => return Ok(block.len()),
            Some(b'{') => return Ok(at),
            Some(b',' | b'[' | b']') if array => at += 1,
            Some(_) => return Err(Malformed::new(at, "a JSON object is expected here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, wanted: &[&str], options: &Scan) -> Result<(Vec<Vec<String>>, Records), Malformed> {
        let wanted: Vec<String> = wanted.iter().map(|s| (*s).to_owned()).collect();
        let mut records = Records::new(wanted.len());
        scan(text.as_bytes(), options, &mut Names::new(&wanted, []), &mut records)?;
        let row =
            |row: &[Cell]| row.iter().map(|c| String::from_utf8_lossy(c.bytes(text.as_bytes())).into_owned()).collect();
        let rows = records.cells.chunks(records.width).map(row).collect();
        Ok((rows, records))
    }

    const LINES: Scan = Scan { eof: true, stop: usize::MAX, most: usize::MAX, array: false, lenient: false };

    #[test]
    fn members_are_found_in_any_order_and_the_last_of_a_name_counts() {
        let text = "{\"a\":1,\"b\":\"x\"}\n{\"b\":{\"c\":[1,\"}\"]},\"a\":null}\r\n\n{ \"a\" : 2 , \"a\" : -3.5e2 }";
        let (rows, records) = rows(text, &["a", "b"], &LINES).unwrap();
        assert_eq!(rows, [["1", "x"], ["", "{\"c\":[1,\"}\"]}"], ["-3.5e2", ""]]);
        assert_eq!(records.len(), 3);
    }

    #[test]
    fn a_name_with_escapes_is_the_same_name() {
        assert_eq!(rows(r#"{"\u0061":1}"#, &["a"], &LINES).unwrap().0, [["1"]]);
    }

    #[test]
    fn an_array_is_read_element_by_element() {
        let array = Scan { array: true, ..LINES };
        assert_eq!(rows("[ {\"a\":1},\n {\"a\":2} ]", &["a"], &array).unwrap().0, [["1"], ["2"]]);
        assert!(rows("[1]", &["a"], &LINES).is_err());
    }

    #[test]
    fn a_name_that_the_schema_lacks_is_an_error_or_counted() {
        let error = rows("{\"z\":1}", &["a"], &LINES).unwrap_err();
        assert!(error.reason.contains("\"z\""), "{error:?}");
        let (_, records) = rows("{\"z\":1}", &["a"], &Scan { lenient: true, ..LINES }).unwrap();
        assert_eq!((records.len(), records.unknown), (1, 1));
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, at) in
            [("{\"a\":}", 5), ("{\"a\" 1}", 5), ("{a:1}", 1), ("{\"a\":1 2}", 7), ("{\"a\":[1,}", 5), ("nul", 0)]
        {
            assert_eq!(rows(text, &["a"], &LINES).unwrap_err().at, at, "{text}");
        }
    }
}
