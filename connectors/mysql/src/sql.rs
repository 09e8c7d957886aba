//! Names and values in SQL text. Sessions have an empty `sql_mode` and speak utf8mb4, which the rules here rely on.

/// A name of a table or column.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text value.
pub(crate) fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('\'');
    for c in value.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// Text values with commas between them.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    values.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_name_or_a_text_early() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(text("it's \\ \0"), "'it''s \\\\ \\0'");
        assert_eq!(texts(["a", "b"]), "'a', 'b'");
    }
}
