//! What is asked.

use std::fmt;
use std::time::Duration;

use super::run::block_on;
use super::{Headers, Pending, Response};
use crate::host::host;
use crate::{Error, Result};

/// What to do with the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read it.
    Get,
    /// Read its headers only.
    Head,
    /// Send something to it.
    Post,
    /// Replace it.
    Put,
    /// Change it.
    Patch,
    /// Remove it.
    Delete,
    /// Ask what it can do.
    Options,
}

impl Method {
    /// As it is written in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long to wait; what is not set is the host's default, and the host may cap all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Option<Duration>,
    /// From the request to the end of the response's headers.
    pub first_byte: Option<Duration>,
    /// For each further part of the body.
    pub between_bytes: Option<Duration>,
}

/// A request that was not sent yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) timeouts: Timeouts,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let url = url.into();
        Self { method, url, headers: Headers::new(), body: Vec::new(), timeouts: Timeouts::default() }
    }

    /// Reads a resource.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// Sends something to a resource.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Method::Post, url).body(body)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds headers.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        headers.into_iter().for_each(|(name, value)| self.headers.append(name, value));
        self
    }

    /// Sets the body, whose length is announced.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets how long to wait.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Hands the request to the host, which sends it while the connector does something else.
    ///
    /// # Errors
    /// `config` for a URL that is none; what the host refuses at once.
    pub fn start(self) -> Result<Pending> {
        let doing = self.doing();
        let exchange = host().start(self).map_err(|error| error.context(&doing))?;
        Ok(Pending::new(exchange, doing))
    }

    /// Sends the request and waits for the response's headers. Whatever the status is, that is a response.
    ///
    /// # Errors
    /// `permission` where the host does not allow the address, `not-found` where the name does not resolve, `transient` where
    /// nobody answers or the connection breaks.
    pub fn send(self) -> Result<Response> {
        block_on(self.start()?)
    }

    /// What the request does, for messages: without the query, which can be long.
    fn doing(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        format!("{} {}", self.method, url.chars().take(300).collect::<String>())
    }

    /// Scheme, authority and the rest of the URL.
    pub(crate) fn parts(&self) -> Result<Url<'_>> {
        let wrong = || Error::config("the URL must start with https:// or http:// and name a host");
        let (https, rest) = match (self.url.strip_prefix("https://"), self.url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(wrong()),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(wrong());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Url { https, authority, path })
    }
}

/// The parts of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    pub(crate) https: bool,
    pub(crate) authority: &'a str,
    /// Path and query.
    pub(crate) path: String,
}

impl fmt::Debug for Request {
    /// Leaves the values of headers and the body out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let parts = |url: &str| {
            let request = Request::get(url);
            request.parts().map(|url| (url.https, url.authority.to_owned(), url.path)).unwrap()
        };
        assert_eq!(parts("https://a.example/b/c?d=/e#f"), (true, "a.example".into(), "/b/c?d=/e".into()));
        assert_eq!(parts("http://a.example:81"), (false, "a.example:81".into(), "/".into()));
        assert_eq!(parts("http://a.example?q"), (false, "a.example".into(), "/?q".into()));
        for wrong in ["", "ftp://a", "https:///x", "a.example/x"] {
            assert_eq!(Request::get(wrong).parts().unwrap_err().kind, crate::ErrorKind::Config, "{wrong}");
        }
    }

    #[test]
    fn messages_do_not_repeat_the_query() {
        assert_eq!(Request::get("https://a.example/b?sig=secret").doing(), "GET https://a.example/b");
    }
}
