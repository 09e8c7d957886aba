//! What holds for every object store: a bucket to put files into, and the suite that each store's tests run.

mod changes;
mod compressed;
mod conforms;
mod content;
mod policies;
mod runs;

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_runtime::Connection;

pub use self::changes::{a_file_that_changes_during_the_read_is_named, a_file_that_changes_is_named};
pub use self::compressed::{
    files_that_others_compressed_and_broke_are_named, files_that_others_compressed_arrive_row_for_row,
};
pub use self::conforms::conforms;
pub use self::content::{
    a_cell_of_ten_megabytes_arrives, broken_files_are_named_and_others_unharmed, every_format_arrives_row_for_row,
    keys_of_every_kind_are_read,
};
pub use self::policies::{
    Dated, append_adds_changed_files_as_wholes, fail_names_a_changed_file_and_reads_nothing,
    ignore_leaves_changed_files_as_they_were_read, replace_puts_new_rows_in_the_place_of_a_files_old_ones,
    set_modified, tail_adds_what_was_added,
};
pub use self::runs::{
    killed_at_any_point_every_row_is_there_once, many_objects_are_listed_and_read, only_what_is_new_or_changed_is_read,
};
use crate::binary::Workspace;
use crate::env;

/// A bucket of a real server, of this test alone.
pub trait Bucket {
    /// The connector that reads it.
    fn connector(&self) -> &'static str;

    /// Its configuration without streams; secrets are `{"env": NAME}`.
    fn config(&self) -> Value;

    /// Writes an object.
    fn put(&self, key: &str, content: &[u8]);

    /// Removes an object.
    fn delete(&self, key: &str);

    /// A stream `t` of all CSV files of a folder, as configuration.
    fn below(&self, folder: &str) -> Value {
        json!({"prefix": folder, "streams": [{"name": "t", "glob": "**/*.csv"}]})
    }

    /// What the pipeline grants the connection.
    fn grants(&self) -> Value {
        json!({"private_network": true})
    }

    /// The bucket as the connector names it in errors and in `check`, e.g. `s3://bucket`.
    fn place(&self) -> String;
}

/// A configuration with these fields added.
///
/// # Panics
/// If one of them is not an object.
pub fn with(mut config: Value, more: &Value) -> Value {
    let fields = config.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    config
}

/// A pipeline that loads these streams of a bucket into `warehouse`.
pub fn pipeline(connector: &str, grants: &Value, config: &Value, streams: &[&str], read: &str) -> String {
    let streams: String = streams.iter().map(|id| format!("  - {{id: {id}, read: {read}}}\n")).collect();
    format!(
        "name: objects\nsource:\n  connector: {connector}\n  grants: {grants}\n  config: {config}\n\
         streams:\n{streams}sink: {{type: local, path: warehouse}}\n"
    )
}

/// A folder with such a pipeline.
pub(crate) fn workspace(bucket: &dyn Bucket, more: &Value, streams: &[&str], read: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.pipeline(&pipeline(bucket.connector(), &bucket.grants(), &with(bucket.config(), more), streams, read));
    workspace
}

/// The steps of a check: name, outcome, detail and remedy.
///
/// # Panics
/// If the check itself fails.
pub async fn check(connector: &str, config: Value) -> Vec<(String, String, String, String)> {
    let runtime = crate::sandbox::runtime();
    let connection = connect_to(&runtime, connector, config).await.expect("a connection");
    let steps = connection.instance().await.expect("an instance").check().await.expect("a check");
    let step = |step: &Value| {
        let text = |field: &str| step[field].as_str().unwrap_or_default().to_owned();
        (text("name"), text("outcome"), text("detail"), text("remedy"))
    };
    steps.iter().map(|found| step(&serde_json::to_value(found).expect("JSON"))).collect()
}

/// The connector of a bucket, in a sandbox, without the binary around it.
///
/// # Errors
/// What the runtime says.
pub async fn connect(
    runtime: &sluice_runtime::Runtime,
    bucket: &dyn Bucket,
    more: &Value,
) -> Result<Connection, RunError> {
    connect_to(runtime, bucket.connector(), with(bucket.config(), more)).await
}

async fn connect_to(
    runtime: &sluice_runtime::Runtime,
    connector: &str,
    mut config: Value,
) -> Result<Connection, RunError> {
    for field in config.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Some(name) = field.get("env").and_then(Value::as_str) {
            *field = json!(env(name));
        }
    }
    let component = std::path::PathBuf::from(env("SLUICE_TEST_CONNECTORS")).join(format!("{connector}.wasm"));
    let grants = Grants { private_network: true, ..Grants::default() };
    crate::sandbox::connection(runtime, &component, config, InstanceLimits::default(), grants).await
}
