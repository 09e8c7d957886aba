//! The frame of a check: opening a session stage by stage, what is known of each, and steps from errors.

use sluice_sdk::{CheckStep, Error};

/// The steps that every database has; what comes behind them is a connector's own.
pub const CONNECT: &str = "connect";
/// Encryption.
pub const TLS: &str = "tls";
/// Authentication, and what the session needs to begin.
pub const LOG_IN: &str = "log in";

/// How far opening a session came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reaching the server.
    Connect,
    /// Agreeing on encryption.
    Tls,
    /// Authentication, and what the session needs to begin.
    LogIn,
}

/// How far the server's certificate is checked, as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// None is wanted.
    Disabled,
    /// Not at all, or not in every case.
    Unchecked,
    /// It must come from a trusted authority.
    Authority,
    /// It must also have the server's name.
    Name,
}

/// A server, and what to tell a person about it.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Its host.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// What is configured.
    pub encryption: Encryption,
    /// The server's own setting for the address that it listens on.
    pub listens_by: &'a str,
    /// How TLS is turned on at the server.
    pub tls_by: &'a str,
    /// What to check where logging in fails.
    pub login: &'a str,
}

impl Server<'_> {
    /// The steps of a session that could not be opened: those before the stage went well, `later` ones are skipped too.
    pub fn not_opened(&self, failed: Stage, error: &Error, later: &[&str]) -> Vec<CheckStep> {
        let not_encrypted = self.encryption == Encryption::Disabled;
        let agreed = if not_encrypted { "not encrypted, as configured" } else { "agreed upon" };
        let mut steps = match failed {
            Stage::Connect => vec![self.failure(CONNECT, error), CheckStep::skipped(TLS), CheckStep::skipped(LOG_IN)],
            Stage::Tls => vec![self.reached(), self.failure(TLS, error), CheckStep::skipped(LOG_IN)],
            Stage::LogIn => vec![self.reached(), CheckStep::passed(TLS, agreed), self.failure(LOG_IN, error)],
        };
        steps.extend(later.iter().map(|name| CheckStep::skipped(*name)));
        steps
    }

    /// The steps of a session that is open: with or without encryption, logged in as this user by this method.
    pub fn opened(&self, encrypted: bool, user: &str, method: &str) -> Vec<CheckStep> {
        vec![self.reached(), self.encryption(encrypted), CheckStep::passed(LOG_IN, format!("as {user} {method}"))]
    }

    /// A step that failed.
    pub fn failure(&self, name: &str, error: &Error) -> CheckStep {
        let remedy = match name {
            CONNECT => format!(
                "Check host and port, that the server listens on that address ({}), and that no firewall is in between",
                self.listens_by
            ),
            TLS => "Check the TLS mode, and the authorities and server name that the certificate is checked against"
                .to_owned(),
            LOG_IN => self.login.to_owned(),
            _ => "The server's log says more".to_owned(),
        };
        let (detail, remedy) = parts(error, &remedy);
        CheckStep::failed(name, detail, remedy)
    }

    fn reached(&self) -> CheckStep {
        CheckStep::passed(CONNECT, format!("{}:{} answers", self.host, self.port))
    }

    fn encryption(&self, encrypted: bool) -> CheckStep {
        match (encrypted, self.encryption) {
            (true, Encryption::Name) => CheckStep::passed(TLS, "encrypted, and the server is who it says it is"),
            (true, Encryption::Authority) => {
                CheckStep::passed(TLS, "encrypted, and the certificate comes from a trusted authority")
            }
            (true, _) => {
                let remedy = "Set `tls` to verify-full, with the authority that signed the server's certificate, if others could be in between";
                CheckStep::warned(TLS, "encrypted, but the server's certificate is not checked", remedy)
            }
            (false, Encryption::Disabled) => {
                let remedy = "Set `tls` to verify-full unless the network is trusted";
                CheckStep::warned(TLS, "not encrypted, as configured", remedy)
            }
            (false, _) => {
                let remedy = format!("Set `tls` to verify-full, and turn TLS on at the server ({})", self.tls_by);
                CheckStep::warned(TLS, "not encrypted", remedy)
            }
        }
    }
}

/// What is wrong, and what to do about it: an error's last sentence. Where it has only one, `otherwise` stands in.
pub fn parts<'a>(error: &'a Error, otherwise: &'a str) -> (&'a str, &'a str) {
    let parts = error.message.rsplit_once(". ").or_else(|| error.message.rsplit_once("; "));
    parts.unwrap_or((&error.message, otherwise))
}

#[cfg(test)]
mod tests {
    use sluice_sdk::Outcome;

    use super::*;

    fn server(encryption: Encryption) -> Server<'static> {
        let (listens_by, tls_by, login) = ("listen", "ssl = on", "Check user");
        Server { host: "db", port: 1, encryption, listens_by, tls_by, login }
    }

    #[test]
    fn the_last_sentence_is_what_to_do() {
        let error = Error::auth("the password is wrong (28P01). Check it");
        assert_eq!(parts(&error, "look"), ("the password is wrong (28P01)", "Check it"));
        assert_eq!(parts(&Error::transient("nobody answers"), "look"), ("nobody answers", "look"));
    }

    #[test]
    fn what_comes_before_the_stage_that_failed_went_well_and_what_follows_is_skipped() {
        let outcomes = |stage| -> Vec<(String, Outcome)> {
            let steps = server(Encryption::Name).not_opened(stage, &Error::auth("no"), &["read"]);
            steps.into_iter().map(|step| (step.name, step.outcome)).collect()
        };
        let named = |outcomes: [Outcome; 4]| -> Vec<(String, Outcome)> {
            [CONNECT, TLS, LOG_IN, "read"].map(str::to_owned).into_iter().zip(outcomes).collect()
        };
        use Outcome::{Failed, Passed, Skipped};
        assert_eq!(outcomes(Stage::Connect), named([Failed, Skipped, Skipped, Skipped]));
        assert_eq!(outcomes(Stage::Tls), named([Passed, Failed, Skipped, Skipped]));
        assert_eq!(outcomes(Stage::LogIn), named([Passed, Passed, Failed, Skipped]));
    }

    #[test]
    fn an_open_session_is_warned_of_where_somebody_could_be_in_between() {
        let outcome = |encryption, encrypted| server(encryption).opened(encrypted, "u", "by trust").remove(1).outcome;
        assert_eq!(outcome(Encryption::Name, true), Outcome::Passed);
        assert_eq!(outcome(Encryption::Unchecked, true), Outcome::Warned);
        assert_eq!(outcome(Encryption::Disabled, false), Outcome::Warned);
    }
}
