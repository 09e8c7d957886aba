//! The cases. Each has a table of its own and leaves it behind.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use sluice_core::commit::Settled;
use sluice_core::error::Kind;
use sluice_core::load::{Evolution, LoadStrategy};

use super::{Broken, Ground, MemoryLedger, Told, artifacts, batch, confirmed, must};

type Case = for<'a> fn(&'a Ground<'a>) -> BoxFuture<'a, Result<(), Broken>>;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// Every case by its name. Numbers of tables follow this order, so new cases go to the end.
        pub(super) const CASES: &[(&str, Case)] = &[$((stringify!($name), |ground| $name(ground).boxed())),*];
    };
}

cases! {
    nothing_is_visible_before_the_commit,
    a_commit_shows_every_row_of_every_split,
    a_load_is_intact_before_its_commit_and_committed_after_it,
    committing_twice_changes_nothing,
    settling_changes_nothing,
    an_abandoned_load_is_never_visible,
    a_dropped_writer_shows_nothing,
    an_empty_load_is_committed_and_adds_nothing,
    loads_add_up,
    a_catalog_day_loaded_twice_is_there_once,
    two_catalog_days_stay_side_by_side,
    an_empty_catalog_day_replaces_what_was_there,
    evolution_adds_a_column_and_keeps_the_rows,
    a_frozen_table_refuses_a_new_column_by_name,
    preparing_twice_changes_nothing,
    the_ledger_is_told_before_the_first_row,
    no_row_is_taken_when_the_ledger_refuses,
}

const ROWS: LoadStrategy = LoadStrategy::Transactional;

fn day(text: &str) -> Result<LoadStrategy, Broken> {
    let snapshot_date = text.parse().map_err(|e| Broken(format!("{text} is no date: {e}")))?;
    Ok(LoadStrategy::Catalog { snapshot_date })
}

fn range(from: i64, to: i64) -> Vec<i64> {
    (from..to).collect()
}

async fn nothing_is_visible_before_the_commit(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    ground.stage(&ground.load(0), &spec, &[("a", 0..100)]).await?;
    must("rows", &ground.ids(None).await?, &vec![])
}

async fn a_commit_shows_every_row_of_every_split(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let splits = [("a", 0..100), ("b/with: odd characters", 100..101), ("c", 101..101), ("d", 101..500)];
    let permit = ground.stage(&ground.load(0), &spec, &splits).await?;
    let receipt = ground.subject.sink.commit(&permit).await?;
    must("rows of the receipt", &receipt.rows_committed, &500)?;
    must("load of the receipt", &receipt.load, &ground.load(0))?;
    must("rows", &ground.ids(None).await?, &range(0, 500))
}

async fn a_load_is_intact_before_its_commit_and_committed_after_it(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &spec, &[("a", 0..10), ("b", 10..20)]).await?;
    let sink = ground.subject.sink;
    must("before the commit", &sink.settle(permit.intent()).await?, &Settled::Intact)?;
    let receipt = sink.commit(&permit).await?;
    let committed = Settled::Committed { reference: receipt.reference };
    must("after the commit", &sink.settle(permit.intent()).await?, &committed)
}

async fn committing_twice_changes_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &spec, &[("a", 0..10)]).await?;
    let first = ground.subject.sink.commit(&permit).await?;
    let second = ground.subject.sink.commit(&permit).await?;
    must("rows of the second receipt", &second.rows_committed, &first.rows_committed)?;
    must("rows", &ground.ids(None).await?, &range(0, 10))
}

async fn settling_changes_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &spec, &[("a", 0..10)]).await?;
    for _ in 0..2 {
        must("before the commit", &ground.subject.sink.settle(permit.intent()).await?, &Settled::Intact)?;
    }
    must("rows before the commit", &ground.ids(None).await?, &vec![])?;
    ground.subject.sink.commit(&permit).await?;
    for _ in 0..2 {
        let settled = ground.subject.sink.settle(permit.intent()).await?;
        must("committed", &matches!(settled, Settled::Committed { .. }), &true)?;
    }
    must("rows", &ground.ids(None).await?, &range(0, 10))
}

async fn an_abandoned_load_is_never_visible(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let given_up = ground.stage(&ground.load(0), &spec, &[("a", 0..10), ("b", 10..20)]).await?;
    for _ in 0..2 {
        ground.subject.sink.abandon(&artifacts(&given_up)).await?;
    }
    must("rows after abandoning", &ground.ids(None).await?, &vec![])?;
    let permit = ground.stage(&ground.load(1), &spec, &[("a", 50..60)]).await?;
    ground.subject.sink.commit(&permit).await?;
    must("rows of the next load", &ground.ids(None).await?, &range(50, 60))
}

async fn a_dropped_writer_shows_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    ground.subject.sink.prepare(&spec).await?;
    let ledger = Arc::new(MemoryLedger::default());
    let mut writer = ground.writer(&ground.load(0), &spec, "a", &ledger).await?;
    writer.write(batch(&spec.schema, 0..10)?).await?;
    drop(writer);
    must("rows", &ground.ids(None).await?, &vec![])
}

async fn an_empty_load_is_committed_and_adds_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &spec, &[("a", 0..10)]).await?;
    ground.subject.sink.commit(&permit).await?;
    for (index, splits) in [(1, &[][..]), (2, &[("a", 0..0), ("b", 0..0)][..])] {
        let empty = ground.stage(&ground.load(index), &spec, splits).await?;
        let receipt = ground.subject.sink.commit(&empty).await?;
        must("rows of the receipt", &receipt.rows_committed, &0)?;
        let settled = ground.subject.sink.settle(empty.intent()).await?;
        must("committed", &matches!(settled, Settled::Committed { .. }), &true)?;
    }
    must("rows", &ground.ids(None).await?, &range(0, 10))
}

async fn loads_add_up(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    for index in 0..3_usize {
        let from = i64::try_from(index).unwrap_or_default() * 10;
        let permit = ground.stage(&ground.load(index), &spec, &[("a", from..from + 10)]).await?;
        ground.subject.sink.commit(&permit).await?;
    }
    must("rows", &ground.ids(None).await?, &range(0, 30))
}

async fn a_catalog_day_loaded_twice_is_there_once(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(day("2024-01-31")?, &["text"])?;
    let first = ground.stage(&ground.load(0), &spec, &[("a", 0..10), ("b", 10..20)]).await?;
    ground.subject.sink.commit(&first).await?;
    let second = ground.stage(&ground.load(1), &spec, &[("a", 5..12)]).await?;
    must("rows before the second commit", &ground.ids(None).await?, &range(0, 20))?;
    must("before the second commit", &ground.subject.sink.settle(second.intent()).await?, &Settled::Intact)?;
    ground.subject.sink.commit(&second).await?;
    must("rows", &ground.ids(None).await?, &range(5, 12))?;
    let settled = ground.subject.sink.settle(second.intent()).await?;
    must("committed", &matches!(settled, Settled::Committed { .. }), &true)?;
    ground.subject.sink.commit(&second).await?;
    must("rows after committing again", &ground.ids(None).await?, &range(5, 12))
}

async fn two_catalog_days_stay_side_by_side(ground: &Ground<'_>) -> Result<(), Broken> {
    for (index, (date, ids)) in
        [("2024-01-31", 0..10), ("2024-02-01", 5..15), ("2024-01-31", 2..4)].into_iter().enumerate()
    {
        let spec = ground.spec(day(date)?, &["text"])?;
        let permit = ground.stage(&ground.load(index), &spec, &[("a", ids)]).await?;
        ground.subject.sink.commit(&permit).await?;
    }
    must("rows of the first day", &ground.ids(Some("2024-01-31")).await?, &range(2, 4))?;
    must("rows of the second day", &ground.ids(Some("2024-02-01")).await?, &range(5, 15))
}

async fn an_empty_catalog_day_replaces_what_was_there(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(day("2024-01-31")?, &["text"])?;
    let full = ground.stage(&ground.load(0), &spec, &[("a", 0..10)]).await?;
    ground.subject.sink.commit(&full).await?;
    let empty = ground.stage(&ground.load(1), &spec, &[("a", 0..0)]).await?;
    let receipt = ground.subject.sink.commit(&empty).await?;
    must("rows of the receipt", &receipt.rows_committed, &0)?;
    must("rows", &ground.ids(None).await?, &vec![])
}

async fn evolution_adds_a_column_and_keeps_the_rows(ground: &Ground<'_>) -> Result<(), Broken> {
    let narrow = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &narrow, &[("a", 0..10)]).await?;
    ground.subject.sink.commit(&permit).await?;
    let wide = ground.spec(ROWS, &["text", "extra"])?;
    let permit = ground.stage(&ground.load(1), &wide, &[("a", 10..20)]).await?;
    ground.subject.sink.commit(&permit).await?;
    must("rows", &ground.ids(None).await?, &range(0, 20))?;
    let columns = ground.subject.readback.columns(&ground.table()).await?;
    must("the new column is there", &columns.iter().any(|name| name == "extra"), &true)
}

async fn a_frozen_table_refuses_a_new_column_by_name(ground: &Ground<'_>) -> Result<(), Broken> {
    let narrow = ground.spec(ROWS, &["text"])?;
    ground.subject.sink.prepare(&narrow).await?;
    let mut wide = ground.spec(ROWS, &["text", "extra"])?;
    wide.evolution = Evolution::Freeze;
    match ground.subject.sink.prepare(&wide).await {
        Ok(()) => return Err(Broken("a frozen table took a new column".to_owned())),
        Err(e) if e.kind != Kind::SchemaChanged => {
            return Err(Broken(format!("{:?} is no schema-changed: {e}", e.kind)));
        }
        Err(e) => must("the column is named", &e.message.contains("extra"), &true)?,
    }
    let columns = ground.subject.readback.columns(&ground.table()).await?;
    must("the new column is there", &columns.iter().any(|name| name == "extra"), &false)?;
    let mut same = narrow.clone();
    same.evolution = Evolution::Freeze;
    Ok(ground.subject.sink.prepare(&same).await?)
}

async fn preparing_twice_changes_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &spec, &[("a", 0..10)]).await?;
    ground.subject.sink.prepare(&spec).await?;
    must("before the commit", &ground.subject.sink.settle(permit.intent()).await?, &Settled::Intact)?;
    ground.subject.sink.commit(&permit).await?;
    ground.subject.sink.prepare(&spec).await?;
    must("rows", &ground.ids(None).await?, &range(0, 10))
}

async fn the_ledger_is_told_before_the_first_row(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    ground.subject.sink.prepare(&spec).await?;
    let ledger = Arc::new(MemoryLedger::default());
    let mut writer = ground.writer(&ground.load(0), &spec, "a", &ledger).await?;
    writer.write(batch(&spec.schema, 0..10)?).await?;
    let receipt = writer.finish().await?;
    must("rows of the receipt", &confirmed(&receipt), &(10, 10))?;
    let told = ledger.told();
    for artifact in &receipt.artifacts {
        let mut of_it = told.iter().filter(|told| name_of(told) == artifact.name);
        match of_it.next() {
            Some(Told::Opened(first)) => must("rows when it was opened", &(first.rows, first.finalized), &(0, false))?,
            other => {
                return Err(Broken(format!("the first that the ledger was told of {} is {other:?}", artifact.name)));
            }
        }
        let last = of_it.next_back().cloned();
        must("the last that the ledger was told", &last, &Some(Told::Finalized(artifact.clone())))?;
    }
    must("artifacts hold rows", &receipt.artifacts.is_empty(), &false)
}

fn name_of(told: &Told) -> &str {
    match told {
        Told::Opened(artifact) | Told::Progressed(artifact) | Told::Finalized(artifact) => &artifact.name,
    }
}

async fn no_row_is_taken_when_the_ledger_refuses(ground: &Ground<'_>) -> Result<(), Broken> {
    let spec = ground.spec(ROWS, &["text"])?;
    ground.subject.sink.prepare(&spec).await?;
    let ledger = Arc::new(MemoryLedger::refusing());
    // Opening, writing or finishing may be what fails, but one of them must.
    if let Ok(mut writer) = ground.writer(&ground.load(0), &spec, "a", &ledger).await
        && writer.write(batch(&spec.schema, 0..10)?).await.is_ok()
    {
        must("finished", &writer.finish().await.is_ok(), &false)?;
    }
    must("rows", &ground.ids(None).await?, &vec![])
}
