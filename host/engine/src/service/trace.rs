//! The spans of the service: from the moment of a schedule, or a request, through the queue to each attempt, whose worker tells the rest.
//!
//! A span is told when it is over, so a host that is killed loses those that were open. Where spans go is the binary's matter
//! ([`Traces`]); whoever takes them must not keep a run waiting.

use std::sync::Arc;

use sluice_core::RunError;
use sluice_core::metrics::Text;
use sluice_core::secret::Redactor;
use sluice_core::trace::{Context, Span, SpanKind, Value};

/// Most spans that are taken of an attempt; what a worker tells beyond is left out.
const MOST_SPANS: u32 = 2_000;

/// Where spans go.
pub trait Traces: Send + Sync {
    /// Where a new span stands: below its parent, or as the first of a trace. None if nobody follows traces.
    fn begin(&self, parent: Option<&Context>) -> Option<Context>;

    /// Takes a span that is over. Never waits; what cannot be kept is left out.
    fn end(&self, span: Span);

    /// Writes down what became of spans.
    fn write_metrics(&self, text: &mut Text);
}

/// Nobody follows traces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Untraced;

impl Traces for Untraced {
    fn begin(&self, _: Option<&Context>) -> Option<Context> {
        None
    }

    fn end(&self, _: Span) {}

    fn write_metrics(&self, _: &mut Text) {}
}

/// A span that is under way. Dropped without [`Open::end`], it is not told.
pub struct Open {
    traces: Arc<dyn Traces>,
    span: Span,
}

impl Open {
    /// Begins a span; none if nobody follows traces.
    pub fn begin(
        traces: &Arc<dyn Traces>,
        parent: Option<Context>,
        (name, kind): (impl Into<String>, SpanKind),
        begun_us: i64,
    ) -> Option<Self> {
        let context = traces.begin(parent.as_ref())?;
        let (name, attributes) = (name.into(), Vec::new());
        let span = Span { context, parent, name, kind, begun_us, ended_us: begun_us, attributes, error: None };
        Some(Self { traces: traces.clone(), span })
    }

    /// Where it stands.
    pub fn context(&self) -> Context {
        self.span.context
    }

    /// The trace's id, for logs; none if the trace is not one that is told.
    pub fn trace_id(&self) -> Option<String> {
        self.span.context.sampled.then(|| self.span.context.trace_id())
    }

    /// Says something of it.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.span.attributes.push((name.to_owned(), value.into()));
    }

    /// Says why it failed; the error was redacted.
    pub fn fail(&mut self, error: &RunError) {
        self.set("error.type", error.kind.as_str());
        self.span.error = Some(error.to_string());
    }

    /// Says that it failed, and nothing else.
    pub fn fail_as(&mut self, kind: String) {
        self.set("error.type", kind);
        self.span.error = Some(String::new());
    }

    /// Tells it.
    pub fn end(mut self, ended_us: i64) {
        self.span.ended_us = ended_us.max(self.span.begun_us);
        if self.span.context.sampled {
            self.traces.end(self.span);
        }
    }
}

/// Tells a span whose place was chosen before.
pub(super) fn told(traces: &dyn Traces, span: Span) {
    if span.context.sampled {
        traces.end(span);
    }
}

/// Takes the spans of a worker.
pub(super) struct OfWorker {
    traces: Arc<dyn Traces>,
    attempt: Option<Context>,
    redactor: Redactor,
    left: u32,
}

impl OfWorker {
    pub(super) fn new(traces: Arc<dyn Traces>, attempt: Option<Context>, redactor: Redactor) -> Self {
        Self { traces, attempt: attempt.filter(|context| context.sampled), redactor, left: MOST_SPANS }
    }

    pub(super) fn take(&mut self, spans: Vec<Span>) {
        let Some(attempt) = &self.attempt else { return };
        for span in spans {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            if let Some(span) = span.of_worker(attempt, &self.redactor) {
                self.traces.end(span);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Keeps what it is told.
    #[derive(Default)]
    pub(crate) struct Kept {
        pub(crate) spans: Mutex<Vec<Span>>,
        next: AtomicU64,
    }

    impl Traces for Kept {
        fn begin(&self, parent: Option<&Context>) -> Option<Context> {
            let next = self.next.fetch_add(1, Ordering::Relaxed) + 1;
            let trace = parent.map_or(u128::from(next) << 64, |parent| parent.trace);
            Some(Context { trace, span: next, sampled: parent.is_none_or(|parent| parent.sampled) })
        }

        fn end(&self, span: Span) {
            self.spans.lock().unwrap().push(span);
        }

        fn write_metrics(&self, _: &mut Text) {}
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Kept;
    use super::*;

    fn one(context: Context, span: u64) -> Span {
        let (name, attributes) = ("part".to_owned(), Vec::new());
        Span {
            context: Context { span, ..context },
            parent: Some(context),
            name,
            kind: SpanKind::Internal,
            begun_us: 0,
            ended_us: 1,
            attributes,
            error: None,
        }
    }

    #[test]
    fn a_span_is_told_when_it_ends_and_only_if_its_trace_is() {
        let kept = Arc::new(Kept::default());
        let traces: Arc<dyn Traces> = kept.clone();
        let first = Open::begin(&traces, None, ("schedule", SpanKind::Producer), 5).unwrap();
        let mut second = Open::begin(&traces, Some(first.context()), ("queue", SpanKind::Consumer), 6).unwrap();
        second.set("n", 1_u64);
        second.end(4);
        let unwanted = Context { sampled: false, ..first.context() };
        Open::begin(&traces, Some(unwanted), ("queue", SpanKind::Consumer), 6).unwrap().end(7);
        drop(first);
        let spans = kept.spans.lock().unwrap();
        assert_eq!(spans.len(), 1, "{spans:?}");
        assert_eq!((spans[0].begun_us, spans[0].ended_us), (6, 6), "clocks of hosts differ");
        assert!(Open::begin(&(Arc::new(Untraced) as Arc<dyn Traces>), None, ("x", SpanKind::Server), 1).is_none());
    }

    #[test]
    fn a_worker_tells_so_many_spans_and_no_more() {
        let kept = Arc::new(Kept::default());
        let attempt = Context { trace: 5, span: 5, sampled: true };
        let mut worker = OfWorker::new(kept.clone(), Some(attempt), Redactor::default());
        for number in 0..u64::from(MOST_SPANS) + 10 {
            worker.take(vec![one(attempt, 100 + number)]);
        }
        assert_eq!(kept.spans.lock().unwrap().len(), MOST_SPANS as usize);
        let mut untold = OfWorker::new(kept.clone(), Some(Context { sampled: false, ..attempt }), Redactor::default());
        untold.take(vec![one(attempt, 1)]);
        assert_eq!(kept.spans.lock().unwrap().len(), MOST_SPANS as usize);
    }
}
