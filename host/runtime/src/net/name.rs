//! Host names in one spelling, so that a rule can be compared with a request.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest host name, after RFC 1035.
const MAX_NAME: usize = 253;

/// A host: a lower-case ASCII DNS name without a trailing dot, or an IP address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostName {
    /// A name that has to be resolved.
    Dns(String),
    /// An address that was spelled out.
    Ip(IpAddr),
}

/// Why a spelling is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing there.
    #[error("the host is empty")]
    Empty,
    /// Longer than DNS allows.
    #[error("the host name has more than {MAX_NAME} characters")]
    TooLong,
    /// A Unix socket, which does not exist for a connector.
    #[error("{0:?} is a Unix socket; connectors reach hosts over TCP only")]
    UnixSocket(String),
    /// Letters outside ASCII.
    #[error("the host {0:?} is not ASCII; write an international name in its `xn--` form")]
    NotAscii(String),
    /// A number that some resolvers take for an IPv4 address.
    #[error("the host {0:?} is not a plain IPv4 address; write it as four decimal numbers, e.g. 192.0.2.1")]
    OddAddress(String),
    /// Anything else that is no host name.
    #[error("{0:?} is not a host name; give a name or an address, without scheme, port, user or path")]
    Malformed(String),
}

impl HostName {
    /// Reads a host as a guest, a manifest or a configuration spells it. IPv6 may stand in brackets. An IPv4 address
    /// that is written as IPv6 (`::ffff:10.0.0.1`) becomes the IPv4 address.
    ///
    /// # Errors
    /// Refuses spellings that resolvers read as something else: octal, hexadecimal and short IPv4 addresses, zone
    /// ids, Unix sockets, anything with a scheme, user, port or path.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.starts_with(['/', '@', '\\']) {
            return Err(BadName::UnixSocket(shorten(text)));
        }
        if text.len() > MAX_NAME + 2 {
            return Err(BadName::TooLong);
        }
        if !text.is_ascii() {
            return Err(BadName::NotAscii(shorten(text)));
        }
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = bracketed.unwrap_or(text).parse::<Ipv6Addr>() {
            return Ok(Self::Ip(IpAddr::V6(address).to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Ok(Self::Ip(IpAddr::V4(address)));
        }
        if name.len() > MAX_NAME {
            return Err(BadName::TooLong);
        }
        if !name.split('.').all(is_label) {
            return Err(BadName::Malformed(shorten(text)));
        }
        // No top-level domain is a number, but `inet_aton` reads such names as addresses.
        if name.rsplit('.').next().is_some_and(is_number) {
            return Err(BadName::OddAddress(shorten(text)));
        }
        Ok(Self::Dns(name))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// A label of letters, digits, `-` and `_`; the underscore is not DNS's, but container networks use it.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x");
    hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())) || label.bytes().all(|b| b.is_ascii_digit())
}

/// What an error quotes of a guest's text.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(text: &str) -> HostName {
        HostName::Dns(text.to_owned())
    }

    #[test]
    fn case_and_the_trailing_dot_do_not_matter() {
        assert_eq!(HostName::parse("DB.Example.COM."), Ok(dns("db.example.com")));
        assert_eq!(HostName::parse("my_db-1"), Ok(dns("my_db-1")));
        assert_eq!(HostName::parse("xn--bcher-kva.example"), Ok(dns("xn--bcher-kva.example")));
    }

    #[test]
    fn addresses_are_recognised_in_their_plain_spelling_only() {
        assert_eq!(HostName::parse("192.0.2.1"), Ok(HostName::Ip("192.0.2.1".parse().unwrap())));
        assert_eq!(HostName::parse("192.0.2.1."), Ok(HostName::Ip("192.0.2.1".parse().unwrap())));
        assert_eq!(HostName::parse("[2001:DB8::1]"), Ok(HostName::Ip("2001:db8::1".parse().unwrap())));
        assert_eq!(HostName::parse("::ffff:127.0.0.1"), Ok(HostName::Ip("127.0.0.1".parse().unwrap())));
        for odd in
            ["0177.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "1.2.3.4.5", "256.1.1.1", "a.0x"]
        {
            assert!(matches!(HostName::parse(odd), Err(BadName::OddAddress(_))), "{odd}");
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        assert_eq!(HostName::parse(""), Err(BadName::Empty));
        assert_eq!(HostName::parse(&"a.".repeat(200)), Err(BadName::TooLong));
        assert!(matches!(HostName::parse("/var/run/postgresql"), Err(BadName::UnixSocket(_))));
        assert!(matches!(HostName::parse("@abstract"), Err(BadName::UnixSocket(_))));
        assert!(matches!(HostName::parse("bücher.example"), Err(BadName::NotAscii(_))));
        let long_label = "a".repeat(64);
        let bad = [
            ".",
            "..",
            "a..b",
            "-a",
            "a-",
            "a b",
            "a:1",
            "u@h",
            "http://h",
            "h/p",
            "*",
            "*.a",
            "fe80::1%eth0",
            "[::1",
            "::1]",
            "a\r\nb",
            "a\0b",
            "a%2eb",
            "a?b",
            "a#b",
            "a,b",
            &long_label,
        ];
        for text in bad {
            assert!(matches!(HostName::parse(text), Err(BadName::Malformed(_))), "{text:?}");
        }
    }
}
