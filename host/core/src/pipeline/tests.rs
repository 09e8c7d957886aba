use super::*;

fn pipeline(streams: serde_json::Value) -> Result<(), RunError> {
    let value = serde_json::json!({
        "name": "p", "source": {"connector": "files"}, "streams": streams, "sink": {"type": "null"}
    });
    serde_json::from_value::<Pipeline>(value).unwrap().validate()
}

#[test]
fn two_streams_never_share_a_table_or_a_quarantine() {
    let error = pipeline(serde_json::json!([{"id": "a.b"}, {"id": "A_b"}])).unwrap_err();
    assert!(error.message.contains("a.b and A_b would share the table a_b"), "{error}");
    let error = pipeline(serde_json::json!([{"id": "a"}, {"id": "x", "table": "a__quarantine"}])).unwrap_err();
    assert!(error.message.contains("share the table a__quarantine"), "{error}");
    pipeline(serde_json::json!([{"id": "a.b"}, {"id": "A_b", "table": "other"}])).unwrap();
}

#[test]
fn a_catalog_load_of_an_increment_is_refused_by_field() {
    let stream = serde_json::json!([{"id": "a", "load": "catalog", "read": {"incremental": "id"}}]);
    assert_eq!(pipeline(stream).unwrap_err().field.unwrap(), "streams[0].read");
}

#[test]
fn changed_files_need_an_incremental_read() {
    let stream = serde_json::json!([{"id": "a", "changed_files": "ignore"}]);
    assert_eq!(pipeline(stream).unwrap_err().field.unwrap(), "streams[0].changed_files");
    pipeline(serde_json::json!([{"id": "a", "read": {"incremental": ""}, "changed_files": "ignore"}])).unwrap();
}

#[test]
fn the_column_that_tells_files_cannot_be_touched() {
    let stream = serde_json::json!([{
        "id": "a", "read": {"incremental": ""}, "changed_files": "replace", "rename": {"_sluice_file": "file"}
    }]);
    assert_eq!(pipeline(stream).unwrap_err().field.unwrap(), "streams[0].rename._sluice_file");
}

#[test]
fn a_table_that_would_leave_the_warehouse_is_refused() {
    let error = pipeline(serde_json::json!([{"id": "a", "table": "../../etc"}])).unwrap_err();
    assert_eq!(error.field.unwrap(), "streams[0].table");
}

fn with(part: &str, value: serde_json::Value) -> Result<(), RunError> {
    let mut pipeline = serde_json::json!({
        "name": "p", "source": {"connector": "files"}, "streams": [{"id": "a"}], "sink": {"type": "null"}
    });
    pipeline[part] = value;
    serde_json::from_value::<Pipeline>(pipeline).unwrap().validate()
}

#[test]
fn what_the_service_adds_to_a_pipeline_is_checked_by_field() {
    use serde_json::json;
    with("schedule", json!({"cron": "@daily", "time_zone": "Europe/Berlin"})).unwrap();
    with("retry", json!({"max_attempts": 5})).unwrap();
    with("notify", json!([{"email": ["a@example.com"], "on": ["failure"]}])).unwrap();
    with("run", json!("local")).unwrap();
    let field = |part: &str, value| with(part, value).unwrap_err().field.unwrap();
    assert_eq!(field("schedule", json!({"cron": "61 * * * *"})), "schedule.cron");
    assert_eq!(field("retry", json!({"factor": 0.5})), "retry.factor");
    assert_eq!(field("notify", json!([{"webhook": "x"}])), "notify[0].webhook");
    assert_eq!(field("streams", json!([{"id": "a", "checks": [{"rows": {}}]}])), "streams[0].checks[0].rows");
}

#[test]
fn only_local_runs_are_offered_and_the_error_says_so() {
    for mode in ["cloud-run", "dataflow", "auto"] {
        let error = with("run", mode.into()).unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (Kind::Unsupported, Some("run")));
        assert!(error.message.contains(&format!("`run: {mode}` is not offered")), "{error}");
    }
}

#[test]
fn a_pipeline_without_the_new_parts_is_written_as_before() {
    let text = serde_json::json!({
        "name": "p", "source": {"connector": "files"}, "streams": [{"id": "a"}], "sink": {"type": "null"}
    });
    let pipeline: Pipeline = serde_json::from_value(text).unwrap();
    let written = serde_json::to_value(&pipeline).unwrap();
    for part in ["schedule", "retry", "notify", "run"] {
        assert_eq!(written.get(part), None, "{part}");
    }
    assert_eq!(written["streams"][0].get("checks"), None);
    assert_eq!(serde_json::from_value::<Pipeline>(written).unwrap(), pipeline);
}

#[test]
fn set_null_is_a_policy_that_yaml_cannot_lose() {
    let spec: CastSpec = serde_json::from_value(serde_json::json!({"to": "INT64", "on_misfit": "set-null"})).unwrap();
    assert_eq!(spec.on_misfit, Some(Misfit::Null));
}

#[test]
fn a_definition_is_the_pipeline_without_its_name_and_source() {
    let pipeline: Pipeline = serde_json::from_value(serde_json::json!({
        "name": "p", "source": {"connector": "files"}, "streams": [{"id": "a"}], "sink": {"type": "null"},
        "schedule": {"cron": "0 3 * * *", "time_zone": "UTC"}, "run": "local"
    }))
    .unwrap();
    let definition = serde_json::to_value(Definition::from(pipeline.clone())).unwrap();
    assert!(definition.get("name").is_none() && definition.get("source").is_none());
    let read: Definition = serde_json::from_value(definition).unwrap();
    assert_eq!(read.into_pipeline(pipeline.name.clone(), pipeline.source.clone()), pipeline);
}
