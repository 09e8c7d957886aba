//! `sluice discover`: lists what a source offers, page by page as it arrives.

use sluice_core::RunError;
use sluice_core::plan::{DiscoverFilter, Pages};
use sluice_runtime::Connection;

use super::failed;
use crate::cli::{DiscoverArgs, Options};
use crate::{file, show, wire};

/// Streams asked for at once.
const PAGE: u32 = 200;

pub(crate) async fn run(options: &Options, args: &DiscoverArgs) -> u8 {
    match list(options, args).await {
        Ok(()) => 0,
        Err(error) => failed(options, &error),
    }
}

async fn list(options: &Options, args: &DiscoverArgs) -> Result<(), RunError> {
    let file = file::source(&args.file)?;
    let runtime = wire::runtime(options)?;
    let connection = wire::connection(options, &runtime, &file.source, &file.limits).await?;
    show_streams(options, &connection, &args.contains, args.limit, args.columns).await
}

/// Shows the streams of a connection as their pages arrive.
pub(super) async fn show_streams(
    options: &Options,
    connection: &Connection,
    contains: &str,
    limit: usize,
    columns: bool,
) -> Result<(), RunError> {
    let instance = connection.instance().await?;
    let mut table = show::discover::Listing::new(options.json(), columns);
    let page_size = PAGE.min(u32::try_from(limit).unwrap_or(PAGE)).max(1);
    let filter = DiscoverFilter { contains: contains.to_owned(), ids: Vec::new(), page_size };
    let mut left = limit;
    let mut more = false;
    let behind = instance.discover_pages(&filter, Pages::default(), |page| {
        page.streams.iter().take(left).for_each(|stream| table.add(stream));
        more = page.streams.len() > left;
        left = left.saturating_sub(page.streams.len());
        left > 0
    });
    let behind = behind.await?;
    table.finish(more || behind);
    Ok(())
}
