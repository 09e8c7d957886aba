//! A request as it is about to go over the wire.

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};
use wasmtime_wasi_http::Error;

use super::super::failure::Failure;
use super::super::origin::Origin;
use crate::net::NetErrorKind;

/// What a scheme may look at and change.
pub(in super::super) struct Outgoing<'a> {
    pub(in super::super) parts: &'a mut Parts,
    pub(in super::super) origin: &'a Origin,
    /// Bytes of the body; none where that is not known before it is sent.
    pub(in super::super) length: Option<u64>,
}

impl Outgoing<'_> {
    pub(super) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(super) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// Sends the request to the same place in another spelling.
    pub(super) fn set_target(&mut self, path: &str, query: &str) -> Result<(), Failure> {
        let text = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let mut uri = self.parts.uri.clone().into_parts();
        uri.path_and_query = Some(PathAndQuery::try_from(text).map_err(|_| self.unfit("the request's path"))?);
        self.parts.uri = Uri::from_parts(uri).map_err(|_| self.unfit("the request's path"))?;
        Ok(())
    }

    /// The value of a header whose text is ASCII; empty without one.
    pub(super) fn header(&self, name: &HeaderName) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn set(&mut self, name: HeaderName, value: &str) -> Result<(), Failure> {
        let value = HeaderValue::from_str(value).map_err(|_| self.unfit(name.as_str()))?;
        self.parts.headers.insert(name, value);
        Ok(())
    }

    /// The header that nobody should see in a log.
    pub(super) fn authorize(&mut self, value: &str) -> Result<(), Failure> {
        let mut value = HeaderValue::from_str(value).map_err(|_| self.unfit(AUTHORIZATION.as_str()))?;
        value.set_sensitive(true);
        self.parts.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// A part of the request that cannot be signed. What it holds is not repeated.
    pub(super) fn unfit(&self, what: &str) -> Failure {
        let message =
            format!("{}: {what} cannot be signed; it is too long or holds characters of no URI or header", self.origin);
        Failure::new(Error::HttpRequestUriInvalid, NetErrorKind::Config, message)
    }
}
