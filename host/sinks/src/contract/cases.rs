//! The cases. Each has a table of its own and leaves it behind.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use sluice_core::commit::Settled;
use sluice_core::error::Kind;
use sluice_core::forecast::TableForecast;
use sluice_core::load::{Evolution, LoadStrategy, TableSpec};
use sluice_core::mark::{Author, Standing};

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
    loads_of_files_that_replace_nothing_add_up,
    rows_of_a_file_change_places_with_its_new_ones,
    a_file_that_became_empty_loses_its_rows,
    files_of_one_load_are_replaced_one_by_one,
    replacing_twice_changes_nothing,
    a_replacing_load_that_is_given_up_changes_nothing,
    files_of_any_name_and_many_of_them_are_replaced,
    what_preparing_would_do_is_foreseen_and_not_done,
    a_table_that_nobody_marked_has_no_mark,
    a_mark_is_its_authors_own_and_the_last_one_stands,
    a_mark_outlasts_commits_and_new_columns,
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

async fn loads_of_files_that_replace_nothing_add_up(ground: &Ground<'_>) -> Result<(), Broken> {
    for (index, (file, from)) in [("a", 0), ("b", 10), ("c", 20)].into_iter().enumerate() {
        let permit = ground.stage_files(&ground.load(index), &[(file, from..from + 10)], &[]).await?;
        let receipt = ground.subject.sink.commit(&permit).await?;
        must("rows of the receipt", &receipt.rows_committed, &10)?;
    }
    let empty = ground.stage_files(&ground.load(3), &[], &[]).await?;
    ground.subject.sink.commit(&empty).await?;
    must("rows", &ground.ids(None).await?, &range(0, 30))
}

async fn rows_of_a_file_change_places_with_its_new_ones(ground: &Ground<'_>) -> Result<(), Broken> {
    let first = ground.stage_files(&ground.load(0), &[("a", 0..10), ("b", 10..20), ("c", 20..30)], &[]).await?;
    ground.subject.sink.commit(&first).await?;
    let second = ground.stage_files(&ground.load(1), &[("b", 100..103), ("d", 200..201)], &["b"]).await?;
    must("rows before the commit", &ground.ids(None).await?, &range(0, 30))?;
    must("before the commit", &ground.subject.sink.settle(second.intent()).await?, &Settled::Intact)?;
    let receipt = ground.subject.sink.commit(&second).await?;
    must("rows of the receipt", &receipt.rows_committed, &4)?;
    let settled = ground.subject.sink.settle(second.intent()).await?;
    must("committed", &matches!(settled, Settled::Committed { .. }), &true)?;
    let expected: Vec<i64> = (0..10).chain(20..30).chain(100..103).chain(200..201).collect();
    must("rows", &ground.ids(None).await?, &expected)
}

async fn a_file_that_became_empty_loses_its_rows(ground: &Ground<'_>) -> Result<(), Broken> {
    let first = ground.stage_files(&ground.load(0), &[("a", 0..10), ("b", 10..20)], &[]).await?;
    ground.subject.sink.commit(&first).await?;
    let empty = ground.stage_files(&ground.load(1), &[], &["a", "never-there"]).await?;
    must("before the commit", &ground.subject.sink.settle(empty.intent()).await?, &Settled::Intact)?;
    let receipt = ground.subject.sink.commit(&empty).await?;
    must("rows of the receipt", &receipt.rows_committed, &0)?;
    must("rows", &ground.ids(None).await?, &range(10, 20))?;
    let last = ground.stage_files(&ground.load(2), &[], &["b"]).await?;
    ground.subject.sink.commit(&last).await?;
    must("rows once all are gone", &ground.ids(None).await?, &vec![])
}

async fn files_of_one_load_are_replaced_one_by_one(ground: &Ground<'_>) -> Result<(), Broken> {
    let first = ground.stage_files(&ground.load(0), &[("a", 0..3), ("b", 3..6), ("c", 6..9)], &[]).await?;
    ground.subject.sink.commit(&first).await?;
    for (index, (file, ids)) in [("b", 30..33), ("a", 0..1), ("b", 40..42), ("c", 60..66)].into_iter().enumerate() {
        let permit = ground.stage_files(&ground.load(index.saturating_add(1)), &[(file, ids)], &[file]).await?;
        ground.subject.sink.commit(&permit).await?;
    }
    must("rows", &ground.ids(None).await?, &[0, 40, 41].into_iter().chain(60..66).collect())
}

async fn replacing_twice_changes_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let first = ground.stage_files(&ground.load(0), &[("a", 0..10), ("b", 10..20)], &[]).await?;
    ground.subject.sink.commit(&first).await?;
    let second = ground.stage_files(&ground.load(1), &[("a", 50..55)], &["a"]).await?;
    ground.subject.sink.commit(&second).await?;
    let third = ground.stage_files(&ground.load(2), &[("c", 70..75)], &[]).await?;
    ground.subject.sink.commit(&third).await?;
    for permit in [&second, &first, &third] {
        let again = ground.subject.sink.commit(permit).await?;
        must("rows of the second receipt", &again.rows_committed, &permit.intent().rows)?;
    }
    let expected: Vec<i64> = (10..20).chain(50..55).chain(70..75).collect();
    must("rows", &ground.ids(None).await?, &expected)
}

async fn a_replacing_load_that_is_given_up_changes_nothing(ground: &Ground<'_>) -> Result<(), Broken> {
    let first = ground.stage_files(&ground.load(0), &[("a", 0..10)], &[]).await?;
    ground.subject.sink.commit(&first).await?;
    let given_up = ground.stage_files(&ground.load(1), &[("a", 50..55)], &["a"]).await?;
    for _ in 0..2 {
        ground.subject.sink.abandon(&artifacts(&given_up)).await?;
    }
    must("rows after giving up", &ground.ids(None).await?, &range(0, 10))?;
    match ground.subject.sink.settle(given_up.intent()).await? {
        Settled::Lost { .. } => {}
        other => return Err(Broken(format!("after giving up it is {other:?}"))),
    }
    let next = ground.stage_files(&ground.load(2), &[("a", 60..62)], &["a"]).await?;
    ground.subject.sink.commit(&next).await?;
    must("rows of the next load", &ground.ids(None).await?, &range(60, 62))
}

async fn files_of_any_name_and_many_of_them_are_replaced(ground: &Ground<'_>) -> Result<(), Broken> {
    let odd = ["it's", "a\"b", "c\\d", "größe/ö.csv", "`x`", "100%_", " ", "new\nline", "b\u{1F600}.csv"];
    let files: Vec<(&str, std::ops::Range<i64>)> = odd.iter().zip(0..).map(|(file, id)| (*file, id..id + 1)).collect();
    let first = ground.stage_files(&ground.load(0), &files, &[]).await?;
    ground.subject.sink.commit(&first).await?;
    let many: Vec<String> = (0..12_000).map(|n| format!("logs/day={n:05}/part.csv")).collect();
    let replaced: Vec<&str> = many.iter().map(String::as_str).chain(odd.into_iter().skip(1)).collect();
    let second = ground.stage_files(&ground.load(1), &[("it's not", 100..101)], &replaced).await?;
    ground.subject.sink.commit(&second).await?;
    must("rows", &ground.ids(None).await?, &vec![0, 100])
}

async fn what_preparing_would_do_is_foreseen_and_not_done(ground: &Ground<'_>) -> Result<(), Broken> {
    let sink = ground.subject.sink;
    let (narrow, wide) = (ground.spec(ROWS, &["text"])?, ground.spec(ROWS, &["text", "extra"])?);
    must("before there is a table", &sink.foresee(&narrow).await?, &TableForecast::default())?;
    must("and it was not made", &sink.foresee(&narrow).await?.exists, &false)?;
    sink.prepare(&narrow).await?;
    must("the same columns", &sink.foresee(&narrow).await?, &TableForecast { exists: true, changes: Vec::new() })?;
    let foreseen = sink.foresee(&wide).await?;
    must("the new column is named", &foreseen.changes.iter().any(|change| change.contains("extra")), &true)?;
    must("and it was not added", &sink.foresee(&wide).await?, &foreseen)?;
    match sink.foresee(&TableSpec { evolution: Evolution::Freeze, ..wide }).await {
        Err(error) => must("what would be refused", &error.kind, &Kind::SchemaChanged),
        Ok(told) => Err(Broken(format!("a frozen table would take a new column: {told:?}"))),
    }
}

async fn a_table_that_nobody_marked_has_no_mark(ground: &Ground<'_>) -> Result<(), Broken> {
    let (sink, table, author) = (ground.subject.sink, ground.table(), Author::new("t", "p", "s"));
    must("before there is a table", &sink.standing(&table, &author).await?, &Standing::NoTable)?;
    let spec = ground.spec(ROWS, &["text"])?;
    let permit = ground.stage(&ground.load(0), &spec, &[("a", 0..10)]).await?;
    must("before the commit", &sink.standing(&table, &author).await?, &Standing::Unmarked)?;
    sink.commit(&permit).await?;
    must("after the commit", &sink.standing(&table, &author).await?, &Standing::Unmarked)
}

async fn a_mark_is_its_authors_own_and_the_last_one_stands(ground: &Ground<'_>) -> Result<(), Broken> {
    let (sink, table) = (ground.subject.sink, ground.table());
    let (one, other) = (Author::new("t", "p", "one"), Author::new("t", "p", "other"));
    sink.prepare(&ground.spec(ROWS, &["text"])?).await?;
    sink.mark(&table, &one, &ground.load(0)).await?;
    must("of another author", &sink.standing(&table, &other).await?, &Standing::Unmarked)?;
    sink.mark(&table, &other, &ground.load(1)).await?;
    for _ in 0..2 {
        sink.mark(&table, &one, &ground.load(2)).await?;
        must("the last mark", &sink.standing(&table, &one).await?, &Standing::Marked(ground.load(2)))?;
        must("of another author", &sink.standing(&table, &other).await?, &Standing::Marked(ground.load(1)))?;
    }
    Ok(())
}

async fn a_mark_outlasts_commits_and_new_columns(ground: &Ground<'_>) -> Result<(), Broken> {
    let (sink, table, author) = (ground.subject.sink, ground.table(), Author::new("t", "p", "s"));
    let permit = ground.stage(&ground.load(0), &ground.spec(ROWS, &["text"])?, &[("a", 0..10)]).await?;
    sink.mark(&table, &author, &permit.intent().load).await?;
    must("rows that only a mark announces", &ground.ids(None).await?, &vec![])?;
    sink.commit(&permit).await?;
    must("after the commit", &sink.standing(&table, &author).await?, &Standing::Marked(ground.load(0)))?;
    let wide = ground.stage(&ground.load(1), &ground.spec(ROWS, &["text", "extra"])?, &[("a", 10..20)]).await?;
    must("after a new column", &sink.standing(&table, &author).await?, &Standing::Marked(ground.load(0)))?;
    sink.mark(&table, &author, &ground.load(1)).await?;
    sink.commit(&wide).await?;
    must("after the next commit", &sink.standing(&table, &author).await?, &Standing::Marked(ground.load(1)))?;
    must("rows", &ground.ids(None).await?, &range(0, 20))
}
