//! Which proxies are believed and how many requests are answered, from the command line.

use std::net::IpAddr;

use ipnet::IpNet;
use sluice_api::{Limits, Rate};
use sluice_core::RunError;

use crate::cli::RequestArgs;

/// Most that a limit may be: more is none.
const MOST: u32 = 1_000_000;

/// What the operator decides about requests.
pub(super) fn limits(args: &RequestArgs) -> Result<Limits, RunError> {
    let proxies = args.trusted_proxy.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let proxies = proxies.map(proxy).collect::<Result<_, _>>();
    Ok(Limits {
        credential: rate(&args.rate_limit).map_err(|why| RunError::config("--rate-limit", why))?,
        address: rate(&args.rate_limit_address).map_err(|why| RunError::config("--rate-limit-address", why))?,
        proxies: proxies.map_err(|why| RunError::config("--trusted-proxy", why))?,
    })
}

/// A network of proxies, or one.
fn proxy(text: &str) -> Result<IpNet, String> {
    let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let net = parsed.map_err(|_| format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"))?;
    if net.prefix_len() == 0 {
        return Err(format!("{text} is everybody, who could then write any address; name the proxies' own network"));
    }
    if net.trunc() != net {
        return Err(format!("{text} has an address within a network; is {} meant?", net.trunc()));
    }
    if matches!(net, IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some()) {
        return Err(format!("{text} is IPv4 written as IPv6; write it as IPv4"));
    }
    Ok(net)
}

/// `50:200`, or `50`, which is `50:50`.
fn rate(text: &str) -> Result<Rate, String> {
    let (per_second, burst) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| (1..=MOST).contains(number));
    match (number(per_second), number(burst)) {
        (Some(per_second), Some(burst)) => Ok(Rate { per_second, burst }),
        _ => Err(format!("{text:?} does not read PER_SECOND:AT_ONCE, both from 1 to {MOST}, such as 50:200")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assertion is how a test fails")]

    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network_and_never_everybody() {
        assert_eq!(proxy("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(proxy("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
        assert_eq!(proxy("fd00::/8").unwrap().to_string(), "fd00::/8");
        for (wrong, says) in [
            ("proxy.example.com", "neither"),
            ("10.0.0.0/33", "neither"),
            ("0.0.0.0/0", "everybody"),
            ("::/0", "everybody"),
            ("10.1.2.3/8", "10.0.0.0/8 meant"),
            ("::ffff:10.0.0.0/104", "as IPv4"),
        ] {
            let error = proxy(wrong).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_rate_is_two_numbers_or_one() {
        assert_eq!(rate("50:200").unwrap(), Rate { per_second: 50, burst: 200 });
        assert_eq!(rate("5").unwrap(), Rate { per_second: 5, burst: 5 });
        for wrong in ["", "0", "5:0", "-1", "1:2:3", "many", "5/s", "2000000"] {
            assert!(rate(wrong).unwrap_err().contains("50:200"), "{wrong}");
        }
    }
}
