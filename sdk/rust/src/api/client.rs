//! Requests to one API: they wait when it says so, and try again what passes.

use std::time::Duration;

use serde_json::Value;

use crate::http::{Request, Response, block_on, sleep};
use crate::{CheckStep, Error, ErrorKind, Result, log};

/// How patient requests are before they fail with what the host retries later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Times that a request is sent, the first one included.
    pub attempts: u32,
    /// Longest wait before an attempt; an API that asks for more is answered with `rate-limited`, and the host tries again later.
    pub longest_wait: Duration,
    /// The wait before the second attempt where the API does not say; doubled for each further one.
    pub first_wait: Duration,
}

impl Default for Patience {
    /// Six attempts, at most a minute before each.
    fn default() -> Self {
        Self { attempts: 6, longest_wait: Duration::from_secs(60), first_wait: Duration::from_secs(1) }
    }
}

/// An HTTP JSON API: where it is, and what every request to it carries.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    headers: Vec<(String, String)>,
    patience: Patience,
    most_bytes: usize,
}

/// What came back: JSON, and where it came from.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The body.
    pub body: Value,
    /// The `Link` header, if there is one.
    pub link: Option<String>,
    /// The URL that was asked.
    pub url: String,
}

impl Api {
    /// The API below a URL, e.g. `https://api.example.com/v2`. Its host must be among the manifest's `hosts`.
    ///
    /// # Errors
    /// `config` where the URL is none; add the field that holds it.
    pub fn new(base: &str) -> Result<Self> {
        let base = base.trim().trim_end_matches('/').to_owned();
        Request::get(base.as_str()).parts()?;
        if base.contains(['?', '#']) {
            return Err(Error::config("the URL must not have a query; it is what the API's paths are added to"));
        }
        let headers = vec![("accept".to_owned(), "application/json".to_owned())];
        Ok(Self { base, headers, patience: Patience::default(), most_bytes: 32 << 20 })
    }

    /// Adds a header to every request. Not for credentials: those are the host's, see `auth(…)` in the manifest.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets how patient requests are.
    #[must_use]
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how large an answer may be, in bytes; 32 MiB otherwise. It has to fit into the instance's memory several times.
    #[must_use]
    pub fn most_bytes(mut self, most: usize) -> Self {
        self.most_bytes = most;
        self
    }

    /// The URL of a path below the API with a query.
    pub fn url(&self, path: &str, query: &[(String, String)]) -> String {
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        let mut url = format!("{}{slash}{path}", self.base);
        for (at, (name, value)) in query.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            encode(name, &mut url);
            url.push('=');
            encode(value, &mut url);
        }
        url
    }

    /// Resolves a link of an answer against the URL that it came from.
    ///
    /// # Errors
    /// `protocol` where it leads to another host: credentials are not for it.
    pub fn follow(&self, link: &str, from: &str) -> Result<String> {
        let parts = Request::get(from);
        let parts = parts.parts()?;
        let origin = format!("{}://{}", if parts.https { "https" } else { "http" }, parts.authority);
        let path = parts.path.split('?').next().unwrap_or("/");
        let url = match link {
            _ if link.starts_with("https://") || link.starts_with("http://") => link.to_owned(),
            _ if link.starts_with("//") => format!("{}:{link}", if parts.https { "https" } else { "http" }),
            _ if link.starts_with('/') => format!("{origin}{link}"),
            _ if link.starts_with('?') => format!("{origin}{path}{link}"),
            _ => format!("{origin}{}/{link}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        let leads = url.strip_prefix(&origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        if leads {
            return Ok(url);
        }
        let where_to = url.split(['?', '#']).next().unwrap_or_default();
        Err(Error::protocol(format!(
            "a page of {origin} links to {where_to}, which is not the same scheme, host and port"
        )))
    }

    /// Asks for JSON below a path.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn get(&self, path: &str, query: &[(String, String)]) -> Result<Answer> {
        self.send(&Request::get(self.url(path, query)))
    }

    /// Sends a request until it is answered, waiting as the API asks. The request may carry a body, so it must be one that can be
    /// repeated.
    ///
    /// # Errors
    /// `auth`, `permission`, `not-found` as the status says; `rate-limited` where the API wants a longer wait than patience allows;
    /// `transient` where it failed at every attempt; `protocol` for another status and for what is not JSON.
    pub fn send(&self, request: &Request) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes()));
            let tried = request.clone().headers(headers).send().and_then(|response| self.answer(response));
            let error = match tried {
                Ok(body) => return Ok(body.at(request)),
                Err(error) => error,
            };
            let wait = self.wait(&error, attempt);
            let Some(wait) = wait.filter(|_| attempt < self.patience.attempts) else { return Err(error) };
            log::info(format!("attempt {attempt} failed, trying again in {} s: {error}", wait.as_secs_f32()));
            block_on(sleep(wait));
            attempt += 1;
        }
    }

    /// A step of a check: whether the API answers a request, and what to do if it does not.
    pub fn check(&self, path: &str, query: &[(String, String)]) -> CheckStep {
        let impatient = Self { patience: Patience { attempts: 1, ..self.patience }, ..self.clone() };
        match impatient.get(path, query) {
            Ok(answer) => CheckStep::passed("request", format!("GET {} is answered", without_query(&answer.url))),
            Err(error) => {
                let remedy = match error.kind {
                    ErrorKind::Auth => "check the credentials: the API does not know them",
                    ErrorKind::Permission => "the credentials are good but may not read this; grant them the right to",
                    ErrorKind::NotFound => "check the URL: host, path and version",
                    ErrorKind::RateLimited => "the API asks to slow down; wait, or ask for a higher limit",
                    ErrorKind::Transient => "check that the API is up and can be reached from here",
                    _ => "check the URL: this does not look like the API that this connector reads",
                };
                CheckStep::failed("request", error.message, remedy)
            }
        }
    }

    /// How long to wait before the next attempt; none if there is to be none.
    fn wait(&self, error: &Error, attempt: u32) -> Option<Duration> {
        let asked = match error.kind {
            ErrorKind::RateLimited | ErrorKind::Transient => error.retry_after,
            _ => return None,
        };
        let doubled = self.patience.first_wait.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        match asked {
            Some(asked) if asked > self.patience.longest_wait => None,
            Some(asked) => Some(asked),
            None => Some(doubled.min(self.patience.longest_wait)),
        }
    }

    fn answer(&self, mut response: Response) -> Result<Got> {
        let link = response.headers().get("link").map(str::to_owned);
        if !response.is_success() {
            return Err(refused(&mut response));
        }
        let bytes = response.read_whole(self.most_bytes)?;
        let body = serde_json::from_slice(&bytes).map_err(|error| {
            let kind = response.headers().get("content-type").unwrap_or("no content type");
            Error::protocol(format!("{}: the answer is not JSON ({kind}): {error}", response.doing()))
        })?;
        Ok(Got { body, link })
    }
}

struct Got {
    body: Value,
    link: Option<String>,
}

impl Got {
    fn at(self, request: &Request) -> Answer {
        Answer { body: self.body, link: self.link, url: request.url.clone() }
    }
}

/// The error that a status means.
fn refused(response: &mut Response) -> Error {
    let (status, wait) = (response.status(), response.retry_after());
    let said = said(response);
    let message = format!("{}: the API answered {status}{said}", response.doing());
    let error = match status {
        401 => Error::auth(message),
        403 => Error::permission(message),
        404 | 410 => Error::not_found(message),
        429 => Error::rate_limited(message),
        300..=399 => {
            let to =
                response.headers().get("location").map(|to| format!(" to {}", without_query(to))).unwrap_or_default();
            Error::config(format!("{message}: a redirect{to}, which is not followed; set the URL to where it leads"))
        }
        408 | 425 | 500..=599 => Error::transient(message),
        _ => Error::protocol(message),
    };
    match wait {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}

/// The API's own words, cut short: `{"error": "…"}`, `{"message": "…"}`, `{"error": {"message": "…"}}`, `{"detail": "…"}`.
fn said(response: &mut Response) -> String {
    let Ok(bytes) = response.read_whole(64 << 10) else { return String::new() };
    let Ok(body) = serde_json::from_slice::<Value>(&bytes) else { return String::new() };
    let places =
        ["/error/message", "/error_description", "/message", "/error", "/detail", "/title", "/errors/0/message"];
    let found = places.iter().find_map(|place| body.pointer(place)?.as_str());
    found.map(|text| format!(" ({})", text.chars().take(300).collect::<String>())).unwrap_or_default()
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// Percent-encodes all but what never needs it (RFC 3986, section 2.3).
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::Server;

    fn quick(server: &Server) -> Api {
        let patience =
            Patience { attempts: 3, longest_wait: Duration::from_secs(2), first_wait: Duration::from_millis(1) };
        Api::new(&server.url).unwrap().patience(patience)
    }

    #[test]
    fn a_url_is_made_of_base_path_and_an_encoded_query() {
        let api = Api::new("https://a.example/v1/").unwrap();
        let query = [("q".to_owned(), "a b&c=ä".to_owned()), ("n".to_owned(), "1".to_owned())];
        assert_eq!(api.url("/x", &query), "https://a.example/v1/x?q=a%20b%26c%3D%C3%A4&n=1");
        assert_eq!(api.url("x", &[]), "https://a.example/v1/x");
        for wrong in ["a.example", "ftp://a", "https://a.example?x=1"] {
            assert_eq!(Api::new(wrong).unwrap_err().kind, ErrorKind::Config, "{wrong}");
        }
    }

    #[test]
    fn links_are_followed_within_the_api_and_nowhere_else() {
        let api = Api::new("https://a.example/v1").unwrap();
        let from = "https://a.example/v1/orders?page=1";
        for (link, url) in [
            ("https://a.example/v1/orders?page=2", "https://a.example/v1/orders?page=2"),
            ("/v1/orders?page=2", "https://a.example/v1/orders?page=2"),
            ("?page=2", "https://a.example/v1/orders?page=2"),
            ("orders2", "https://a.example/v1/orders2"),
        ] {
            assert_eq!(api.follow(link, from).unwrap(), url);
        }
        for elsewhere in
            ["https://evil.example/?t=1", "//evil.example/x", "http://a.example/v1", "https://a.example.evil/"]
        {
            let error = api.follow(elsewhere, from).unwrap_err();
            assert!(error.kind == ErrorKind::Protocol && !error.message.contains("t=1"), "{error}");
        }
    }

    #[test]
    fn a_status_says_who_must_act_in_the_apis_own_words() {
        for (status, kind) in [
            (401, ErrorKind::Auth),
            (403, ErrorKind::Permission),
            (404, ErrorKind::NotFound),
            (400, ErrorKind::Protocol),
            (302, ErrorKind::Config),
        ] {
            let server = Server::start(move |_, _| Server::answer(status, "", r#"{"error":{"message":"because"}}"#));
            let error = quick(&server).get("/x", &[]).unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains(&format!("answered {status} (because)")), "{error}");
            assert_eq!(server.asked().len(), 1, "{status} is not tried again");
        }
    }

    #[test]
    fn what_passes_is_tried_again_and_then_left_to_the_host() {
        let server = Server::start(|_, nth| match nth {
            0 => Server::answer(503, "", "busy"),
            1 => Server::answer(429, "Retry-After: 0\r\n", "{}"),
            _ => Server::answer(200, "", "[1]"),
        });
        assert_eq!(quick(&server).get("/x", &[]).unwrap().body, serde_json::json!([1]));
        let server = Server::start(|_, _| Server::answer(500, "", "{}"));
        let error = quick(&server).get("/x", &[]).unwrap_err();
        assert_eq!((error.kind, server.asked().len()), (ErrorKind::Transient, 3));
    }

    #[test]
    fn an_api_that_wants_a_long_rest_gets_it_from_the_host() {
        let server = Server::start(|_, _| Server::answer(429, "Retry-After: 3600\r\n", "{}"));
        let error = quick(&server).get("/x", &[]).unwrap_err();
        assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(3600))));
        assert_eq!(server.asked().len(), 1);
        let dates = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
        let server = Server::start(move |_, _| Server::answer(503, dates, "{}"));
        let api = quick(&server);
        let error = api.get("/x", &[]).unwrap_err();
        assert_eq!((error.kind, error.retry_after), (ErrorKind::Transient, Some(Duration::from_secs(60))));
    }

    #[test]
    fn what_is_not_json_or_too_long_is_said_so() {
        let server = Server::start(|_, _| Server::answer(200, "Content-Type: text/html\r\n", "<html>"));
        let error = quick(&server).get("/x", &[]).unwrap_err();
        assert!(error.message.contains("not JSON (text/html)"), "{error}");
        let server = Server::start(|_, _| Server::answer(200, "", "[1, 2, 3]"));
        let error = quick(&server).most_bytes(4).get("/x", &[]).unwrap_err();
        assert!(error.message.contains("more than 4 bytes"), "{error}");
    }

    #[test]
    fn a_check_says_what_to_do() {
        let server = Server::start(|_, _| Server::answer(401, "", "{}"));
        let step = quick(&server).check("/x", &[]);
        assert_eq!(
            (step.outcome, step.remedy.as_str()),
            (crate::Outcome::Failed, "check the credentials: the API does not know them")
        );
        let server = Server::start(|_, _| Server::answer(200, "", "{}"));
        assert_eq!(quick(&server).check("/x", &[]).outcome, crate::Outcome::Passed);
    }
}
