//! Stream ids of tables: `schema.table`, with double quotes where a name would make that ambiguous.

/// The id of a table in a schema.
pub fn join(schema: &str, table: &str) -> String {
    format!("{}.{}", part(schema), part(table))
}

/// Schema and table of an id; none if it is no id.
pub fn split(id: &str) -> Option<(String, String)> {
    let (schema, rest) = take(id)?;
    let (table, rest) = take(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some((schema, table))
}

/// A name as it stands in an id: as it is, unless it is empty or holds a dot or a double quote.
fn part(name: &str) -> String {
    if name.is_empty() || name.contains(['.', '"']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

fn take(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let (name, _) = text.split_once('.').unwrap_or((text, ""));
        return (!name.is_empty() && !name.contains('"'))
            .then(|| (name.to_owned(), text.get(name.len()..).unwrap_or("")));
    };
    let mut name = String::new();
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_names_whatever_they_hold() {
        let names = ["orders", "Order Items", "a.b", "say \"hi\"", ".", "\"", "\".\"", "", "ä", "a b"];
        let mut seen = std::collections::HashSet::new();
        for schema in names {
            for table in names {
                let id = join(schema, table);
                assert_eq!(split(&id), Some((schema.to_owned(), table.to_owned())), "{id}");
                assert!(seen.insert(id));
            }
        }
    }

    #[test]
    fn common_names_need_no_quotes() {
        assert_eq!(join("public", "Order Items"), "public.Order Items");
        assert_eq!(join("public", "a.b"), "public.\"a.b\"");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for id in ["", "orders", "a.", ".b", "a.b.c", "\"a.b", "\"a\"b.c", "a.\"b\"c"] {
            assert_eq!(split(id), None, "{id}");
        }
    }
}
