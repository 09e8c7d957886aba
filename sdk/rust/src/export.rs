//! From the component's exports to the author's [`Source`](crate::Source).

/// Makes a [`Source`](crate::Source) the component's export and puts its manifest into the custom section.
///
/// ```ignore
/// sluice_sdk::export!(Postgres);
/// ```
#[macro_export]
macro_rules! export {
    ($source:ty) => {
        const _: () = {
            const MANIFEST: &str = <$source as $crate::ConnectorManifest>::MANIFEST;

            #[cfg(target_family = "wasm")]
            #[used]
            #[unsafe(link_section = "sluice:manifest")]
            static SECTION: [u8; MANIFEST.len()] = $crate::__private::bytes_of(MANIFEST);

            #[cfg(target_family = "wasm")]
            type Component = $crate::__private::Exported<$source>;
            #[cfg(target_family = "wasm")]
    $crate::__private::bindings::export_component!(Component with_types_in $crate::__private::bindings);
        };
    };
}

/// The component made of a source.
pub struct Exported<S>(std::marker::PhantomData<S>);

#[cfg(target_family = "wasm")]
mod component {
    use std::any::Any;
    use std::cell::RefCell;

    use arrow_schema::SchemaRef;

    use super::Exported;
    use crate::host::bindings::exports::sluice::source::source as wit;
    use crate::host::host;
    use crate::{Error, Outcome, Output, ReadMode, Result, Source, StreamKind};

    thread_local! {
        /// The source that planned: the host keeps the instance, and what it holds open must live as long.
        static PLANNED: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }

    fn open<S: Source>(config: &str) -> Result<S> {
        let config = serde_json::from_str(config)
            .map_err(|e| Error::config(format!("the configuration does not fit the connector's schema: {e}")))?;
        S::open(config)
    }

    impl<S: Source> wit::Guest for Exported<S> {
        fn check(config: String) -> Result<Vec<wit::CheckStep>, wit::Error> {
            let steps = open::<S>(&config)?.check()?;
            Ok(steps.into_iter().map(check_step).collect())
        }

        fn discover(
            config: String,
            filter: wit::DiscoverFilter,
            page: Option<String>,
        ) -> Result<wit::DiscoverPage, wit::Error> {
            let filter = crate::DiscoverFilter {
                contains: filter.contains,
                ids: filter.ids,
                page_size: filter.page_size.max(1),
            };
            let page = open::<S>(&config)?.discover(&filter, page.as_deref())?;
            let streams = page.streams.into_iter().map(stream_info).collect::<Result<_>>()?;
            Ok(wit::DiscoverPage { streams, next: page.next })
        }

        fn plan(
            config: String,
            selections: Vec<wit::Selection>,
            hints: wit::PlanHints,
        ) -> Result<wit::ReadPlan, wit::Error> {
            let mut source = open::<S>(&config)?;
            let selections: Vec<_> = selections.into_iter().map(selection).collect();
            let hints = crate::Hints {
                max_parallel: hints.max_parallel.max(1),
                split_bytes: hints.split_bytes.max(1),
                batch_bytes: hints.batch_bytes.max(1),
            };
            let plan = source.plan(&selections, &hints)?;
            PLANNED.set(Some(Box::new(source)));
            let streams = plan.streams.into_iter().map(stream_plan).collect::<Result<_>>()?;
            let splits = plan.splits.into_iter().map(split_out).collect();
            Ok(wit::ReadPlan { streams, splits, expires: plan.expires })
        }

        fn read(config: String, split: wit::Split, start: Option<Vec<u8>>) -> Result<(), wit::Error> {
            let mut source = open::<S>(&config)?;
            source.read(&split_in(split), start.as_ref(), &mut Output::new(host()))?;
            Ok(())
        }

        fn acknowledge(config: String, stream_id: String, cursor: Vec<u8>) -> Result<(), wit::Error> {
            open::<S>(&config)?.acknowledge(&stream_id, &cursor)?;
            Ok(())
        }

        fn close() {
            PLANNED.set(None);
        }
    }

    fn check_step(step: crate::CheckStep) -> wit::CheckStep {
        let outcome = match step.outcome {
            Outcome::Passed => wit::Outcome::Passed,
            Outcome::Warned => wit::Outcome::Warned,
            Outcome::Failed => wit::Outcome::Failed,
            Outcome::Skipped => wit::Outcome::Skipped,
        };
        wit::CheckStep { name: step.name, outcome, detail: step.detail, remedy: step.remedy }
    }

    fn schema(schema: &SchemaRef) -> Result<Vec<u8>> {
        crate::ipc::schema_message(schema)
    }

    fn stream_info(info: crate::StreamInfo) -> Result<wit::StreamInfo> {
        let kind = match info.kind {
            StreamKind::Table => wit::StreamKind::Table,
            StreamKind::View => wit::StreamKind::View,
            StreamKind::MaterializedView => wit::StreamKind::MaterializedView,
            StreamKind::PartitionedTable => wit::StreamKind::PartitionedTable,
            StreamKind::Query => wit::StreamKind::Query,
            StreamKind::Files => wit::StreamKind::Files,
            StreamKind::Other => wit::StreamKind::Other,
        };
        Ok(wit::StreamInfo {
            schema: schema(&info.schema)?,
            id: info.id,
            kind,
            primary_key: info.primary_key,
            cursor_candidates: info.cursor_candidates,
            rows: info.rows,
            bytes: info.bytes,
            description: info.description,
        })
    }

    fn selection(selection: wit::Selection) -> crate::Selection {
        crate::Selection {
            id: selection.id,
            columns: selection.columns,
            mode: match selection.mode {
                wit::ReadMode::Full => ReadMode::Full,
                wit::ReadMode::Incremental(column) => ReadMode::Incremental(column),
            },
            filter: selection.filter,
            changed_files: selection.changed_files.map(changed_files),
            state: selection.state,
        }
    }

    fn changed_files(policy: wit::ChangedFiles) -> crate::ChangedFiles {
        match policy {
            wit::ChangedFiles::Append => crate::ChangedFiles::Append,
            wit::ChangedFiles::Tail => crate::ChangedFiles::Tail,
            wit::ChangedFiles::Replace => crate::ChangedFiles::Replace,
            wit::ChangedFiles::Ignore => crate::ChangedFiles::Ignore,
            wit::ChangedFiles::Fail => crate::ChangedFiles::Fail,
        }
    }

    fn stream_plan(plan: crate::StreamPlan) -> Result<wit::StreamPlan> {
        Ok(wit::StreamPlan {
            schema: schema(&plan.schema)?,
            id: plan.id,
            rows: plan.rows,
            bytes: plan.bytes,
            state_after: plan.state_after,
        })
    }

    fn split_out(split: crate::Split) -> wit::Split {
        wit::Split {
            id: split.id,
            stream_ids: split.streams,
            descriptor: split.descriptor,
            rows: split.rows,
            bytes: split.bytes,
            resumable: split.resumable,
        }
    }

    fn split_in(split: wit::Split) -> crate::Split {
        crate::Split {
            id: split.id,
            streams: split.stream_ids,
            descriptor: split.descriptor,
            rows: split.rows,
            bytes: split.bytes,
            resumable: split.resumable,
        }
    }
}
