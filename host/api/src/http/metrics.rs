//! What is counted of requests, as Prometheus reads it: by the route's template, never by what stands in the address, so that no
//! tenant's ids are in it and their number is bounded.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::state::App;

/// Upper bounds of the histogram's buckets, seconds.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The counters of this process's requests.
#[derive(Default)]
pub(crate) struct Requests {
    routes: Mutex<BTreeMap<(String, &'static str), Route>>,
    in_flight: AtomicI64,
    panics: AtomicU64,
}

#[derive(Default)]
struct Route {
    by_status: BTreeMap<u16, u64>,
    buckets: [u64; BOUNDS.len()],
    seconds: f64,
    count: u64,
}

impl Requests {
    /// A request panicked.
    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("OTHER");
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let route = routes.entry((route.to_owned(), method)).or_default();
        *route.by_status.entry(status).or_default() += 1;
        let seconds = took.as_secs_f64();
        for (bucket, bound) in route.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
        route.seconds += seconds;
        route.count += 1;
    }

    /// All of them, in Prometheus's text format 0.0.4.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let head = |to: &mut String, name: &str, kind: &str, help: &str| {
            writeln!(to, "# HELP {name} {help}\n# TYPE {name} {kind}")
        };
        head(to, "sluice_build_info", "gauge", "The version that runs.")?;
        writeln!(to, "sluice_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))?;
        head(to, "sluice_http_requests_in_flight", "gauge", "Requests that are being answered.")?;
        writeln!(to, "sluice_http_requests_in_flight {}", self.in_flight.load(Ordering::Relaxed))?;
        head(to, "sluice_http_panics_total", "counter", "Requests that ended in a panic.")?;
        writeln!(to, "sluice_http_panics_total {}", self.panics.load(Ordering::Relaxed))?;
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        head(to, "sluice_http_requests_total", "counter", "Requests answered.")?;
        for ((route, method), counted) in routes.iter() {
            for (status, count) in &counted.by_status {
                let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
                writeln!(to, "sluice_http_requests_total{{{labels}}} {count}")?;
            }
        }
        let name = "sluice_http_request_duration_seconds";
        head(to, name, "histogram", "Time until the answer began.")?;
        for ((route, method), counted) in routes.iter() {
            let labels = format!("route=\"{route}\",method=\"{method}\"");
            for (bound, count) in BOUNDS.iter().zip(counted.buckets) {
                writeln!(to, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
            }
            writeln!(to, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", counted.count)?;
            writeln!(to, "{name}_sum{{{labels}}} {}", counted.seconds)?;
            writeln!(to, "{name}_count{{{labels}}} {}", counted.count)?;
        }
        Ok(())
    }
}

/// One more request at work, until it is dropped: also if the client goes away.
struct AtWork<'a>(&'a AtomicI64);

impl<'a> AtWork<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts every request.
pub async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let began = Instant::now();
    let requests = app.requests();
    let _at_work = AtWork::new(&requests.in_flight);
    let response = next.run(request).await;
    requests.answered(&route, method.as_str(), response.status().as_u16(), began.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let metrics = Requests::default();
        metrics.answered("/v1/tenants/{tenant}", "GET", 200, Duration::from_millis(20));
        metrics.answered("/v1/tenants/{tenant}", "GET", 200, Duration::from_secs(60));
        metrics.answered("/v1/tenants/{tenant}", "BREW", 405, Duration::ZERO);
        let text = metrics.render();
        for line in [
            "sluice_http_requests_total{route=\"/v1/tenants/{tenant}\",method=\"GET\",status=\"200\"} 2",
            "sluice_http_requests_total{route=\"/v1/tenants/{tenant}\",method=\"OTHER\",status=\"405\"} 1",
            "sluice_http_request_duration_seconds_bucket{route=\"/v1/tenants/{tenant}\",method=\"GET\",le=\"0.01\"} 0",
            "sluice_http_request_duration_seconds_bucket{route=\"/v1/tenants/{tenant}\",method=\"GET\",le=\"0.025\"} 1",
            "sluice_http_request_duration_seconds_bucket{route=\"/v1/tenants/{tenant}\",method=\"GET\",le=\"+Inf\"} 2",
            "sluice_http_request_duration_seconds_count{route=\"/v1/tenants/{tenant}\",method=\"GET\"} 2",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
    }
}
