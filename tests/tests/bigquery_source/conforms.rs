//! The conformance kit, against the stand-in for BigQuery.

use std::path::Path;

use sluice_tests::binary::Workspace;
use sluice_tests::conformance::{assert_conforms, test};

use crate::support::Data;

#[test]
fn the_connector_conforms() {
    let data = Data::new();
    // Three rows each share the moment of their last change.
    data.sql(
        "CREATE TABLE `{d}.orders` AS SELECT n AS id, CONCAT('Customer ', CAST(MOD(n, 25) AS STRING)) AS customer, \
         TIMESTAMP_ADD(TIMESTAMP '2024-01-01 00:00:00+00', INTERVAL (n - MOD(n, 3)) MINUTE) AS updated_at \
         FROM UNNEST(GENERATE_ARRAY(0, 2999)) AS n",
    );
    data.sql("CREATE TABLE `{d}.wide` AS SELECT n AS id, REPEAT('x', 10) AS note FROM UNNEST(GENERATE_ARRAY(1, 110000)) AS n");
    data.sql("CREATE TABLE `{d}.nothing` (id INT64, note STRING, updated_at TIMESTAMP)");
    data.sql(
        "CREATE TABLE `{d}.extremes` (big INT64, `real` FLOAT64, flag BOOL, exact NUMERIC, words STRING, raw BYTES, day DATE, \
         wall DATETIME, moment TIMESTAMP)",
    );
    data.sql(
        "INSERT INTO `{d}.extremes` VALUES \
         (-9223372036854775808, -1.7976931348623157e308, FALSE, NUMERIC '-99999999999999999999999999999.999999999', '', b'', \
          DATE '0001-01-01', DATETIME '0001-01-01 00:00:00', TIMESTAMP '0001-01-01 00:00:00+00'), \
         (9223372036854775807, 2.2250738585072014e-308, TRUE, NUMERIC '0.000000001', 'grüße 🚰\\n', b'\\x00\\xff', \
          DATE '9999-12-31', DATETIME '9999-12-31 23:59:59.999999', TIMESTAMP '9999-12-31 23:59:59.999999+00'), \
         (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/bigquery/conformance.yaml");
    let workspace = Workspace::new();
    let path = workspace.path().join("conformance.yaml");
    std::fs::write(&path, std::fs::read_to_string(source).unwrap().replace("{d}", &data.dataset)).unwrap();
    assert_conforms(&test(&workspace, "bigquery", &path, &[]), &["columns", "keys", "memory", "recordings"]);
}
