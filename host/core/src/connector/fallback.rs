//! When a host goes back to the version before by itself.

use crate::error::{Actor, Kind, RunError};

/// What is known when a run of a pipeline has failed with a connector that was upgraded.
#[derive(Clone, Copy, Debug)]
pub struct AfterUpgrade<'a> {
    /// Why the attempt failed.
    pub error: &'a RunError,
    /// Whether its process ended before the attempt did: killed, aborted, out of memory.
    pub crashed: bool,
    /// The digest that the attempt ran with.
    pub used: &'a str,
    /// The digest that is installed now.
    pub installed: &'a str,
    /// The one before it, if there is one that may be used.
    pub previous: Option<&'a str>,
    /// Whether the pipeline has had a success with the one that is installed.
    pub new_has_succeeded: bool,
    /// Whether the last thing that the pipeline did with the previous one was to succeed.
    pub old_succeeded: bool,
}

/// Whether runs go back to the version before: the first run of a pipeline after an upgrade failed for a reason that lies with the
/// connector, or took its process down, and the run before the upgrade had succeeded. What brings a process down is not known for
/// certain; after an upgrade it is most likely what is new, and the version before loses nothing. Somebody who has upgraded again, or gone
/// back, meanwhile is not overruled.
pub fn falls_back(facts: &AfterUpgrade<'_>) -> bool {
    facts.used == facts.installed
        && facts.previous.is_some_and(|previous| previous != facts.installed)
        && facts.old_succeeded
        && !facts.new_has_succeeded
        && (facts.crashed || lies_with_connector(facts.error))
}

/// Whether another version of the connector could have done better: it broke the contract, the sandbox had to end it, it says itself that
/// it has a defect, or what it reads has another shape than before. A source that is away or refuses is not the connector's fault, nor is
/// a configuration that somebody has changed.
pub fn lies_with_connector(error: &RunError) -> bool {
    let kind =
        matches!(error.kind, Kind::Protocol | Kind::Sandbox | Kind::Internal | Kind::Unsupported | Kind::SchemaChanged);
    kind && !matches!(error.actor, Actor::Sink | Actor::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_failure_after_an_upgrade_goes_back() {
        let error = RunError::new(Kind::Protocol, Actor::Source, "the batch has another schema");
        let facts = AfterUpgrade {
            error: &error,
            crashed: false,
            used: "new",
            installed: "new",
            previous: Some("old"),
            new_has_succeeded: false,
            old_succeeded: true,
        };
        assert!(falls_back(&facts));
        for other in [
            AfterUpgrade { used: "old", ..facts },
            AfterUpgrade { installed: "newer", ..facts },
            AfterUpgrade { previous: None, ..facts },
            AfterUpgrade { previous: Some("new"), ..facts },
            AfterUpgrade { new_has_succeeded: true, ..facts },
            AfterUpgrade { old_succeeded: false, ..facts },
        ] {
            assert!(!falls_back(&other), "{other:?}");
        }
    }

    #[test]
    fn a_process_that_was_taken_down_goes_back_whatever_is_said_of_it() {
        let error = RunError::new(
            Kind::Transient,
            Actor::Host,
            "the worker process ended before its job (signal: 6 (SIGABRT))",
        );
        let facts = AfterUpgrade {
            error: &error,
            crashed: true,
            used: "new",
            installed: "new",
            previous: Some("old"),
            new_has_succeeded: false,
            old_succeeded: true,
        };
        assert!(falls_back(&facts));
        assert!(!falls_back(&AfterUpgrade { crashed: false, ..facts }));
        assert!(!falls_back(&AfterUpgrade { new_has_succeeded: true, ..facts }));
    }

    #[test]
    fn a_source_that_is_away_is_not_the_connectors_fault() {
        let error = |kind, actor| RunError::new(kind, actor, "x");
        for kind in [Kind::Protocol, Kind::Sandbox, Kind::Internal, Kind::Unsupported, Kind::SchemaChanged] {
            assert!(lies_with_connector(&error(kind, Actor::Source)), "{kind}");
            assert!(!lies_with_connector(&error(kind, Actor::Sink)), "{kind}");
        }
        for kind in [Kind::Config, Kind::Auth, Kind::Permission, Kind::NotFound, Kind::RateLimited, Kind::Transient] {
            assert!(!lies_with_connector(&error(kind, Actor::Source)), "{kind}");
        }
    }
}
