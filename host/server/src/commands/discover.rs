//! `sluice discover`: lists what a source offers, page by page as it arrives.

use sluice_core::RunError;
use sluice_core::plan::DiscoverFilter;

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
    let instance = connection.instance().await?;
    let mut table = show::discover::Listing::new(options.json(), args.columns);
    let mut page = None;
    let mut left = args.limit;
    while left > 0 {
        let page_size = PAGE.min(u32::try_from(left).unwrap_or(PAGE));
        let filter = DiscoverFilter { contains: args.contains.clone(), ids: Vec::new(), page_size };
        let found = instance.discover(filter, page).await?;
        for stream in found.streams.iter().take(left) {
            table.add(stream);
        }
        left = left.saturating_sub(found.streams.len());
        page = found.next;
        if page.is_none() {
            break;
        }
    }
    table.finish(page.is_some());
    Ok(())
}
