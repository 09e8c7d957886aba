//! Completes what a guest says of a failed request with what only the host knows. `wasi:http` hands a guest a code; why the
//! host did not send a request, or why a server refused what the host signed, would be lost otherwise.

use sluice_core::RunError;
use sluice_core::error::{Actor, Kind, Retry};
use sluice_core::plan::{CheckStep, Outcome};

use crate::net::{NetError, NetErrorKind};

/// An error of a guest's whose last request failed.
pub(super) fn error(error: RunError, told: &NetError) -> RunError {
    let mut error = RunError { message: with(&error.message, told), ..error };
    // A guest guesses from a code or a status; where the host decided, it knows. An end that the host asked for stays one.
    if let (Some(kind), false) = (decided(told.kind), error.kind == Kind::Cancelled) {
        error = RunError { kind, actor: Actor::User, retry: Retry::Never, ..error };
    }
    error
}

/// The last step that failed, of a guest whose last request failed.
pub(super) fn steps(steps: &mut [CheckStep], told: &NetError) {
    if let Some(step) = steps.iter_mut().rev().find(|step| step.outcome == Outcome::Failed) {
        step.detail = with(&step.detail, told);
    }
}

/// What a guest said while it crashed.
pub(super) fn reason(reason: String, told: Option<NetError>) -> String {
    match told {
        Some(told) => format!("{reason}; its last HTTP request failed: {told}"),
        None => reason,
    }
}

fn with(message: &str, told: &NetError) -> String {
    if message.contains(&told.message) {
        return message.to_owned();
    }
    format!("{}: {told}", message.trim_end_matches('.'))
}

/// What kind of error it is, if it was the host that decided.
fn decided(kind: NetErrorKind) -> Option<Kind> {
    match kind {
        NetErrorKind::Permission | NetErrorKind::Limit => Some(Kind::Permission),
        NetErrorKind::Auth => Some(Kind::Auth),
        NetErrorKind::Config => Some(Kind::Config),
        NetErrorKind::NotFound | NetErrorKind::Transient | NetErrorKind::Protocol => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> NetError {
        NetError::new(NetErrorKind::Permission, "a.example:443 is not declared")
    }

    #[test]
    fn a_refusal_of_the_hosts_is_never_tried_again_whatever_the_guest_makes_of_it() {
        let guests = RunError::new(Kind::Transient, Actor::Source, "the request failed.").with_stream("orders");
        let completed = error(guests, &denied());
        assert_eq!(completed.to_string(), "stream orders: the request failed: a.example:443 is not declared");
        assert_eq!((completed.kind, completed.actor, completed.retry), (Kind::Permission, Actor::User, Retry::Never));
        let again = error(completed.clone(), &denied());
        assert_eq!(again, completed, "nothing is said twice");
    }

    #[test]
    fn a_fault_of_the_network_keeps_the_guests_kind() {
        let guests = RunError::new(Kind::Transient, Actor::Source, "nobody answers");
        let completed = error(guests, &NetError::new(NetErrorKind::Transient, "connection refused"));
        assert_eq!(
            (completed.kind, completed.message.as_str()),
            (Kind::Transient, "nobody answers: connection refused")
        );
        let cancelled = error(RunError::new(Kind::Cancelled, Actor::Host, "stopped"), &denied());
        assert_eq!(cancelled.kind, Kind::Cancelled);
    }

    #[test]
    fn the_step_that_failed_says_why() {
        let step = |outcome| CheckStep { name: "list".into(), outcome, detail: "no".into(), remedy: String::new() };
        let mut all = [step(Outcome::Passed), step(Outcome::Failed), step(Outcome::Skipped)];
        steps(&mut all, &denied());
        assert_eq!(all.map(|step| step.detail), ["no", "no: a.example:443 is not declared", "no"]);
    }
}
