//! The table of attacks in the book is the list.

use std::fmt::Write;
use std::path::Path;

const BEGIN: &str = "<!-- attacks: this table is the list in tests/guests/lib.rs; a test compares -->\n";
const END: &str = "<!-- end of attacks -->\n";

macro_rules! rows {
    ($($name:ident: $does:literal / $promise:literal => $kind:ident $words:literal;)*) => {
        &[$((stringify!($name), $does, $promise, stringify!($kind), $words),)*]
    };
}

const GUESTS: &[(&str, &str, &str, &str, &str)] = hostile_guests::guest_attacks!(rows);
const MADE: &[(&str, &str, &str, &str, &str)] = hostile_guests::made_attacks!(rows);

fn table() -> String {
    let mut text = format!("\n{} attacks.\n\n", GUESTS.len() + MADE.len());
    text.push_str("| attack, and its test | what it does | the promise | how it ends |\n|---|---|---|---|\n");
    for (module, attacks) in [("made_by_guests", GUESTS), ("made_by_tests", MADE)] {
        for (name, does, promise, kind, words) in attacks {
            let ends = if *kind == "Contained" { String::new() } else { format!("{kind}: ") };
            let words = words.replace('|', "\\|");
            writeln!(text, "| `{module}::{name}` | {does} | {promise} | {ends}`{words}` |").unwrap();
        }
    }
    text.push('\n');
    text
}

/// With `SLUICE_WRITE_DOCS=1` the table is written.
#[test]
fn the_table_in_the_book_is_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sandbox.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the table's beginning");
    let (found, after) = rest.split_once(END).expect("the table's end");
    if std::env::var_os("SLUICE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert!(found == table(), "run this test with SLUICE_WRITE_DOCS=1 in the environment and look at docs/sandbox.md");
}
