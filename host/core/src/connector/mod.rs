//! Connectors that are uploaded: what a version asks for, how two versions differ, which step follows which, and when a host goes back
//! to the version before by itself.
//!
//! Everything in a manifest was written by somebody who need not be trusted. Sentences made of it hold no control characters, and
//! nothing that turns a text around.

mod catalog;
mod difference;
mod fallback;
mod permissions;
mod version;

pub use catalog::{CatalogChange, Used, catalog_changes};
pub use difference::{Change, Difference, Effect, difference};
pub use fallback::{AfterUpgrade, falls_back, lies_with_connector};
pub use permissions::{Permission, Subject, permissions, permissions_digest};
pub use version::{VersionState, VersionStep};

/// Longest part of a manifest in a sentence, characters.
const LONGEST: usize = 200;

/// A text of a manifest as a sentence may have it.
fn shown(text: &str) -> String {
    let plain = |c: char| match c {
        // What changes the direction of what follows, or is not seen.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let mut short: String = text.chars().take(LONGEST).map(plain).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manifest_says_cannot_dress_up_as_something_else() {
        assert_eq!(shown("a\u{1b}[31mb\u{202e}c"), "a\u{fffd}[31mb\u{fffd}c");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), LONGEST + 1);
    }
}
