//! Names and texts of strangers that people will read and decide by: what they may not hold.

/// Checks a short text for people: no markup, nothing that moves a cursor, hides itself or turns the reading direction, and no
/// word that mixes scripts, as one that imitates another does.
///
/// # Errors
/// The rule that it breaks, as a clause that follows the text's name.
pub fn check(text: &str, most: usize) -> Result<(), String> {
    if text.len() > most {
        return Err(format!("has {} bytes; at most {most}", text.len()));
    }
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\n' || is_unseen(*c)) {
        return Err(format!("holds the character U+{:04X}, which cannot be seen", u32::from(c)));
    }
    if let Some(c) = text.chars().find(|c| matches!(c, '<' | '>')) {
        return Err(format!("holds {c:?}; it is shown as plain text"));
    }
    if let Some(word) = text.split_whitespace().find(|word| mixes_scripts(word)) {
        let word: String = word.chars().take(40).collect();
        return Err(format!("holds the word {}, which mixes letters of several scripts", word.escape_unicode()));
    }
    Ok(())
}

/// Characters without a shape of their own: format controls, bidirectional ones among them (CVE-2021-42574), and tags.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Scripts whose letters look like those of another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
    /// Latin letters in other clothes: full width, mathematical.
    Dressed,
}

fn script(c: char) -> Option<Script> {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some(Script::Latin),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Script::Greek),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' => {
            Some(Script::Cyrillic)
        }
        '\u{530}'..='\u{58f}' => Some(Script::Armenian),
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Script::Cherokee),
        '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}' => Some(Script::Dressed),
        _ => None,
    }
}

fn mixes_scripts(word: &str) -> bool {
    let mut scripts = word.chars().filter_map(script);
    let first = scripts.next();
    first == Some(Script::Dressed) || scripts.any(|other| Some(other) != first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_script_each_are_taken_in_any_language() {
        for text in ["PostgreSQL", "Größe & Menge (v2)", "Яндекс Метрика", "ΔΕΗ", "日本語 データ", "", "two\nlines"]
        {
            assert_eq!(check(text, 100), Ok(()), "{text}");
        }
    }

    #[test]
    fn imitations_escapes_and_markup_are_refused() {
        assert!(check("Pоstgres", 100).unwrap_err().contains("\\u{43e}"), "a Cyrillic o among Latin letters");
        assert!(check("Ｐostgres", 100).unwrap_err().contains("scripts"));
        assert!(check("a\u{1b}[2J", 100).unwrap_err().contains("U+001B"));
        assert!(check("a\u{202e}b", 100).unwrap_err().contains("U+202E"));
        assert!(check("a\u{200b}b", 100).unwrap_err().contains("U+200B"));
        assert!(check("<img src=x>", 100).unwrap_err().contains("'<'"));
        assert!(check("long", 3).unwrap_err().contains("at most 3"));
    }
}
