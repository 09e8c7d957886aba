//! Spelling names, values and queries in GoogleSQL.

/// A name in backticks.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A text as a string literal.
pub(crate) fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for c in value.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '\'' => literal.push_str("\\'"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\0' => literal.push_str("\\x00"),
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// Conditions that must all hold. The first is the user's own filter; the line break keeps a comment at its end from
/// swallowing the parenthesis.
pub(crate) fn all(filter: Option<&str>, conditions: &[String]) -> String {
    let filter = filter.map(str::trim).filter(|filter| !filter.is_empty()).map(|filter| format!("({filter}\n)"));
    let all: Vec<&str> = filter.as_deref().into_iter().chain(conditions.iter().map(String::as_str)).collect();
    all.join(" AND ")
}

/// A SELECT of these expressions with all conditions.
pub(crate) fn select(list: &str, source: &str, filter: Option<&str>, conditions: &[String]) -> String {
    let restriction = all(filter, conditions);
    let place = if restriction.is_empty() { String::new() } else { format!(" WHERE {restriction}") };
    format!("SELECT {list} FROM {source} AS t{place}")
}

/// A list of columns; all of them if none is named.
pub(crate) fn columns(names: &[String]) -> String {
    if names.is_empty() {
        return "*".to_owned();
    }
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_literal() {
        assert_eq!(text("it's"), r"'it\'s'");
        assert_eq!(text("a\\' OR TRUE --\n"), r"'a\\\' OR TRUE --\n'");
        assert_eq!(quote("a`b"), r"`a\`b`");
    }

    #[test]
    fn a_comment_in_a_filter_swallows_nothing() {
        let sql = select("*", "`p.d.t`", Some(" a > 1 -- all "), &["`b` <= 2".to_owned()]);
        assert_eq!(sql, "SELECT * FROM `p.d.t` AS t WHERE (a > 1 -- all\n) AND `b` <= 2");
        assert_eq!(select("1", "x", Some(" "), &[]), "SELECT 1 FROM x AS t");
    }
}
