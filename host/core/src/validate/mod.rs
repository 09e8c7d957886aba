//! Names, addresses and passwords that people type.
//!
//! Each function takes the field that it speaks of and what was typed, and gives it back in the form in which it is kept. The error
//! names the field and says what would be right, and never repeats a password.

mod password;
#[cfg(test)]
mod tests;

use crate::error::RunError;

pub use password::password;

/// Most characters of a name of a tenant, connection, pipeline or token.
pub const LONGEST_NAME: usize = 100;

/// Most characters of an address (RFC 5321: a path of 256 with its brackets).
const LONGEST_ADDRESS: usize = 254;

/// Characters that write in a direction of their own, join, or are not seen: they make one name look like another.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        // Characters of private use, which every font shows as it likes.
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// A name for people: of a tenant, a connection, a pipeline. Any script; trimmed; blanks within are single spaces.
///
/// # Errors
/// Names the field.
pub fn name(field: &str, typed: &str) -> Result<String, RunError> {
    if typed.chars().any(|c| c.is_control() || is_deceptive(c)) {
        let message =
            "a name has no control characters, none that are not seen, and none that change the direction of writing";
        return Err(RunError::config(field, message));
    }
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = name.chars().count();
    if length == 0 {
        return Err(RunError::config(field, "a name is needed"));
    }
    if length > LONGEST_NAME {
        return Err(RunError::config(field, format!("a name has at most {LONGEST_NAME} characters, not {length}")));
    }
    Ok(name)
}

/// A tenant's short name in addresses: 2 to 40 lower-case letters, digits and single hyphens, beginning with a letter.
///
/// # Errors
/// Names the field.
pub fn slug(field: &str, typed: &str) -> Result<String, RunError> {
    let slug = typed.trim().to_ascii_lowercase();
    let good = (2..=40).contains(&slug.len())
        && slug.starts_with(|c: char| c.is_ascii_lowercase())
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !slug.ends_with('-')
        && !slug.contains("--");
    if good {
        return Ok(slug);
    }
    let message = "a short name has 2 to 40 letters a to z, digits and single hyphens, and begins with a letter";
    Err(RunError::config(field, message))
}

/// An e-mail address, in the form in which it is compared: trimmed, and all in lower case, because no provider of note tells
/// addresses apart by case and people type them either way. Whether anybody reads mail there, only a mail can tell.
///
/// # Errors
/// Names the field.
pub fn email(field: &str, typed: &str) -> Result<String, RunError> {
    let address = typed.trim().to_lowercase();
    let refuse = |message: &str| Err(RunError::config(field, message));
    if address.chars().count() > LONGEST_ADDRESS {
        return refuse("an e-mail address has at most 254 characters");
    }
    let Some((local, domain)) = address.rsplit_once('@') else {
        return refuse("an e-mail address has the form name@example.com");
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if local.is_empty() || local.len() > 64 || !local.chars().all(plain) {
        return refuse("before the @ stand letters, digits and .!#$%&'*+-/=?^_`{|}~, 1 to 64 of them");
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return refuse("before the @, dots stand between other characters");
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    if !domain.contains('.') || !domain.split('.').all(label) || top.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse("behind the @ stands a domain such as example.com (an international one as xn--…)");
    }
    Ok(address)
}

/// An address that is called: `https://host/path`, without a user or password in it. Whether the host may be reached is decided
/// when it is.
///
/// # Errors
/// Names the field.
pub fn web_address(field: &str, typed: &str) -> Result<String, RunError> {
    let address = typed.trim();
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if address.len() > 2_000 || host.is_empty() || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RunError::config(field, "it has the form https://example.com/path, up to 2,000 plain characters"));
    }
    if host.contains('@') || address.contains(['\\', '"', '<', '>']) {
        return Err(RunError::config(field, "no user, password, quotes or backslashes stand in it"));
    }
    Ok(address.to_owned())
}
