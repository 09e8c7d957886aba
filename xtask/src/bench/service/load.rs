//! Requests as fast as they are answered, by `wrk`.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::site::Client;
use crate::process::output;

/// What `wrk` says of its requests.
#[derive(Debug, PartialEq)]
pub(super) struct Load {
    pub(super) per_second: f64,
    /// Milliseconds within which 99 of 100 requests were answered.
    pub(super) p99: f64,
}

/// Asks for one path over several connections for some seconds.
pub(super) fn load(client: &Client, path: &str, seconds: u32) -> Result<Load> {
    let url = format!("http://127.0.0.1:{}/v1/tenants/{}{path}", client.port, client.tenant);
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads=1", "--connections=8", "--latency", "--timeout=30s", &format!("--duration={seconds}s")]);
    read(&output(wrk.arg("--header").arg(format!("Authorization: Bearer {}", client.token)).arg(url))?)
}

fn read(said: &str) -> Result<Load> {
    let field = |name: &str| {
        let line = said.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(|rest| rest.trim_start_matches(':').trim().to_owned())
    };
    if let Some(refused) = field("Non-2xx or 3xx responses") {
        bail!("{refused} requests were refused:\n{said}");
    }
    if let Some(errors) = field("Socket errors") {
        bail!("requests were not answered: {errors}");
    }
    let per_second = field("Requests/sec").and_then(|text| text.parse().ok()).context("requests per second")?;
    let p99 = field("99%").and_then(|text| milliseconds(&text)).with_context(|| format!("a percentile in {said:?}"))?;
    Ok(Load { per_second, p99 })
}

/// `850.00us`, `1.20ms`, `2.05s`, `1.10m`.
fn milliseconds(text: &str) -> Option<f64> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 2s test @ http://127.0.0.1:1/v1\n  1 threads and 8 connections\n  Thread Stats   Avg\n    \
        Latency     2.21ms    1.10ms\n  Latency Distribution\n     50%    1.90ms\n     99%  850.00us\n  100 requests in 2.00s\n\
        Requests/sec:   3512.25\nTransfer/sec:      1.00MB\n";

    #[test]
    fn the_percentile_and_the_rate_are_read_with_their_units() {
        assert_eq!(read(SAID).ok(), Some(Load { per_second: 3512.25, p99: 0.85 }));
        assert_eq!(milliseconds("2.05s"), Some(2_050.0));
        assert_eq!(milliseconds("2.05h"), None);
    }

    #[test]
    fn refused_requests_are_no_figure() {
        let refused = format!("{SAID}  Non-2xx or 3xx responses: 7\n");
        assert!(read(&refused).is_err_and(|error| error.to_string().starts_with("7 requests were refused")));
    }
}
