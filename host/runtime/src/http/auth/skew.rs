//! A wrong clock, which servers report as a wrong signature.

use http::header::DATE;
use http::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::super::origin::Origin;
use crate::net::{NetError, NetErrorKind};

/// Servers take signatures that are a quarter of an hour off; what is reported is less, because their answer took time.
const TOLERATED_MINUTES: i64 = 14;

/// Compares the clock of whoever refused a signature with our own.
pub(super) fn explain<B>(origin: &Origin, response: &Response<B>, now: Timestamp) -> Option<NetError> {
    if !matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) {
        return None;
    }
    let theirs = rfc2822::parse(response.headers().get(DATE)?.to_str().ok()?).ok()?.timestamp();
    let minutes = (now.as_second().saturating_sub(theirs.as_second())) / 60;
    if minutes.abs() < TOLERATED_MINUTES {
        return None;
    }
    let (by, direction) = (minutes.abs(), if minutes < 0 { "behind" } else { "ahead of" });
    let message = format!(
        "the clock of the host that runs Sluice is {by} minutes {direction} that of {origin}, which refuses signatures \
         that are more than 15 minutes off; set the host's clock (NTP)"
    );
    Some(NetError::new(NetErrorKind::Auth, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_by_a_server_whose_clock_is_far_off_is_explained() {
        let origin = Origin::of(&"https://a.example".parse().unwrap()).unwrap();
        let refusal = |status: u16| {
            Response::builder().status(status).header(DATE, "Fri, 24 May 2013 00:00:00 GMT").body(()).unwrap()
        };
        let told = |now: &str, status| explain(&origin, &refusal(status), now.parse().unwrap()).map(|e| e.message);
        assert!(
            told("2013-05-24T00:20:00Z", 403).unwrap().contains("20 minutes ahead of that of https://a.example:443")
        );
        assert!(told("2013-05-23T00:00:00Z", 401).unwrap().contains("1440 minutes behind"));
        assert_eq!(told("2013-05-24T00:10:00Z", 403), None);
        assert_eq!(told("2013-05-24T00:20:00Z", 404), None);
    }
}
