//! The statements that are sent, and the names in them. Pure.

use google_cloud_bigquery_v2::model::TableFieldSchema;
use jiff::civil::Date;
use sluice_core::load::{FILE_COLUMN, SNAPSHOT_DATE_COLUMN, TableName};

use super::schema::canonical;

/// A name in backquotes.
pub(crate) fn identifier(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('`', "\\`");
    format!("`{escaped}`")
}

/// A table's whole name.
pub(crate) fn qualified(project: &str, table: &TableName) -> String {
    [project, &table.dataset, &table.table].map(identifier).join(".")
}

/// A staging table whose rows go into the table.
pub(crate) struct Staged {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<TableFieldSchema>,
}

/// What a commit takes out of the table.
#[derive(Clone, Copy)]
pub(crate) enum Replaced<'a> {
    /// Nothing.
    Nothing,
    /// The rows of a snapshot's day.
    Day(Date),
    /// The rows of the files that these staging tables name, each with how many names it holds.
    Files(&'a [(TableName, u64)]),
}

/// The one script by which staged rows become visible.
///
/// It is a transaction, so it is seen whole or not at all, and it asserts its own row count, so that it rolls back
/// rather than commit another number of rows than was staged, or replace other files than were named.
pub(crate) fn swap_script(
    project: &str,
    table: &TableName,
    target: &[TableFieldSchema],
    staged: &[Staged],
    replaced: Replaced<'_>,
    rows: u64,
) -> String {
    let target_name = qualified(project, table);
    let mut script = String::from("BEGIN TRANSACTION;\n");
    let day = match replaced {
        Replaced::Nothing => None,
        Replaced::Day(date) => {
            let column = identifier(SNAPSHOT_DATE_COLUMN);
            script.push_str(&format!("DELETE FROM {target_name} WHERE {column} = DATE '{date}';\n"));
            Some(date)
        }
        Replaced::Files(names) => {
            for (table, count) in names {
                delete_files(&mut script, &target_name, &qualified(project, table), *count);
            }
            None
        }
    };
    if let Some(first) = staged.first() {
        let mut names: Vec<_> = first.columns.iter().map(|c| identifier(&c.name)).collect();
        if day.is_some() {
            names.push(identifier(SNAPSHOT_DATE_COLUMN));
        }
        let selects: Vec<_> = staged.iter().map(|staged| select(project, target, staged, day)).collect();
        script.push_str(&format!("INSERT INTO {target_name} ({})\n", names.join(", ")));
        script.push_str(&selects.join("\nUNION ALL\n"));
        script.push_str(";\n");
        script.push_str(&format!(
            "ASSERT @@row_count = {rows} AS 'the staged rows are not the {rows} that were sent';\n"
        ));
    }
    script.push_str("COMMIT TRANSACTION;");
    script
}

/// Deletes the rows of the files that a table names, if it names as many as were sent.
fn delete_files(script: &mut String, target: &str, names: &str, count: u64) {
    let column = identifier(FILE_COLUMN);
    script.push_str(&format!(
        "ASSERT (SELECT COUNT(*) FROM {names}) = {count} AS 'the staged names are not the {count} that were sent';\n\
         DELETE FROM {target} WHERE {column} IN (SELECT {column} FROM {names});\n"
    ));
}

fn select(project: &str, target: &[TableFieldSchema], staged: &Staged, replaced: Option<Date>) -> String {
    let mut columns: Vec<_> = staged
        .columns
        .iter()
        .map(|column| {
            let name = identifier(&column.name);
            let into = target.iter().find(|t| t.name.eq_ignore_ascii_case(&column.name));
            match into {
                Some(into) if differs(column, into) => format!("{} AS {name}", convert(&name, column, into, 0)),
                _ => name,
            }
        })
        .collect();
    if let Some(date) = replaced {
        columns.push(format!("DATE '{date}' AS {}", identifier(SNAPSHOT_DATE_COLUMN)));
    }
    format!("SELECT {} FROM {}", columns.join(", "), qualified(project, &staged.name))
}

/// Whether a staged value has to be converted: JSON and GEOGRAPHY are staged as text.
fn differs(from: &TableFieldSchema, into: &TableFieldSchema) -> bool {
    let (has, wants) = (canonical(&from.r#type), canonical(&into.r#type));
    if has == "RECORD" && wants == "RECORD" {
        return from.fields.len() != into.fields.len()
            || from
                .fields
                .iter()
                .zip(&into.fields)
                .any(|(f, i)| !f.name.eq_ignore_ascii_case(&i.name) || differs(f, i));
    }
    has != wants
}

fn convert(expression: &str, from: &TableFieldSchema, into: &TableFieldSchema, depth: usize) -> String {
    if from.mode == "REPEATED" {
        let (item, at) = (format!("e{depth}"), format!("o{depth}"));
        let inner = convert_one(&item, from, into, depth + 1);
        return format!("ARRAY(SELECT {inner} FROM UNNEST({expression}) AS {item} WITH OFFSET AS {at} ORDER BY {at})");
    }
    convert_one(expression, from, into, depth)
}

fn convert_one(expression: &str, from: &TableFieldSchema, into: &TableFieldSchema, depth: usize) -> String {
    match canonical(&into.r#type) {
        "JSON" => format!("PARSE_JSON({expression}, wide_number_mode => 'round')"),
        "GEOGRAPHY" => format!("ST_GEOGFROMTEXT({expression})"),
        "RECORD" => {
            let parts: Vec<_> = into.fields.iter().map(|field| part(expression, from, field, depth)).collect();
            format!("IF({expression} IS NULL, NULL, STRUCT({}))", parts.join(", "))
        }
        "FLOAT" => format!("CAST({expression} AS FLOAT64)"),
        other @ ("NUMERIC" | "BIGNUMERIC" | "STRING") => format!("CAST({expression} AS {other})"),
        _ => expression.to_owned(),
    }
}

/// A record is matched by position, so it is built in the table's order, with NULL for what the load does not have.
fn part(expression: &str, from: &TableFieldSchema, into: &TableFieldSchema, depth: usize) -> String {
    let name = identifier(&into.name);
    match from.fields.iter().find(|f| f.name.eq_ignore_ascii_case(&into.name)) {
        None => format!("NULL AS {name}"),
        Some(field) => {
            let inner = format!("{expression}.{}", identifier(&field.name));
            let value = if differs(field, into) { convert(&inner, field, into, depth) } else { inner };
            format!("{value} AS {name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str, mode: &str) -> TableFieldSchema {
        TableFieldSchema::new().set_name(name).set_type(kind).set_mode(mode)
    }

    fn table(name: &str) -> TableName {
        TableName { dataset: "d".into(), table: name.into() }
    }

    #[test]
    fn a_snapshot_replaces_its_day_in_one_transaction_that_counts() {
        let staged = [Staged { name: table("s"), columns: vec![column("a", "INTEGER", "NULLABLE")] }];
        let target = [column("a", "INTEGER", "NULLABLE"), column("snapshot_date", "DATE", "REQUIRED")];
        let script = swap_script("p", &table("t"), &target, &staged, Replaced::Day(jiff::civil::date(2026, 1, 2)), 7);
        let expected = "BEGIN TRANSACTION;\n\
            DELETE FROM `p`.`d`.`t` WHERE `snapshot_date` = DATE '2026-01-02';\n\
            INSERT INTO `p`.`d`.`t` (`a`, `snapshot_date`)\n\
            SELECT `a`, DATE '2026-01-02' AS `snapshot_date` FROM `p`.`d`.`s`;\n\
            ASSERT @@row_count = 7 AS 'the staged rows are not the 7 that were sent';\n\
            COMMIT TRANSACTION;";
        assert_eq!(script, expected);
    }

    #[test]
    fn files_are_replaced_by_their_names_in_one_transaction_that_counts() {
        let staged = [Staged { name: table("s"), columns: vec![column("a", "INTEGER", "NULLABLE")] }];
        let names = [(table("n"), 2)];
        let script = swap_script("p", &table("t"), &[], &staged, Replaced::Files(&names), 7);
        let expected = "BEGIN TRANSACTION;\n\
            ASSERT (SELECT COUNT(*) FROM `p`.`d`.`n`) = 2 AS 'the staged names are not the 2 that were sent';\n\
            DELETE FROM `p`.`d`.`t` WHERE `_sluice_file` IN (SELECT `_sluice_file` FROM `p`.`d`.`n`);\n\
            INSERT INTO `p`.`d`.`t` (`a`)\n\
            SELECT `a` FROM `p`.`d`.`s`;\n\
            ASSERT @@row_count = 7 AS 'the staged rows are not the 7 that were sent';\n\
            COMMIT TRANSACTION;";
        assert_eq!(script, expected);
    }

    #[test]
    fn an_empty_snapshot_still_empties_its_day() {
        let script = swap_script("p", &table("t"), &[], &[], Replaced::Day(jiff::civil::date(2026, 1, 2)), 0);
        assert!(script.contains("DELETE FROM") && !script.contains("INSERT"), "{script}");
    }

    #[test]
    fn text_becomes_json_wherever_it_is_nested() {
        let from = column("r", "RECORD", "NULLABLE").set_fields([column("j", "STRING", "REPEATED")]);
        let into = column("r", "RECORD", "NULLABLE").set_fields([column("j", "JSON", "REPEATED")]);
        let sql = convert("`r`", &from, &into, 0);
        let expected = "IF(`r` IS NULL, NULL, STRUCT(ARRAY(SELECT PARSE_JSON(e0, wide_number_mode => 'round') \
            FROM UNNEST(`r`.`j`) AS e0 WITH OFFSET AS o0 ORDER BY o0) AS `j`))";
        assert_eq!(sql, expected);
    }

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(identifier("a`b\\"), "`a\\`b\\\\`");
    }
}
