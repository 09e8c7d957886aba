//! A pipeline of the service: everything but its name and its connection, which have records of their own.

use serde::{Deserialize, Serialize};

use super::{ExecutionMode, Pipeline, SinkSpec, SourceSpec, StreamSpec};
use crate::limits::RunLimits;
use crate::notify::NotifyRule;
use crate::retry::RetryPolicy;
use crate::schedule::Schedule;

/// What a [`Pipeline`] has beside its name and its source, field for field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What is read.
    pub streams: Vec<StreamSpec>,
    /// Where rows go.
    pub sink: SinkSpec,
    /// Bounds of a run.
    #[serde(default)]
    pub limits: RunLimits,
    /// When the service runs it; without, only when somebody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How often the service tries a run that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Whom the service tells of what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<NotifyRule>,
    /// Where runs are carried out.
    #[serde(default, skip_serializing_if = "ExecutionMode::is_default")]
    pub run: ExecutionMode,
}

impl Definition {
    /// The pipeline as `sluice run` takes it.
    pub fn into_pipeline(self, name: String, source: SourceSpec) -> Pipeline {
        let Self { streams, sink, limits, schedule, retry, notify, run } = self;
        Pipeline { name, source, streams, sink, limits, schedule, retry, notify, run }
    }
}

/// What is left of a pipeline without its name and source.
impl From<Pipeline> for Definition {
    fn from(pipeline: Pipeline) -> Self {
        let Pipeline { name: _, source: _, streams, sink, limits, schedule, retry, notify, run } = pipeline;
        Self { streams, sink, limits, schedule, retry, notify, run }
    }
}
