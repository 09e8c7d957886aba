//! The parts of BigQuery's answers that are looked at. Numbers of 64 bits are texts there.

use serde::Deserialize;

use crate::id::TableRef;

/// A column, or a field of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) r#type: String,
    pub(crate) mode: Option<String>,
    pub(crate) fields: Option<Vec<Self>>,
    pub(crate) max_length: Option<String>,
    pub(crate) precision: Option<String>,
    pub(crate) scale: Option<String>,
    pub(crate) range_element_type: Option<ElementType>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ElementType {
    pub(crate) r#type: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Schema {
    pub(crate) fields: Option<Vec<Field>>,
}

/// A table, view, materialized view, external table or snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Table {
    pub(crate) table_reference: TableRef,
    pub(crate) r#type: String,
    pub(crate) schema: Option<Schema>,
    pub(crate) description: Option<String>,
    pub(crate) num_rows: Option<String>,
    pub(crate) num_bytes: Option<String>,
    pub(crate) creation_time: Option<String>,
    pub(crate) last_modified_time: Option<String>,
    pub(crate) streaming_buffer: Option<StreamingBuffer>,
    pub(crate) time_partitioning: Option<Partitioning>,
    pub(crate) range_partitioning: Option<Partitioning>,
    pub(crate) clustering: Option<Columns>,
    pub(crate) require_partition_filter: Option<bool>,
    pub(crate) table_constraints: Option<Constraints>,
}

/// Rows that were streamed and are not in `num_rows` yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StreamingBuffer {
    pub(crate) estimated_rows: Option<String>,
    pub(crate) estimated_bytes: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Partitioning {
    pub(crate) field: Option<String>,
    pub(crate) require_partition_filter: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Columns {
    pub(crate) fields: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Constraints {
    pub(crate) primary_key: Option<PrimaryKey>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct PrimaryKey {
    pub(crate) columns: Option<Vec<String>>,
}

impl Table {
    /// Its columns.
    pub(crate) fn columns(&self) -> &[Field] {
        self.schema.as_ref().and_then(|schema| schema.fields.as_deref()).unwrap_or_default()
    }

    /// Rows, with those that are still in the streaming buffer.
    pub(crate) fn rows(&self) -> Option<u64> {
        let waiting = self.streaming_buffer.as_ref().and_then(|buffer| number(buffer.estimated_rows.as_ref()));
        Some(number(self.num_rows.as_ref())? + waiting.unwrap_or(0))
    }

    /// Logical bytes, with those that are still in the streaming buffer.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let waiting = self.streaming_buffer.as_ref().and_then(|buffer| number(buffer.estimated_bytes.as_ref()));
        Some(number(self.num_bytes.as_ref())? + waiting.unwrap_or(0))
    }

    /// When it was changed last, as far as BigQuery says; milliseconds since 1970.
    pub(crate) fn changed(&self) -> Option<i64> {
        let times = [&self.last_modified_time, &self.creation_time];
        times.into_iter().filter_map(|time| time.as_deref()?.parse().ok()).max()
    }

    /// The column by which rows are placed in partitions.
    pub(crate) fn partition_column(&self) -> Option<&str> {
        let by = self.time_partitioning.as_ref().or(self.range_partitioning.as_ref())?;
        by.field.as_deref()
    }

    /// Whether it is partitioned, maybe by the time at which rows came in.
    pub(crate) fn is_partitioned(&self) -> bool {
        self.time_partitioning.is_some() || self.range_partitioning.is_some()
    }

    /// Whether BigQuery refuses to read it without a condition on the partition column.
    pub(crate) fn needs_partition_filter(&self) -> bool {
        let of_partitioning = self.time_partitioning.as_ref().and_then(|by| by.require_partition_filter);
        self.require_partition_filter.or(of_partitioning).unwrap_or(false)
    }

    /// Columns of the primary key. BigQuery does not enforce it; whoever declared it said that it holds.
    pub(crate) fn primary_key(&self) -> &[String] {
        let key = self.table_constraints.as_ref().and_then(|constraints| constraints.primary_key.as_ref());
        key.and_then(|key| key.columns.as_deref()).unwrap_or_default()
    }

    /// Whether a condition on the column spares reading the whole table.
    pub(crate) fn is_pruned_by(&self, column: &str) -> bool {
        let clustered = self.clustering.as_ref().and_then(|by| by.fields.as_deref()?.first());
        self.partition_column() == Some(column) || clustered.is_some_and(|first| first == column)
    }
}

fn number(text: Option<&String>) -> Option<u64> {
    text?.parse().ok()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DatasetList {
    pub(crate) datasets: Option<Vec<DatasetEntry>>,
    pub(crate) next_page_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DatasetEntry {
    pub(crate) dataset_reference: DatasetReference,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DatasetReference {
    pub(crate) dataset_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TableList {
    pub(crate) tables: Option<Vec<TableEntry>>,
    pub(crate) next_page_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TableEntry {
    pub(crate) table_reference: TableRef,
    pub(crate) r#type: String,
}

/// A query job.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Job {
    pub(crate) job_reference: JobReference,
    pub(crate) status: JobStatus,
    pub(crate) configuration: JobConfiguration,
    pub(crate) statistics: Statistics,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobReference {
    pub(crate) location: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobStatus {
    pub(crate) state: String,
    pub(crate) error_result: Option<ErrorProto>,
}

/// What went wrong, in the API's own words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorProto {
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobConfiguration {
    pub(crate) query: Option<QueryConfiguration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct QueryConfiguration {
    pub(crate) destination_table: Option<TableRef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Statistics {
    pub(crate) end_time: Option<String>,
    pub(crate) total_bytes_processed: Option<String>,
    pub(crate) query: Option<QueryStatistics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct QueryStatistics {
    pub(crate) schema: Option<Schema>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct QueryResults {
    pub(crate) job_complete: Option<bool>,
    pub(crate) rows: Option<Vec<Row>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) f: Vec<Cell>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cell {
    pub(crate) v: serde_json::Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_counts_what_is_still_in_its_streaming_buffer() {
        let table: Table = serde_json::from_str(
            r#"{"numRows": "10", "numBytes": "100", "streamingBuffer": {"estimatedRows": "5", "estimatedBytes": "50"},
                "lastModifiedTime": "1700000000000", "creationTime": "1600000000000", "nextPageToken": null,
                "timePartitioning": {"type": "DAY", "field": "day"}, "clustering": {"fields": ["a", "b"]},
                "tableConstraints": {"primaryKey": {"columns": ["id"]}}}"#,
        )
        .unwrap();
        assert_eq!((table.rows(), table.bytes(), table.changed()), (Some(15), Some(150), Some(1_700_000_000_000)));
        assert_eq!(table.primary_key(), ["id"]);
        assert!(table.is_pruned_by("day") && table.is_pruned_by("a") && !table.is_pruned_by("b"));
        assert!(!table.needs_partition_filter());
    }

    #[test]
    fn the_old_place_of_the_required_filter_counts_too() {
        let table: Table = serde_json::from_str(r#"{"timePartitioning": {"requirePartitionFilter": true}}"#).unwrap();
        assert!(table.needs_partition_filter() && table.is_partitioned());
        assert_eq!(table.rows(), None);
    }
}
