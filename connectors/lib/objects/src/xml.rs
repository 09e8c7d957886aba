//! The XML of listings and errors: a flat walk over elements, bounded and without entities of its own.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use sluice_sdk::{Error, Result};

use crate::encode;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// Calls `on` at the end of each element with its path (names without prefixes, from the root) and its own text. The text of
/// an element with the attribute `Encoded="true"` is percent-decoded.
///
/// # Errors
/// `protocol` if it is no XML; what `on` returns.
pub fn walk(xml: &[u8], mut on: impl FnMut(&[&str], &str) -> Result<()>) -> Result<()> {
    let mut reader = Reader::from_reader(xml);
    let mut open: Vec<(String, String, bool)> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(element) => {
                if open.len() >= MAX_DEPTH {
                    return Err(broken(&"it is nested too deeply"));
                }
                let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                let encoded = element.try_get_attribute("Encoded").map_err(|error| broken(&error))?;
                let encoded = encoded.is_some_and(|attribute| attribute.value.as_ref() == b"true");
                open.push((name, String::new(), encoded));
            }
            Event::Empty(element) => {
                let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                let path: Vec<&str> = open.iter().map(|(name, ..)| name.as_str()).chain([name.as_str()]).collect();
                on(&path, "")?;
            }
            Event::Text(text) => append(&mut open, &text.xml10_content().map_err(|error| broken(&error))?),
            Event::CData(text) => append(&mut open, &text.xml10_content().map_err(|error| broken(&error))?),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| broken(&error))?;
                let name = reference.decode().map_err(|error| broken(&error))?;
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => append(&mut open, character.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => append(&mut open, text),
                    (None, None) => return Err(broken(&format_args!("it has the unknown entity {name}"))),
                }
            }
            Event::End(_) => {
                let Some((name, text, encoded)) = open.pop() else { return Err(broken(&"an element ends twice")) };
                let path: Vec<&str> = open.iter().map(|(name, ..)| name.as_str()).chain([name.as_str()]).collect();
                let text = if encoded {
                    encode::decode(&text, false).ok_or_else(|| broken(&"a name is not text"))?
                } else {
                    text
                };
                on(&path, &text)?;
            }
            Event::Eof if open.is_empty() => return Ok(()),
            Event::Eof => return Err(broken(&"it ends too early")),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// The text of the first elements with these names, in whatever place; empty for those that are missing or where the text is
/// no XML. For errors, which are told as well as possible.
pub fn texts<const N: usize>(xml: &[u8], names: [&str; N]) -> [String; N] {
    let mut found = [const { String::new() }; N];
    let _ = walk(xml, |path, text| {
        for (name, found) in names.iter().zip(&mut found) {
            if path.last() == Some(name) && found.is_empty() {
                text.clone_into(found);
            }
        }
        Ok(())
    });
    found
}

fn append(open: &mut [(String, String, bool)], text: &str) {
    if let Some((_, own, _)) = open.last_mut() {
        own.push_str(text);
    }
}

fn broken(what: &dyn std::fmt::Display) -> Error {
    Error::protocol(format!("the store's answer is not the XML that was expected: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(xml: &str) -> Result<Vec<(String, String)>> {
        let mut seen = Vec::new();
        walk(xml.as_bytes(), |path, text| {
            seen.push((path.join("/"), text.to_owned()));
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn elements_come_with_their_path_and_text() {
        let xml = "<?xml version=\"1.0\"?><a xmlns=\"x\"><b>1 &amp; &#50;</b><c/><d Encoded=\"true\">a%2Fb</d></a>";
        let expected = [("a/b", "1 & 2"), ("a/c", ""), ("a/d", "a/b"), ("a", "")];
        assert_eq!(walked(xml).unwrap(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
        assert_eq!(texts(xml.as_bytes(), ["b", "d", "e"]), ["1 & 2", "a/b", ""]);
    }

    #[test]
    fn what_is_no_xml_or_has_entities_of_its_own_is_refused() {
        assert!(walked("<a><b>").is_err());
        assert!(walked("<a>&bomb;</a>").is_err());
        assert!(walked(&"<a>".repeat(100)).is_err());
        assert_eq!(texts(b"not xml", ["Code"]), [""]);
    }
}
