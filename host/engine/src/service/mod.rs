//! What makes runs happen without anybody at a terminal: [`schedule`] turns moments into queued runs, [`queue`] starts them in turn,
//! [`resolve`] puts together what each attempt needs, which runs in a process of its own ([`worker`]), and [`live`] tells whoever watches.
//! [`notify`] decides who hears of a run that ended, [`deliver`] sends it, [`retention`] forgets what is old; [`metrics`] counts all of it, [`trace`] tells it step by step.
//!
//! Several hosts may do all of this on one PostgreSQL database: the store decides who was first.

mod attempt;
pub mod catalogue;
pub mod cloud;
pub mod components;
pub mod deliver;
pub mod elsewhere;
pub mod examine;
mod fallback;
pub mod knock;
pub mod live;
mod log;
pub mod metrics;
pub mod notify;
pub mod queue;
pub mod resolve;
pub mod retention;
pub mod schedule;
pub mod trace;
pub mod trial;
mod watch;
pub mod worker;

/// Where ids come from: unique, ordered by time. The binary makes them.
pub trait Ids: Send + Sync {
    /// The next one.
    fn next(&self) -> String;
}

impl<F: Fn() -> String + Send + Sync> Ids for F {
    fn next(&self) -> String {
        self()
    }
}
