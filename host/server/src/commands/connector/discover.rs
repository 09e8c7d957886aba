//! `sluice connector discover`: the streams that a connection offers, with their columns.

use sluice_core::RunError;

use super::connection;
use crate::cli::{DiscoverConnectorArgs, Options};

pub(super) async fn run(options: &Options, args: &DiscoverConnectorArgs) -> Result<(), RunError> {
    let connection = connection::open(options, &args.connection).await?;
    super::super::discover::show_streams(options, &connection, &args.contains, args.limit, true).await
}
