//! Steps of a check from errors.

use sluice_sdk::{CheckStep, Error};

/// The step that failed with this error. An error says what is wrong first and what to do in its last sentence; where it does
/// not, `remedy` stands in.
pub fn failure(name: &str, error: &Error, remedy: &str) -> CheckStep {
    let parts = error.message.rsplit_once(". ").or_else(|| error.message.rsplit_once("; "));
    let (detail, remedy) = parts.unwrap_or((&error.message, remedy));
    CheckStep::failed(name, detail, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sentence_is_what_to_do() {
        let step = failure("log in", &Error::auth("the password is wrong (28P01). Check it"), "look");
        assert_eq!((step.detail.as_str(), step.remedy.as_str()), ("the password is wrong (28P01)", "Check it"));
        assert_eq!(failure("connect", &Error::transient("nobody answers"), "look").remedy, "look");
    }
}
