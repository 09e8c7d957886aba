//! A run as the engine carries it out: its record, its loads, what its sinks have begun, what is to be committed, and the state
//! that its streams have after it.

mod commits;
mod items;
mod ledger;
mod marks;
mod names;
mod records;
mod runs;
mod state;

pub use commits::{NewIntent, OpenIntent};
pub use marks::StreamMark;
pub use records::{RunRecord, StreamRecord};
pub use runs::{LoadState, NewRun, NewStream};
pub use state::CommittedState;
