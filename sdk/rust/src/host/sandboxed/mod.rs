//! The host as the sandbox offers it: the component's imports.

mod exchange;
mod http_error;
mod waiting;

use std::time::Duration;

use super::bindings::sluice::source::types::ErrorKind as WitKind;
use super::bindings::sluice::source::{
    items as wit_items, log as wit_log, net as wit_net, output as wit_output, types as wit,
};
use super::borrowing::sluice::source::output as borrowing;
use super::{Exchange, Host, Link, Timer};
use crate::http::Request;
use crate::log::Level;
use crate::net::{TlsOptions, Verification};
use crate::{Directive, Error, ErrorKind, Result};

/// The imports of the component.
pub(crate) struct Sandboxed;

impl Host for Sandboxed {
    fn declare(&self, stream: &str, schema: &[u8]) -> Result<u32> {
        wit_output::declare(stream, schema).map_err(Into::into)
    }

    fn push(&self, channel: u32, message: &[u8]) -> Result<()> {
        wit_output::push(channel, message).map_err(Into::into)
    }

    fn push_parts(&self, channel: u32, metadata: &[u8], body: &[&[u8]]) -> Result<()> {
        borrowing::push_parts(channel, metadata, body).map_err(Into::into)
    }

    fn checkpoint(&self, channel: u32, cursor: &[u8], rows: u64) -> Result<Directive> {
        Ok(match wit_output::checkpoint(channel, cursor, rows)? {
            wit_output::Directive::Continue => Directive::Continue,
            wit_output::Directive::Stop => Directive::Stop,
        })
    }

    fn recall(&self, stream: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        wit_items::recall(stream, keys).map_err(Into::into)
    }

    fn remember(&self, stream: &str, entries: &[(String, Vec<u8>)]) -> Result<()> {
        wit_items::remember(stream, entries).map_err(Into::into)
    }

    fn replace(&self, stream: &str, files: &[String]) -> Result<()> {
        wit_items::replace(stream, files).map_err(Into::into)
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => wit_log::Level::Debug,
            Level::Info => wit_log::Level::Info,
            Level::Warn => wit_log::Level::Warn,
            Level::Error => wit_log::Level::Error,
        };
        wit_log::write(level, message);
    }

    fn connect(&self, host: &str, port: u16, tls: Option<&TlsOptions>) -> Result<Box<dyn Link>> {
        let connection = wit_net::connect(host, port, tls.map(tls_options).as_ref())?;
        Ok(Box::new(Sandbox { connection }))
    }

    fn start(&self, request: Request) -> Result<Box<dyn Exchange>> {
        exchange::start(request)
    }

    fn timer(&self, time: Duration) -> Box<dyn Timer> {
        Box::new(waiting::Elapsing::new(time))
    }

    fn wait(&self) {
        waiting::wait();
    }
}

struct Sandbox {
    connection: wit_net::Connection,
}

impl Link for Sandbox {
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        self.connection.read(max).map_err(Into::into)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.connection.write(bytes).map_err(Into::into)
    }

    fn start_tls(&mut self, options: &TlsOptions) -> Result<()> {
        self.connection.start_tls(&tls_options(options)).map_err(Into::into)
    }

    fn tls_server_end_point(&mut self) -> Option<Vec<u8>> {
        self.connection.tls_server_end_point()
    }
}

fn tls_options(options: &TlsOptions) -> wit_net::TlsOptions {
    wit_net::TlsOptions {
        verification: match options.verification {
            Verification::None => wit_net::Verification::None,
            Verification::Authority => wit_net::Verification::Authority,
            Verification::Full => wit_net::Verification::Full,
        },
        server_name: options.server_name.clone(),
        authorities: options.authorities.clone(),
        client_certificate: options.client_certificate.clone(),
        client_key: options.client_key.clone(),
        alpn: options.alpn.clone(),
    }
}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        let kind = match error.kind {
            WitKind::Config => ErrorKind::Config,
            WitKind::Auth => ErrorKind::Auth,
            WitKind::Permission => ErrorKind::Permission,
            WitKind::NotFound => ErrorKind::NotFound,
            WitKind::Expired => ErrorKind::Expired,
            WitKind::Unsupported => ErrorKind::Unsupported,
            WitKind::RateLimited => ErrorKind::RateLimited,
            WitKind::Transient => ErrorKind::Transient,
            WitKind::Protocol => ErrorKind::Protocol,
            WitKind::Cancelled => ErrorKind::Cancelled,
            WitKind::Internal => ErrorKind::Internal,
        };
        Self {
            kind,
            message: error.message,
            retry_after: error.retry_after_ms.map(Duration::from_millis),
            field: error.field,
            stream: error.stream_id,
        }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Config => WitKind::Config,
            ErrorKind::Auth => WitKind::Auth,
            ErrorKind::Permission => WitKind::Permission,
            ErrorKind::NotFound => WitKind::NotFound,
            ErrorKind::Expired => WitKind::Expired,
            ErrorKind::Unsupported => WitKind::Unsupported,
            ErrorKind::RateLimited => WitKind::RateLimited,
            ErrorKind::Transient => WitKind::Transient,
            ErrorKind::Protocol => WitKind::Protocol,
            ErrorKind::Cancelled => WitKind::Cancelled,
            ErrorKind::Internal => WitKind::Internal,
        };
        Self {
            kind,
            message: error.message,
            retry_after_ms: error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            field: error.field,
            stream_id: error.stream,
        }
    }
}
