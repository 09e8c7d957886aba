//! What makes runs happen without anybody at a terminal: worker processes, the queue, schedules.

pub mod worker;
