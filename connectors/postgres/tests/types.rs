//! Every type, with its extremes and NULL, compared with what another client prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a failed assertion is how a test fails"
)]

mod common;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, TimeUnit};
use common::{Schema, error, full, hints, rows, run, texts};
use serde_json::json;

/// A column of one type: what is stored, and what must arrive, both as the rows `1..`; a NULL row follows.
struct Case {
    declared: &'static str,
    arrow: DataType,
    /// SQL literals.
    stored: &'static [&'static str],
    /// What arrives; none where it is what PostgreSQL prints.
    arrives: Option<&'static [&'static str]>,
    json: bool,
}

fn case(declared: &'static str, arrow: DataType, stored: &'static [&'static str]) -> Case {
    Case { declared, arrow, stored, arrives: None, json: false }
}

impl Case {
    fn arrives(self, arrives: &'static [&'static str]) -> Self {
        Self { arrives: Some(arrives), ..self }
    }

    fn json(self) -> Self {
        Self { json: true, ..self }
    }
}

fn list(element: DataType) -> DataType {
    DataType::List(std::sync::Arc::new(arrow_schema::Field::new("item", element, true)))
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn cases() -> Vec<Case> {
    use DataType::{Binary, Boolean, Date32, Decimal128, Decimal256, Float32, Float64, Int16, Int32, Int64, Utf8};
    let micros = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let time = DataType::Time64(TimeUnit::Microsecond);
    vec![
        case("boolean", Boolean, &["true", "false"]).arrives(&["true", "false"]),
        case("smallint", Int16, &["-32768", "32767", "0"]),
        case("integer", Int32, &["-2147483648", "2147483647"]),
        case("bigint", Int64, &["-9223372036854775808", "9223372036854775807"]),
        case("oid", Int64, &["0", "4294967295"]),
        case("real", Float32, &["1.5", "'-0'", "3.4028235e38", "'NaN'", "'-Infinity'"]).arrives(&[
            "1.5",
            "-0.0",
            "3.4028235e38",
            "NaN",
            "-inf",
        ]),
        case("double precision", Float64, &["0.1", "1.7976931348623157e308", "5e-324", "'Infinity'"]).arrives(&[
            "0.1",
            "1.7976931348623157e308",
            "5e-324",
            "inf",
        ]),
        case("numeric(15,2)", Decimal128(15, 2), &["9999999999999.99", "-9999999999999.99", "0", "0.01", "100"]),
        case("numeric(38,10)", Decimal128(38, 10), &["9999999999999999999999999999.9999999999", "-0.0000000001", "1"]),
        case("numeric(38,0)", Decimal128(38, 0), &["99999999999999999999999999999999999999", "-1"]),
        case(
            "numeric(76,38)",
            Decimal256(76, 38),
            &[
                "99999999999999999999999999999999999999.99999999999999999999999999999999999999",
                "-0.00000000000000000000000000000000000001",
            ],
        ),
        case("numeric(5,-2)", Decimal128(7, 0), &["1234567", "-99"]).arrives(&["1234600", "-100"]),
        case("numeric(2,4)", Decimal128(4, 4), &["0.0099", "-0.0001"]),
        case(
            "numeric",
            Utf8,
            &["1.50", "-0.000000001", "1e50", "'NaN'", "'-Infinity'", "123456789012345678901234567890.12"],
        ),
        case("numeric(100,2)", Utf8, &["1e97", "-0.10"]),
        case("money", Decimal128(19, 2), &["'92233720368547758.07'", "'-92233720368547758.08'", "12.5"]).arrives(&[
            "92233720368547758.07",
            "-92233720368547758.08",
            "12.50",
        ]),
        case("text", Utf8, &["''", "'äöü € 𝄞'", "'a''b\\\\c'", "E'tab\\tline\\n'"]).arrives(&[
            "",
            "äöü € 𝄞",
            "a'b\\\\c",
            "tab\tline\n",
        ]),
        case("varchar(10)", Utf8, &["'abc'"]),
        case("char(5)", Utf8, &["'ab'"]).arrives(&["ab   "]),
        case("\"char\"", Utf8, &["'x'"]),
        case("name", Utf8, &["'pg_class'"]),
        case("json", Utf8, &["'{\"a\":  [1, null]}'", "'null'"]).json(),
        case("jsonb", Utf8, &["'{\"b\": 1, \"a\": [1, null]}'", "'\"x\"'"]).json(),
        case("xml", Utf8, &["'<a b=\"c\">ä</a>'"]),
        case("bytea", Binary, &["'\\x00ff10'", "''"]).arrives(&["00ff10", ""]),
        case("date", Date32, &["'0001-01-01'", "'9999-12-31'", "'1970-01-01'", "'2024-02-29'"]),
        case("timestamp", micros(None), &["'1999-12-31 23:59:59.999999'", "'0001-01-01'"])
            .arrives(&["1999-12-31T23:59:59.999999", "0001-01-01T00:00:00"]),
        case("timestamp(0)", micros(None), &["'2024-01-01 12:00:00'"]).arrives(&["2024-01-01T12:00:00"]),
        case("timestamptz", micros(Some("UTC")), &["'2024-06-01 12:00:00.5+02'", "'9999-12-31 23:59:59.999999+00'"])
            .arrives(&["2024-06-01T10:00:00.500Z", "9999-12-31T23:59:59.999999Z"]),
        case("time", time, &["'00:00'", "'23:59:59.999999'", "'24:00'"]).arrives(&[
            "00:00:00",
            "23:59:59.999999",
            "23:59:59.999999",
        ]),
        case("timetz", Utf8, &["'12:30:00.5-08'"]),
        case("interval", Utf8, &["'1 year 2 months 3 days 04:05:06.789'", "'-1 day'", "'0'"]),
        case("uuid", Utf8, &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"]),
        case("inet", Utf8, &["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"]),
        case("cidr", Utf8, &["'10.0.0.0/8'"]),
        case("macaddr", Utf8, &["'08:00:2b:01:02:03'"]),
        case("macaddr8", Utf8, &["'08:00:2b:01:02:03:04:05'"]),
        case("bit(3)", Utf8, &["B'101'"]),
        case("varbit", Utf8, &["B''", "B'10101'"]),
        case("point", Utf8, &["'(1,2.5)'"]),
        case("polygon", Utf8, &["'((0,0),(1,1),(1,0))'"]),
        case("circle", Utf8, &["'<(1,1),2>'"]),
        case("tsvector", Utf8, &["'a fat cat'"]),
        case("tsquery", Utf8, &["'fat & cat'"]),
        case("pg_lsn", Utf8, &["'16/B374D848'"]),
        case("regclass", Utf8, &["'pg_class'"]),
        case("xid8", Utf8, &["'18446744073709551615'"]),
        case("int4range", Utf8, &["'[1,10)'", "'empty'", "'(,5]'"]),
        case("tstzrange", Utf8, &["'[2024-01-01 00:00+00,)'"]),
        case("int4multirange", Utf8, &["'{[1,3),[5,8)}'"]),
        case("jsonpath", Utf8, &["'$.a[*]'"]),
        case("$S.mood", Utf8, &["'happy'", "'so so'"]),
        case("$S.price", Decimal128(10, 2), &["12.5"]).arrives(&["12.50"]),
        case("$S.low_price", Decimal128(10, 2), &["12.5"]).arrives(&["12.50"]),
        case("$S.pair", Utf8, &["(1, 'a,\"b')", "(NULL, NULL)"])
            .arrives(&[r#"{"a":1,"b":"a,\"b"}"#, r#"{"a":null,"b":null}"#])
            .json(),
        case("integer[]", list(Int32), &["'{1,NULL,3}'", "'{}'", "'[5:6]={7,8}'"])
            .arrives(&["[1, , 3]", "[]", "[7, 8]"]),
        case("text[]", list(Utf8), &["ARRAY['a','',NULL,'{x}']"]).arrives(&["[a, , , {x}]"]),
        case("numeric(6,2)[]", list(Decimal128(6, 2)), &["'{1.5,NULL}'"]).arrives(&["[1.50, ]"]),
        case("timestamptz[]", list(micros(Some("UTC"))), &["'{2024-01-01 00:00+00}'"])
            .arrives(&["[2024-01-01T00:00:00Z]"]),
        case("interval[]", list(Utf8), &["'{1 day,NULL}'"]).arrives(&["[P1D, ]"]),
        case("inet[]", list(Utf8), &["'{10.0.0.1/8}'"]).arrives(&["[10.0.0.1/8]"]),
        case("$S.mood[]", list(Utf8), &["'{happy,\"so so\"}'"]).arrives(&["[happy, so so]"]),
        case("$S.price[]", list(Decimal128(10, 2)), &["'{1,2.5}'"]).arrives(&["[1.00, 2.50]"]),
        case("integer[][]", Utf8, &["'{{1,2},{3,NULL}}'", "'{}'"]).arrives(&["[[1,2],[3,null]]", "[]"]).json(),
        case("$S.pair[]", Utf8, &["ARRAY[(1,'x')::$S.pair]"]).arrives(&[r#"[{"a":1,"b":"x"}]"#]).json(),
        case("$S.numbers", list(Int32), &["'{1,2}'"]).arrives(&["[1, 2]"]),
        case("int2vector", list(Int16), &["'1 2 3'"]).arrives(&["[1, 2, 3]"]),
        case("citext", Utf8, &["'Straße'"]),
        case("hstore", Utf8, &["'a=>1, b=>NULL'"]),
    ]
}

#[test]
fn every_type_arrives_as_the_table_says() {
    let schema = Schema::new("types");
    schema.sql(
        "CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
         CREATE TYPE $S.mood AS ENUM ('happy', 'so so'); CREATE DOMAIN $S.price AS numeric(10,2) CHECK (VALUE > 0);
         CREATE DOMAIN $S.low_price AS $S.price CHECK (VALUE < 100); CREATE TYPE $S.pair AS (a int, b text);
         CREATE DOMAIN $S.numbers AS int[]",
    );
    let cases = cases();
    let columns: Vec<_> = cases.iter().enumerate().map(|(i, case)| format!("c{i} {}", case.declared)).collect();
    schema.sql(&format!("CREATE TABLE $S.t (row int, {})", columns.join(", ")));
    let rows_wanted = cases.iter().map(|case| case.stored.len()).max().unwrap() + 1;
    for row in 0..rows_wanted {
        let values: Vec<_> = cases.iter().map(|case| case.stored.get(row).copied().unwrap_or("NULL")).collect();
        schema.sql(&format!("INSERT INTO $S.t VALUES ({row}, {})", values.join(", ")));
    }
    let batches = rows(full(&schema.id("t"))).unwrap();
    let mut wrong = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        if let Err(message) = compare(&schema, &batches, index, case) {
            wrong.push(message);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(schema: &Schema, batches: &[RecordBatch], index: usize, case: &Case) -> Result<(), String> {
    let name = format!("c{index}");
    let field = batches[0].schema_ref().field_with_name(&name).unwrap().clone();
    let declared = case.declared;
    if field.data_type() != &case.arrow {
        return Err(format!("{declared}: is {}, not {}", field.data_type(), case.arrow));
    }
    let marked = field.metadata().get("sluice:logical-type").is_some_and(|logical| logical == "json");
    if marked != case.json {
        return Err(format!("{declared}: marked as JSON: {marked}"));
    }
    if !field.metadata().contains_key("sluice:source-type") {
        return Err(format!("{declared}: no source type"));
    }
    let printed = || {
        schema.sql(&format!(
            "SET search_path = pg_catalog; SELECT {name} FROM $S.t WHERE row < {} ORDER BY row",
            case.stored.len()
        ))
    };
    let mut expected: Vec<_> = match case.arrives {
        Some(arrives) => arrives.iter().map(|text| Some((*text).to_owned())).collect(),
        None => printed().into_iter().map(Some).collect(),
    };
    let got = texts(batches, &name);
    expected.resize(got.len(), None);
    if got == expected { Ok(()) } else { Err(format!("{declared}: {got:?}, not {expected:?}")) }
}

#[test]
fn infinite_dates_become_what_the_configuration_says() {
    let schema = Schema::new("infinity");
    schema.sql(
        "CREATE TABLE $S.t (d date NOT NULL, t timestamp NOT NULL, z timestamptz NOT NULL);
         INSERT INTO $S.t VALUES ('infinity', 'infinity', 'infinity'), ('-infinity', '-infinity', '-infinity')",
    );
    let read = |policy: &str| {
        let (_, batches) = run(&json!({ "infinity": policy }), full(&schema.id("t")), hints()).unwrap();
        ["d", "t", "z"].map(|column| texts(&batches, column))
    };
    let some = |a: &str, b: &str| vec![Some(a.to_owned()), Some(b.to_owned())];
    assert_eq!(
        read("clamp"),
        [
            some("9999-12-31", "0001-01-01"),
            some("9999-12-31T23:59:59.999999", "0001-01-01T00:00:00"),
            some("9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"),
        ]
    );
    assert_eq!(read("null"), [vec![None, None], vec![None, None], vec![None, None]]);
    let error = error(&json!({ "infinity": "fail" }), full(&schema.id("t")));
    assert!(error.message.starts_with("column d: a value is infinite"), "{error}");
    assert_eq!(error.field.as_deref(), Some("/infinity"));
}

#[test]
fn nan_in_a_decimal_fails_or_becomes_null() {
    let schema = Schema::new("nan");
    schema.sql("CREATE TABLE $S.t (n numeric(10,2) NOT NULL, a numeric(10,2)[]); INSERT INTO $S.t VALUES (1, NULL), ('NaN', '{NaN,2}')");
    let error = error(&json!({}), full(&schema.id("t")));
    assert!(error.message.starts_with("column n: a value is NaN or infinite"), "{error}");
    assert_eq!((error.field.as_deref(), error.stream), (Some("/numeric_special"), Some(schema.id("t"))));
    let (_, batches) = run(&json!({ "numeric_special": "null" }), full(&schema.id("t")), hints()).unwrap();
    assert_eq!(texts(&batches, "n"), [Some("1.00".to_owned()), None]);
    assert_eq!(texts(&batches, "a"), [None, Some("[, 2.00]".to_owned())]);
}

#[test]
fn an_array_of_more_dimensions_than_declared_is_explained() {
    let schema = Schema::new("dimensions");
    schema.sql("CREATE TABLE $S.t (a int[]); INSERT INTO $S.t VALUES ('{{1,2},{3,4}}')");
    let error = error(&json!({}), full(&schema.id("t")));
    assert!(error.message.contains("column a") && error.message.contains("Set `arrays` to json"), "{error}");
    let (_, batches) = run(&json!({ "arrays": "json" }), full(&schema.id("t")), hints()).unwrap();
    assert_eq!(texts(&batches, "a"), [Some("[[1,2],[3,4]]".to_owned())]);
}

#[test]
fn rows_far_larger_than_a_batch_arrive_whole() {
    let schema = Schema::new("large");
    schema.sql("CREATE TABLE $S.t (id int, v text); INSERT INTO $S.t SELECT i, repeat(md5(i::text), 40000 * i) FROM generate_series(1, 5) i");
    let batches = rows(full(&schema.id("t"))).unwrap();
    let lengths: Vec<_> = texts(&batches, "v").into_iter().map(|text| text.unwrap().len()).collect();
    assert_eq!(lengths, [1, 2, 3, 4, 5].map(|i| i * 32 * 40000));
}

#[test]
fn not_null_columns_are_required_and_generated_ones_are_read() {
    let schema = Schema::new("nullable");
    schema.sql("CREATE TABLE $S.t (id int PRIMARY KEY, a int NOT NULL, b int, g int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO $S.t VALUES (1, 2, NULL)");
    let batches = rows(full(&schema.id("t"))).unwrap();
    let nullable: Vec<_> = batches[0].schema().fields().iter().map(|field| field.is_nullable()).collect();
    assert_eq!(nullable, [false, false, true, true]);
    assert_eq!(texts(&batches, "g"), [Some("4".to_owned())]);
}
