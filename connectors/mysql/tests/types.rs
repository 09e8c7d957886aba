//! Every type, with its extremes and NULL, on both servers, compared with what another client prints.

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
use arrow_schema::{DataType, Field, TimeUnit};
use common::{Database, SERVERS, Server, full, hints, texts};
use serde_json::json;

/// A column of one type: what is stored, and what must arrive, both as the rows `1..`; a NULL row follows.
struct Case {
    declared: &'static str,
    arrow: DataType,
    /// SQL literals.
    stored: &'static [&'static str],
    /// What arrives; none where it is what the other client prints.
    arrives: Option<&'static [&'static str]>,
    json: bool,
    /// Where there is such a type.
    only: Option<Server>,
}

fn case(declared: &'static str, arrow: DataType, stored: &'static [&'static str]) -> Case {
    Case { declared, arrow, stored, arrives: None, json: false, only: None }
}

impl Case {
    fn arrives(self, arrives: &'static [&'static str]) -> Self {
        Self { arrives: Some(arrives), ..self }
    }

    fn json(self) -> Self {
        Self { json: true, ..self }
    }

    fn only(self, server: Server) -> Self {
        Self { only: Some(server), ..self }
    }
}

fn micros(zone: Option<&str>) -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into))
}

fn numbers() -> Vec<Case> {
    use DataType::{
        Boolean, Decimal128, Decimal256, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64,
    };
    vec![
        case("tinyint", Int8, &["-128", "127", "0"]),
        case("tinyint(1)", Int8, &["0", "1", "-5"]),
        case("boolean", Int8, &["true", "false"]),
        case("tinyint unsigned", UInt8, &["0", "255"]),
        case("smallint", Int16, &["-32768", "32767"]),
        case("smallint unsigned", UInt16, &["0", "65535"]),
        case("mediumint", Int32, &["-8388608", "8388607"]),
        case("mediumint unsigned", UInt32, &["0", "16777215"]),
        case("int", Int32, &["-2147483648", "2147483647"]),
        case("int unsigned", UInt32, &["0", "4294967295"]),
        case("int(5) zerofill", UInt32, &["7"]).arrives(&["7"]),
        case("bigint", Int64, &["-9223372036854775808", "9223372036854775807"]),
        case("bigint unsigned", UInt64, &["0", "18446744073709551615", "9223372036854775808"]),
        case("year", UInt16, &["1901", "2155", "0"]).arrives(&["1901", "2155", "0"]),
        case("float", Float32, &["1.5", "-3.4028234e38", "0.1", "16777216"]).arrives(&[
            "1.5",
            "-3.4028235e38",
            "0.1",
            "16777216.0",
        ]),
        case("double", Float64, &["0.1", "-1.7976931348623157e308", "2.2250738585072014e-308"]).arrives(&[
            "0.1",
            "-1.7976931348623157e308",
            "2.2250738585072014e-308",
        ]),
        case("decimal(15,2)", Decimal128(15, 2), &["9999999999999.99", "-9999999999999.99", "0", "0.01", "100"]),
        case("decimal(15,2) unsigned", Decimal128(15, 2), &["9999999999999.99"]),
        case("decimal", Decimal128(10, 0), &["9999999999", "-1"]),
        case("decimal(38,10)", Decimal128(38, 10), &["9999999999999999999999999999.9999999999", "-0.0000000001", "1"]),
        case(
            "decimal(30,30)",
            Decimal128(30, 30),
            &["0.999999999999999999999999999999", "-0.000000000000000000000000000001"],
        )
        .arrives(&["0.999999999999999999999999999999", "-0.000000000000000000000000000001"]),
        case(
            "decimal(65,30)",
            Decimal256(65, 30),
            &[
                "99999999999999999999999999999999999.999999999999999999999999999999",
                "-99999999999999999999999999999999999.999999999999999999999999999999",
                "0.000000000000000000000000000001",
                "12.5",
            ],
        ),
        case(
            "decimal(65,0)",
            Decimal256(65, 0),
            &["99999999999999999999999999999999999999999999999999999999999999999"],
        ),
        case("bit(1)", Boolean, &["b'1'", "b'0'"]).arrives(&["true", "false"]),
        case("bit(10)", UInt64, &["b'1111111111'", "b'0'", "b'100000001'"]).arrives(&["1023", "0", "257"]),
        case("bit(64)", UInt64, &["18446744073709551615"]).arrives(&["18446744073709551615"]),
    ]
}

fn texts_and_bytes() -> Vec<Case> {
    use DataType::{Binary, Utf8};
    vec![
        case("char(5)", Utf8, &["'ab'", "''", "'äöü€𝄞'"]),
        case("varchar(30)", Utf8, &["'it''s \\\\ 100%'", "' blanks '", "'𝄞 grüße'"]),
        case("varchar(30) character set latin1", Utf8, &["'grüße €'"]),
        case("varchar(30) character set utf16", Utf8, &["'𝄞 grüße'"]),
        case("varchar(30) character set cp1251", Utf8, &["'привет'"]),
        case("varchar(30) character set sjis", Utf8, &["'日本'"]),
        case("tinytext", Utf8, &["'x'"]),
        case("text", Utf8, &["'a\\nb\\tc'"]).arrives(&["a\nb\tc"]),
        case("mediumtext", Utf8, &["repeat('x', 300)"]),
        case("longtext", Utf8, &["repeat('ä', 40000)"]),
        case("enum('a','b,c','it''s','größe') character set latin1", Utf8, &["'b,c'", "'it''s'", "'größe'", "1"]),
        case("set('x','y','z')", Utf8, &["'x,z'", "''", "'x,y,z'"]),
        case("binary(4)", Binary, &["x'00ff10'", "'ab'"]).arrives(&["00ff1000", "61620000"]),
        case("varbinary(10)", Binary, &["x'00ff10'", "''", "x'27225c00'"]).arrives(&["00ff10", "", "27225c00"]),
        case("tinyblob", Binary, &["x'ff'"]).arrives(&["ff"]),
        case("blob", Binary, &["x'00'"]).arrives(&["00"]),
        case("mediumblob", Binary, &["x'0a0d'"]).arrives(&["0a0d"]),
        case("longblob", Binary, &["x'c3'"]).arrives(&["c3"]),
        case("json", Utf8, &["'{\"a\": [1, null, \"ä\"]}'", "'null'", "'\"x\"'", "'1.5'"]).json(),
        case("uuid", Utf8, &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]).only(Server::Mariadb),
        case("inet6", Utf8, &["'::1'", "'2001:db8::ff00:42:8329'"]).only(Server::Mariadb),
        case("inet4", Utf8, &["'192.0.2.1'"]).only(Server::Mariadb),
        case(
            "vector(3)",
            DataType::List(std::sync::Arc::new(Field::new("item", DataType::Float32, false))),
            &["string_to_vector('[1.5,-2,0.25]')", "string_to_vector('[1]')"],
        )
        .arrives(&["[1.5, -2.0, 0.25]", "[1.0]"])
        .only(Server::Mysql),
    ]
}

fn times_and_shapes() -> Vec<Case> {
    use DataType::{Binary, Date32, Utf8};
    vec![
        case("date", Date32, &["'1000-01-01'", "'9999-12-31'", "'1970-01-01'", "'2024-02-29'", "'0001-01-01'"]),
        case("datetime", micros(None), &["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"])
            .arrives(&["1000-01-01T00:00:00", "9999-12-31T23:59:59"]),
        case("datetime(6)", micros(None), &["'1969-12-31 23:59:59.999999'", "'2024-01-01'"])
            .arrives(&["1969-12-31T23:59:59.999999", "2024-01-01T00:00:00"]),
        case("datetime(3)", micros(None), &["'2024-06-01 12:00:00.123'"]).arrives(&["2024-06-01T12:00:00.123"]),
        case("timestamp null", micros(Some("UTC")), &["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"])
            .arrives(&["1970-01-01T00:00:01Z", "2038-01-19T03:14:07Z"]),
        case("timestamp(6) null", micros(Some("UTC")), &["'2024-06-01 12:00:00.000001'"])
            .arrives(&["2024-06-01T12:00:00.000001Z"]),
        case("time", Utf8, &["'00:00:00'", "'-838:59:59'", "'838:59:59'", "'23:59:59'", "'100:00:00'"]),
        case("time(6)", Utf8, &["'-838:59:58.999999'", "'00:00:00.000001'", "'0'"]),
        case("time(2)", Utf8, &["'-00:00:00.01'", "'24:00:00.5'"]),
        case("point", Binary, &["ST_GeomFromText('POINT(1 2)')"])
            .arrives(&["0101000000000000000000f03f0000000000000040"]),
        case("geometry", Binary, &["ST_GeomFromText('LINESTRING(0 0,1 1)')"])
            .arrives(&["01020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f"]),
    ]
}

#[test]
fn every_type_arrives_as_the_table_says() {
    for server in SERVERS {
        let database = server.database("types");
        let all: Vec<_> = [numbers(), texts_and_bytes(), times_and_shapes()].into_iter().flatten().collect();
        let cases: Vec<_> = all.iter().filter(|case| case.only.is_none_or(|only| only == server)).collect();
        let columns: Vec<_> = cases.iter().enumerate().map(|(i, case)| format!("c{i} {}", case.declared)).collect();
        database.sql(&format!("CREATE TABLE t (nr int, {})", columns.join(", ")));
        let rows_wanted = cases.iter().map(|case| case.stored.len()).max().unwrap() + 1;
        for row in 0..rows_wanted {
            let values: Vec<_> = cases.iter().map(|case| case.stored.get(row).copied().unwrap_or("NULL")).collect();
            database.sql(&format!("INSERT INTO t VALUES ({row}, {})", values.join(", ")));
        }
        let batches = server.rows(full(&database.id("t"))).unwrap();
        let wrong: Vec<_> =
            cases.iter().enumerate().filter_map(|(i, case)| compare(&database, &batches, i, case).err()).collect();
        assert!(wrong.is_empty(), "{server:?}:\n{}", wrong.join("\n"));
    }
}

fn compare(database: &Database, batches: &[RecordBatch], index: usize, case: &Case) -> Result<(), String> {
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
    let printed = || database.sql(&format!("SELECT {name} FROM t WHERE nr < {} ORDER BY nr", case.stored.len()));
    let mut expected: Vec<_> = match case.arrives {
        Some(arrives) => arrives.iter().map(|text| Some((*text).to_owned())).collect(),
        None => printed().into_iter().map(Some).collect(),
    };
    let got = texts(batches, &name);
    expected.resize(got.len(), None);
    if got == expected { Ok(()) } else { Err(format!("{declared}: {got:?}, not {expected:?}")) }
}

#[test]
fn dates_that_are_none_become_null_or_fail() {
    for server in SERVERS {
        let database = server.database("zero");
        database.sql(
            "CREATE TABLE t (d date NOT NULL, s datetime(6) NOT NULL, z timestamp NOT NULL);
             SET sql_mode = 'ALLOW_INVALID_DATES';
             INSERT INTO t VALUES ('0000-00-00', '0000-00-00', '0000-00-00'), ('2024-00-10', '2024-02-30 10:00:00', '2024-01-01')",
        );
        let (plan, batches) = server.run(&json!({}), full(&database.id("t")), hints()).unwrap();
        assert!(plan.streams[0].schema.fields().iter().all(|field| field.is_nullable()));
        assert_eq!(texts(&batches, "d"), [None, None]);
        assert_eq!(texts(&batches, "s"), [None, None]);
        assert_eq!(texts(&batches, "z"), [None, Some("2024-01-01T00:00:00Z".to_owned())]);
        let error = server.error(&json!({ "zero_dates": "fail" }), full(&database.id("t")));
        assert!(error.message.starts_with("column d: a value is a date that is none"), "{error}");
        assert_eq!((error.field.as_deref(), error.stream), (Some("/zero_dates"), Some(database.id("t"))));
    }
}

#[test]
fn a_tinyint_of_width_one_can_be_a_truth_value() {
    for server in SERVERS {
        let database = server.database("truth");
        database.sql("CREATE TABLE t (id int, b tinyint(1), u tinyint unsigned); INSERT INTO t VALUES (1, 1, 1), (2, 0, 2), (3, NULL, 3)");
        let changes = json!({ "tinyint1": "boolean" });
        let (plan, batches) = server.run(&changes, full(&database.id("t")), hints()).unwrap();
        assert_eq!(plan.streams[0].schema.field(1).data_type(), &DataType::Boolean);
        assert_eq!(plan.streams[0].schema.field(2).data_type(), &DataType::UInt8);
        assert_eq!(texts(&batches, "b"), [Some("true".to_owned()), Some("false".to_owned()), None]);
        database.sql("INSERT INTO t VALUES (4, 2, 0)");
        let error = server.error(&changes, full(&database.id("t")));
        assert!(error.message.contains("column b") && error.message.contains("Set `tinyint1` to integer"), "{error}");
    }
}

#[test]
fn a_time_can_be_a_time_of_day() {
    for server in SERVERS {
        let database = server.database("times");
        database.sql(
            "CREATE TABLE t (id int, t time(3)); INSERT INTO t VALUES (1, '23:59:59.999'), (2, NULL), (3, '00:00:00')",
        );
        let changes = json!({ "times": "time-of-day" });
        let (_, batches) = server.run(&changes, full(&database.id("t")), hints()).unwrap();
        assert_eq!(texts(&batches, "t"), [Some("23:59:59.999".to_owned()), None, Some("00:00:00".to_owned())]);
        database.sql("INSERT INTO t VALUES (4, '24:00:00')");
        let error = server.error(&changes, full(&database.id("t")));
        assert!(error.message.contains("Set `times` to text"), "{error}");
    }
}

#[test]
fn geometries_can_be_text_with_the_longitude_first() {
    for server in SERVERS {
        let database = server.database("shapes");
        let srid = if server == Server::Mysql { "SRID 4326" } else { "" };
        let point =
            if server == Server::Mysql { "ST_GeomFromText('POINT(52.5 13.4)', 4326)" } else { "POINT(13.4, 52.5)" };
        database.sql(&format!(
            "CREATE TABLE t (p point {srid}, g geometry); INSERT INTO t VALUES ({point}, POINT(1, 2)), (NULL, NULL)"
        ));
        let (_, batches) = server.run(&json!({ "geometries": "wkt" }), full(&database.id("t")), hints()).unwrap();
        assert_eq!(texts(&batches, "p"), [Some("POINT(13.4 52.5)".to_owned()), None]);
        assert_eq!(texts(&batches, "g"), [Some("POINT(1 2)".to_owned()), None]);
    }
}

#[test]
fn cells_far_larger_than_a_batch_and_a_packet_arrive_whole() {
    for server in SERVERS {
        let database = server.database("large");
        // 10 MB; one byte less than a packet's greatest length, that length and more, rows of several packets among small ones.
        database.sql(
            "CREATE TABLE t (id int PRIMARY KEY, v longtext);
             INSERT INTO t VALUES (1, repeat('x', 10485760)), (2, 'small'), (3, repeat('y', 16777200)), (4, repeat('z', 16777215)),
               (5, repeat('ä', 16777216)), (6, ''), (7, NULL)",
        );
        // Around the length at which a row needs a second packet.
        let near = (16_777_196..=16_777_215).map(|length| format!("({length}, repeat('w', {length}))"));
        database.sql(&format!("INSERT INTO t VALUES {}", near.collect::<Vec<_>>().join(", ")));
        let batches = server.rows(full(&database.id("t"))).unwrap();
        let lengths: Vec<_> = texts(&batches, "v").into_iter().map(|text| text.map(|text| text.len())).collect();
        let mut expected =
            vec![Some(10_485_760), Some(5), Some(16_777_200), Some(16_777_215), Some(33_554_432), Some(0), None];
        expected.extend((16_777_196..=16_777_215).map(Some));
        assert_eq!(lengths, expected, "{server:?}");
    }
}

#[test]
fn not_null_columns_are_required_and_hidden_and_generated_ones_are_read() {
    for server in SERVERS {
        let database = server.database("nullable");
        database.sql("CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int, h int INVISIBLE, g int GENERATED ALWAYS AS (a * 2) STORED, v int AS (a + 1)); INSERT INTO t (id, a, h) VALUES (1, 2, 9)");
        let batches = server.rows(full(&database.id("t"))).unwrap();
        let nullable: Vec<_> = batches[0].schema().fields().iter().map(|field| field.is_nullable()).collect();
        assert_eq!(nullable, [false, false, true, true, true, true]);
        for (column, value) in [("g", "4"), ("v", "3"), ("h", "9")] {
            assert_eq!(texts(&batches, column), [Some(value.to_owned())]);
        }
    }
}
