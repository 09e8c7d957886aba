//! The streams that two versions list, as findings of a trial.

use std::collections::BTreeSet;

use sluice_core::connector::{Effect, Used, catalog_changes};
use sluice_core::pipeline::{Definition, ReadSpec, StreamSpec};
use sluice_core::plan::Outcome;
use sluice_core::worker::Stream;
use sluice_store::PipelineRecord;

use super::UsedStreams;

/// Most changes that are told one by one.
const MOST: usize = 50;

/// What pipelines read. One that this version of Sluice cannot read does not run either.
pub(super) fn used(pipelines: &[PipelineRecord]) -> UsedStreams {
    let mut all = UsedStreams::new();
    for pipeline in pipelines {
        let Ok(definition) = serde_json::from_value::<Definition>(pipeline.current.definition.clone()) else {
            continue;
        };
        for stream in definition.streams {
            let reads = columns(&stream);
            match (all.get_mut(&stream.id), reads) {
                (Some(Used::Columns(known)), Used::Columns(more)) => known.extend(more),
                (Some(known), Used::All) => *known = Used::All,
                (Some(Used::All), _) => {}
                (None, reads) => {
                    all.insert(stream.id, reads);
                }
            }
        }
    }
    all
}

fn columns(stream: &StreamSpec) -> Used {
    if stream.columns.is_empty() {
        return Used::All;
    }
    let mut names: BTreeSet<String> = stream.columns.iter().cloned().collect();
    if let ReadSpec::Incremental(cursor) = &stream.read
        && !cursor.is_empty()
    {
        names.insert(cursor.clone());
    }
    Used::Columns(names)
}

/// How the streams differ, in findings.
pub(super) fn streams(old: &[Stream], new: &[Stream], used: &UsedStreams) -> Vec<(Outcome, String, &'static str)> {
    let mut changes = catalog_changes(old, new, used);
    if changes.is_empty() {
        return vec![(Outcome::Passed, format!("{} streams, as before", new.len()), "")];
    }
    // What breaks something is told whatever else there is.
    changes.sort_by_key(|one| one.change.effect != Effect::Breaks);
    let more = changes.len().saturating_sub(MOST);
    let told = changes.into_iter().take(MOST).map(|one| {
        let text = format!("{}: {}", one.stream, one.change.text);
        match one.change.effect {
            Effect::Breaks => (
                Outcome::Failed,
                text,
                "change the pipeline to what both versions offer, or stay with the installed version",
            ),
            _ => (Outcome::Warned, text, "nothing has to be done"),
        }
    });
    let mut told: Vec<_> = told.collect();
    if more > 0 {
        told.push((Outcome::Warned, format!("{more} more changes"), "compare the lists of streams"));
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_core::plan::StreamKind;
    use sluice_core::worker::Column;
    use sluice_store::PipelineChange;

    use super::*;

    fn pipeline(streams: serde_json::Value) -> PipelineRecord {
        let definition = json!({"streams": streams, "sink": {"type": "local", "path": "x"}});
        let current = PipelineChange { name: "p".into(), connection: "c".into(), definition, enabled: true };
        PipelineRecord { id: "p".into(), current, revision: 1, created_us: 1, updated_us: 1, updated_by: "u".into() }
    }

    fn stream(id: &str, columns: &[&str]) -> Stream {
        let column = |name: &&str| Column { name: (*name).into(), r#type: "Int64".into(), nullable: false };
        Stream {
            id: id.into(),
            kind: StreamKind::Table,
            columns: columns.iter().map(column).collect(),
            primary_key: vec![],
            cursor_candidates: vec![],
            rows: None,
            bytes: None,
            description: None,
        }
    }

    #[test]
    fn what_several_pipelines_read_is_taken_together() {
        let all = used(&[
            pipeline(
                json!([{"id": "a", "columns": ["x"], "read": {"incremental": "at"}}, {"id": "b", "columns": ["x"]}]),
            ),
            pipeline(json!([{"id": "a", "columns": ["y"]}, {"id": "b"}])),
            pipeline(json!("nonsense")),
        ]);
        let names = |all: &[&str]| Used::Columns(all.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(all["a"], names(&["at", "x", "y"]));
        assert_eq!(all["b"], Used::All);
    }

    #[test]
    fn what_breaks_a_pipeline_fails_the_trial_and_the_rest_is_told() {
        let all = used(&[pipeline(json!([{"id": "b", "columns": ["x"]}]))]);
        let (old, new) = ([stream("a", &["x"]), stream("b", &["x"])], [stream("a", &["x", "y"]), stream("b", &[])]);
        let found = streams(&old, &new, &all);
        let told: Vec<_> = found.iter().map(|(outcome, text, _)| (*outcome, text.as_str())).collect();
        assert_eq!(
            told,
            [
                (Outcome::Failed, "b: column x is gone, and a pipeline reads it"),
                (Outcome::Warned, "a: column y is new")
            ]
        );
        assert_eq!(streams(&old, &old, &all)[0].1, "2 streams, as before");
    }
}
