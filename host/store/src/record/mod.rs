//! What happened and what is still to be told: the audit log, answers kept for requests that are sent again, changes of states
//! by hand, what targets of notifications were told, and notifications on their way. And how what is old is forgotten.

mod audit;
mod history;
mod idempotency;
mod notices;
mod outbox;
mod retention;
mod summary;

pub(crate) use audit::audit_in;
pub use audit::{AuditEntry, AuditFilter, AuditRecord};
pub use history::{NewState, StateChange};
pub use idempotency::{Answer, Repeated};
pub use notices::{News, Notice, Target};
pub use outbox::{NewNotification, Notification};
pub use retention::LogsBefore;
pub use summary::{DAY_US, Daily, LastRun, Standing};
