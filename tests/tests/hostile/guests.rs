//! What the hostile guest does by itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind, Retry};
use sluice_core::limits::InstanceLimits;
use sluice_core::pipeline::Grants;
use sluice_core::plan::{DiscoverFilter, DiscoverPage, Pages};
use sluice_runtime::{Budget, Instance, Line};
use sluice_tests::attack::{Outcome, config, connect, limits, read, surroundings};
use sluice_tests::sandbox;

/// Reads with an attack's configuration, and nothing else.
pub(crate) async fn plainly(attack: &str) -> Outcome {
    bounded(attack, limits()).await
}

async fn bounded(attack: &str, limits: InstanceLimits) -> Outcome {
    read(&config(attack), limits, Grants::default(), &surroundings()).await
}

async fn instance(attack: &str) -> Instance {
    let connection = connect(&config(attack), limits(), Grants::default(), &surroundings()).await.unwrap();
    connection.instance().await.unwrap()
}

/// Attacks for which the default limits and no grants do.
macro_rules! plainly {
    ($($name:ident)*) => {$(
        pub(crate) async fn $name() -> Outcome {
            plainly(stringify!($name)).await
        }
    )*};
}

plainly! {
    stack trap
    garbage huge_length huge_batch huge_call compressed_batch rows_of_nothing negative_rows column_of_nothing
    more_nulls_than_values missing_columns buffer_beyond_body wild_offsets text_that_is_none dictionary_batch
    schema_for_batch short_row wrong_kind missing_piece shifted_pieces long_metadata no_metadata many_pieces
    overlapping_pieces piece_bomb piece_beyond_memory endless_piece
    another_schema switched_schema dictionary_column nested_columns column_bomb twin_columns long_column_name channel_flood
    another_stream undeclared_channel push_in_planning lying_checkpoint forged_checkpoint cursor_bomb state_bomb split_flood
    twin_splits nameless_split descriptor_bomb
    items_while_reading items_recall_while_reading items_replace items_stranger items_recall_stranger items_long_key
    items_recall_long_key items_long_value items_many_at_once items_recall_many_at_once
    files environment connect_undeclared forged_handle
}

pub(crate) async fn spin() -> Outcome {
    let begun = Instant::now();
    let outcome = bounded("spin", InstanceLimits { cpu_ms: 300, ..limits() }).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    outcome
}

pub(crate) async fn spin_in_planning() -> Outcome {
    bounded("spin_in_planning", InstanceLimits { cpu_ms: 300, ..limits() }).await
}

pub(crate) async fn sleep() -> Outcome {
    bounded("sleep", InstanceLimits { wall_ms: 400, ..limits() }).await
}

pub(crate) async fn memory() -> Outcome {
    bounded("memory", InstanceLimits { memory_bytes: 32 << 20, ..limits() }).await
}

pub(crate) async fn flood() -> Outcome {
    bounded("flood", InstanceLimits { output_rows: 1_000_000, ..limits() }).await
}

pub(crate) async fn flood_of_bytes() -> Outcome {
    bounded("flood_of_bytes", InstanceLimits { output_bytes: 16 << 20, ..limits() }).await
}

pub(crate) async fn items_many() -> Outcome {
    let outcome = bounded("items_many", InstanceLimits { cpu_ms: 200_000, wall_ms: 400_000, ..limits() }).await;
    assert_eq!(outcome.as_ref().unwrap_err().stream.as_deref(), Some("numbers"));
    outcome
}

pub(crate) async fn items_bytes() -> Outcome {
    bounded("items_bytes", InstanceLimits { cpu_ms: 200_000, wall_ms: 400_000, ..limits() }).await
}

pub(crate) async fn odd_pieces() -> Outcome {
    plainly("odd_pieces").await
}

pub(crate) async fn never_leave() -> Outcome {
    let planner = instance("never_leave").await;
    sandbox::plan(&planner, "numbers").await?;
    let begun = Instant::now();
    planner.close().await;
    let took = begun.elapsed();
    assert!(took >= sluice_runtime::GOODBYE && took < Duration::from_secs(30), "{took:?}");
    Ok("closed all the same".into())
}

async fn discovered(attack: &str) -> Outcome {
    instance(attack)
        .await
        .discover(Default::default(), None)
        .await
        .map(|page| format!("{} streams", page.streams.len()))
}

pub(crate) async fn nameless_stream() -> Outcome {
    discovered("nameless_stream").await
}

pub(crate) async fn long_stream() -> Outcome {
    discovered("long_stream").await
}

pub(crate) async fn escaping_stream() -> Outcome {
    discovered("escaping_stream").await
}

pub(crate) async fn reversed_stream() -> Outcome {
    discovered("reversed_stream").await
}

async fn listed(attack: &str) -> Outcome {
    let mut streams = 0;
    let each = |page: DiscoverPage| {
        streams += page.streams.len();
        true
    };
    instance(attack).await.discover_pages(&DiscoverFilter::default(), Pages::default(), each).await?;
    Ok(format!("{streams} streams"))
}

pub(crate) async fn endless_pages() -> Outcome {
    listed("endless_pages").await
}

pub(crate) async fn circling_pages() -> Outcome {
    listed("circling_pages").await
}

pub(crate) async fn shouting() -> Outcome {
    let steps = instance("shouting").await.check().await?;
    Ok(format!("{}: {}", steps[1].name, steps[1].detail))
}

pub(crate) async fn check_flood() -> Outcome {
    Ok(format!("{} steps", instance("check_flood").await.check().await?.len()))
}

pub(crate) async fn error_flood() -> Outcome {
    let error = plainly("error_flood").await.unwrap_err();
    assert!(error.message.len() < 5_000, "{} bytes", error.message.len());
    Err(error)
}

pub(crate) async fn error_for_ever() -> Outcome {
    let error = plainly("error_for_ever").await.unwrap_err();
    assert_eq!(error.retry, Retry::After(Duration::from_secs(24 * 3600)));
    Err(error)
}

/// Reads with little room for a log: how many lines were dropped, and those that were kept.
async fn logged(attack: &str) -> Result<(u64, Vec<Line>), RunError> {
    let small = InstanceLimits { log_bytes: 10_000, ..limits() };
    let connection = connect(&config(attack), small, Grants::default(), &surroundings()).await?;
    let planner = connection.instance().await?;
    let plan = sandbox::plan(&planner, "numbers").await?;
    let instance = connection.instance().await?;
    let planned = vec![("numbers".into(), plan.streams[0].schema.clone())];
    instance.read(plan.splits[0].clone(), None, planned, Budget::new(1 << 20)).await?.finish().await?;
    let lines = instance.log().take();
    assert!(lines.iter().map(|line| line.text.len()).sum::<usize>() <= 10_000);
    Ok((instance.log().dropped(), lines))
}

async fn flooded(attack: &str) -> Outcome {
    let (dropped, _) = logged(attack).await?;
    assert!(dropped > 1_000, "{dropped}");
    Ok(format!("{dropped} lines were dropped"))
}

pub(crate) async fn log_flood() -> Outcome {
    flooded("log_flood").await
}

pub(crate) async fn output_flood() -> Outcome {
    flooded("output_flood").await
}

pub(crate) async fn log_forgery() -> Outcome {
    let (dropped, lines) = logged("log_forgery").await?;
    assert_eq!((dropped, lines.len()), (0, 1));
    Ok(lines[0].text.clone())
}

async fn in_folder(attack: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    let folders = BTreeMap::from([("/data".to_owned(), folder.path().to_path_buf())]);
    let outcome = read(&config(attack), limits(), Grants { folders, ..Grants::default() }, &surroundings()).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something was written");
    outcome
}

pub(crate) async fn escape_folder() -> Outcome {
    in_folder("escape_folder").await
}

pub(crate) async fn follow_link() -> Outcome {
    in_folder("follow_link").await
}

pub(crate) async fn write_folder() -> Outcome {
    in_folder("write_folder").await
}

pub(crate) async fn outside_secret() -> Outcome {
    let config = json!({"token": "outside-only", "password": "inside"});
    let connection = connect(&config, limits(), Grants::default(), &surroundings()).await?;
    Ok(connection.instance().await?.check().await?[0].detail.clone())
}

/// What a guest says of what it saw, which it can only say as an error.
pub(crate) fn seen(outcome: Outcome) -> Outcome {
    match outcome {
        Err(error) if error.kind == Kind::NotFound && error.actor == Actor::User => Ok(error.message),
        other => other,
    }
}

pub(crate) async fn clock_probe() -> Outcome {
    seen(plainly("clock_probe").await)
}

pub(crate) async fn leftovers() -> Outcome {
    let with = |session: &str| {
        let mut config = config("leftovers");
        config["session"] = Value::from(session);
        config
    };
    let grants = Grants::default;
    // Somebody else's instances, which leave what they had in memory.
    for _ in 0..4 {
        let planted = seen(read(&with("plant"), limits(), grants(), &surroundings()).await)?;
        assert_eq!(planted, "0 traces");
    }
    for _ in 0..4 {
        let found = seen(read(&with("search"), limits(), grants(), &surroundings()).await)?;
        assert_eq!(found, "0 traces");
    }
    Ok("0 traces".into())
}
