//! How the sandbox ends a guest: each promise has a fault of its own, whose message names the limit.

use sluice_core::error::{Actor, Kind, Retry, RunError};

/// Why an instance was ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It asked for more linear memory than it may have.
    #[error("the connector asked for {asked} bytes of memory; limits.instance.memory_bytes is {limit}")]
    Memory {
        /// Bytes asked for.
        asked: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Objects that its engine collects do not fit into what is left.
    #[error("the connector's objects do not fit into its memory; limits.instance.memory_bytes is {limit}")]
    Objects {
        /// Bytes allowed.
        limit: u64,
    },
    /// It asked for more table elements than any connector needs.
    #[error("the connector asked for a table of {asked} elements; at most {limit} are allowed")]
    Table {
        /// Elements asked for.
        asked: usize,
        /// Elements allowed.
        limit: usize,
    },
    /// It computed for too long in one call.
    #[error("the connector computed for longer than limits.instance.cpu_ms = {limit_ms} in one call")]
    Cpu {
        /// The limit.
        limit_ms: u64,
    },
    /// A call took too long altogether.
    #[error("a call of the connector took longer than limits.instance.wall_ms = {limit_ms}")]
    Wall {
        /// The limit.
        limit_ms: u64,
    },
    /// Its stack overflowed.
    #[error("the connector's stack overflowed; at most {limit} bytes are allowed")]
    Stack {
        /// The limit.
        limit: usize,
    },
    /// It pushed too many rows.
    #[error("the connector pushed more than limits.instance.output_rows = {limit} rows in one read")]
    OutputRows {
        /// The limit.
        limit: u64,
    },
    /// It pushed too many bytes.
    #[error("the connector pushed more than limits.instance.output_bytes = {limit} bytes in one read")]
    OutputBytes {
        /// The limit.
        limit: u64,
    },
    /// It pushed a batch that is too large.
    #[error("the connector pushed a batch of {bytes} bytes; limits.instance.batch_bytes is {limit}")]
    BatchBytes {
        /// Bytes pushed.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// It handed over too much in one host call.
    #[error("the connector handed more than limits.instance.hostcall_bytes = {limit} bytes to the host in one call")]
    HostcallBytes {
        /// The limit.
        limit: u64,
    },
    /// It pushed a batch that is not what it says it is.
    #[error("the connector pushed an invalid batch of stream {stream}: {reason}")]
    Batch {
        /// The stream.
        stream: String,
        /// What is wrong.
        reason: String,
    },
    /// It declared a schema that cannot be, or another one than it planned.
    #[error("the connector declared an invalid schema for stream {stream}: {reason}")]
    Schema {
        /// The stream.
        stream: String,
        /// What is wrong.
        reason: String,
    },
    /// It broke a rule of the contract.
    #[error("the connector broke the contract: {reason}")]
    Contract {
        /// Which rule, and how.
        reason: String,
    },
    /// It remembers more, or something larger, than a stream's state may hold.
    #[error("the connector cannot remember that: {reason}")]
    Items {
        /// The stream.
        stream: String,
        /// Which limit, and what was asked for.
        reason: String,
    },
    /// What is remembered could not be looked up.
    #[error("{0}")]
    Recall(RunError),
    /// It trapped.
    #[error("the connector crashed: {reason}")]
    Trap {
        /// The trap, and the last words of the guest if it left any.
        reason: String,
    },
    /// The host ended it on request.
    #[error("the connector was cancelled")]
    Cancelled,
    /// The instance ended in an earlier call and cannot be used any more.
    #[error("the connector's instance has ended")]
    Gone,
}

impl From<Fault> for RunError {
    fn from(fault: Fault) -> Self {
        if let Fault::Recall(error) = fault {
            return error;
        }
        let (kind, retry) = match &fault {
            Fault::Cancelled => (Kind::Cancelled, Retry::Never),
            Fault::Wall { .. } => (Kind::Sandbox, Retry::Later),
            _ => (Kind::Sandbox, Retry::Never),
        };
        let error = Self::new(kind, Actor::Source, fault.to_string()).with_retry(retry);
        match fault {
            Fault::Batch { stream, .. } | Fault::Schema { stream, .. } | Fault::Items { stream, .. } => {
                error.with_stream(stream)
            }
            _ => error,
        }
    }
}
