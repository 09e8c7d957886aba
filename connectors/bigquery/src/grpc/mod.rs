//! gRPC as far as reading takes it: one request, one answer or a stream of them, over the host's HTTP/2.
//!
//! The host speaks HTTP/2 because the content type says gRPC, and adds the token. Messages stand in [`crate::storage`]; this
//! module knows framing ([`frame`]) and statuses ([`status`]).

mod frame;
mod status;

use std::marker::PhantomData;
use std::time::Duration;

use prost::Message;
use sluice_sdk::Error;
use sluice_sdk::http::{Request, Response, Timeouts};

use crate::config::BigQueryConfig;
use crate::denied::Doing;
use crate::rest::segment;
use frame::Frames;
pub(crate) use status::{Failure, code};

/// Longest wait for the first answer, and between two of a stream: a restriction may pass over many rows before one fits.
const PATIENCE: Duration = Duration::from_secs(600);

/// A call of a method.
pub(crate) struct Call<'a> {
    pub(crate) config: &'a BigQueryConfig,
    pub(crate) doing: &'a Doing<'a>,
    /// `package.Service/Method`.
    pub(crate) method: &'static str,
    /// The field of the request by which Google routes it, and its value.
    pub(crate) route: (&'static str, &'a str),
}

impl Call<'_> {
    /// Calls a method that answers once.
    pub(crate) fn unary<A: Message + Default>(&self, request: &impl Message) -> Result<A, Failure> {
        let mut answers = self.stream(request)?;
        let answer = answers.next()?;
        // The status comes after the answer, and may still be an error.
        let more = answers.next()?;
        match (answer, more) {
            (Some(answer), None) => Ok(answer),
            _ => {
                let message = format!("{}: BigQuery did not send exactly one answer", self.doing.words());
                Err(Error::protocol(message).into())
            }
        }
    }

    /// Calls a method that answers with a stream.
    pub(crate) fn stream<A: Message + Default>(&self, request: &impl Message) -> Result<Answers<'_, A>, Failure> {
        let (field, value) = self.route;
        let timeouts = Timeouts { first_byte: Some(PATIENCE), between_bytes: Some(PATIENCE), ..Timeouts::default() };
        let response = Request::post(format!("{}/{}", self.config.storage(), self.method), frame::encode(request))
            .header("content-type", "application/grpc+proto")
            .header("te", "trailers")
            .header("grpc-accept-encoding", "identity")
            .header("x-goog-request-params", format!("{field}={}", segment(value)))
            .timeouts(timeouts)
            .send()?;
        if response.status() != 200 {
            return Err(status::of_http(response.status(), response.retry_after()).explain(self.config, self.doing));
        }
        // An error before the first answer comes in the head, without a body.
        if let Some(status) = status::read(response.headers())
            && !status.is_ok()
        {
            return Err(status.explain(self.config, self.doing));
        }
        Ok(Answers { call: self, response, frames: Frames::default(), kind: PhantomData })
    }
}

/// The answers of a call, as they come.
pub(crate) struct Answers<'a, A> {
    call: &'a Call<'a>,
    response: Response,
    frames: Frames,
    kind: PhantomData<A>,
}

impl<A: Message + Default> Answers<'_, A> {
    /// Waits for the next answer; none once the call has ended well.
    pub(crate) fn next(&mut self) -> Result<Option<A>, Failure> {
        let doing = self.call.doing;
        loop {
            if let Some(message) = self.frames.next().map_err(|error| error.context(doing.words()))? {
                // Decoding from `Bytes` leaves byte fields where they are: a batch is not copied.
                let answer = A::decode(message);
                return answer.map(Some).map_err(|e| {
                    Error::protocol(format!("{}: BigQuery's answer is not understood ({e})", doing.words())).into()
                });
            }
            match self.response.chunk()? {
                Some(chunk) => self.frames.push(chunk),
                None => break,
            }
        }
        self.end()
    }

    fn end(&mut self) -> Result<Option<A>, Failure> {
        let doing = self.call.doing;
        let trailers = self.response.read_trailers()?;
        let status = status::read(&trailers).or_else(|| status::read(self.response.headers()));
        match status {
            Some(status) if !status.is_ok() => Err(status.explain(self.call.config, doing)),
            Some(_) if self.frames.is_empty() => Ok(None),
            _ => Err(Error::transient(format!("{}: the stream ended before its end", doing.words())).into()),
        }
    }
}
