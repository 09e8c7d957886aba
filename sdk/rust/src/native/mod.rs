//! Running a connector outside the sandbox: on std's sockets, with the rows going to a function of the caller's. For unit
//! tests of connectors and for comparing the sandboxed code with the same code compiled natively; no TLS here.

mod http;
mod items;
mod throughput;

pub use throughput::{Throughput, read_all, throughput};

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arrow_array::RecordBatch;

use crate::host::{Exchange, Host, Link, Timer};
use crate::http::Request;
use crate::log::Level;
use crate::net::TlsOptions;
use crate::{Cursor, Directive, Error, Output, Result, Source, Split, ipc};

pub use items::{Memory, plan};

/// What a read did, as the host would see it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A stream was announced, with its schema message.
    Declared {
        /// The stream.
        stream: String,
        /// The encapsulated schema message.
        schema: Vec<u8>,
    },
    /// A record batch message was pushed.
    Pushed {
        /// The channel.
        channel: u32,
        /// The encapsulated record batch message.
        message: Vec<u8>,
    },
    /// A checkpoint was made.
    Checkpoint {
        /// The channel.
        channel: u32,
        /// The cursor.
        cursor: Cursor,
        /// Rows pushed so far.
        rows: u64,
    },
}

/// The same, where it happens: nothing is copied.
enum Raw<'a> {
    Declared { stream: &'a str, schema: &'a [u8] },
    Pushed { channel: u32, message: &'a [u8] },
    Parts { channel: u32, metadata: &'a [u8], body: &'a [&'a [u8]] },
    Checkpoint { channel: u32, cursor: &'a [u8], rows: u64 },
}

impl From<Raw<'_>> for Event {
    fn from(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Declared { stream, schema } => Self::Declared { stream: stream.to_owned(), schema: schema.to_vec() },
            Raw::Pushed { channel, message } => Self::Pushed { channel, message: message.to_vec() },
            Raw::Parts { channel, metadata, body } => Self::Pushed { channel, message: ipc::gather(metadata, body) },
            Raw::Checkpoint { channel, cursor, rows } => Self::Checkpoint { channel, cursor: cursor.to_vec(), rows },
        }
    }
}

type Sink = Box<dyn FnMut(Raw<'_>) -> Result<Directive>>;

thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
    static CHANNELS: RefCell<u32> = const { RefCell::new(0) };
}

/// Reads a split with a source, natively, showing everything it does to `sink`, whose answer to a checkpoint counts.
///
/// # Errors
/// What the source or `sink` returns.
pub fn read<S: Source>(
    source: &mut S,
    split: &Split,
    start: Option<&Cursor>,
    mut sink: impl FnMut(Event) -> Result<Directive> + 'static,
) -> Result<()> {
    read_raw(source, split, start, move |event| sink(event.into()))
}

fn read_raw<S: Source>(
    source: &mut S,
    split: &Split,
    start: Option<&Cursor>,
    sink: impl FnMut(Raw<'_>) -> Result<Directive> + 'static,
) -> Result<()> {
    SINK.set(Some(Box::new(sink)));
    CHANNELS.set(0);
    let result = source.read(split, start, &mut Output::new(&Native));
    SINK.set(None);
    result
}

/// Decodes what [`Event::Declared`] and [`Event::Pushed`] carry.
///
/// # Errors
/// If the messages are not valid.
pub fn decode(schema: &[u8], message: &[u8]) -> Result<RecordBatch> {
    let mut stream = schema.to_vec();
    stream.extend_from_slice(message);
    let mut reader = arrow_ipc::reader::StreamReader::try_new(std::io::Cursor::new(stream), None)?;
    reader.next().ok_or_else(|| Error::internal("no batch"))?.map_err(Into::into)
}

/// This machine.
pub(crate) struct Native;

fn emit(event: Raw<'_>) -> Result<Directive> {
    SINK.with_borrow_mut(|sink| match sink {
        Some(sink) => sink(event),
        None => Err(Error::internal("rows can only be pushed during a read")),
    })
}

impl Host for Native {
    fn declare(&self, stream: &str, schema: &[u8]) -> Result<u32> {
        emit(Raw::Declared { stream, schema })?;
        let number = CHANNELS.take();
        CHANNELS.set(number + 1);
        Ok(number)
    }

    fn push(&self, channel: u32, message: &[u8]) -> Result<()> {
        emit(Raw::Pushed { channel, message }).map(drop)
    }

    fn push_parts(&self, channel: u32, metadata: &[u8], body: &[&[u8]]) -> Result<()> {
        emit(Raw::Parts { channel, metadata, body }).map(drop)
    }

    fn checkpoint(&self, channel: u32, cursor: &[u8], rows: u64) -> Result<Directive> {
        emit(Raw::Checkpoint { channel, cursor, rows })
    }

    fn recall(&self, stream: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        items::recall(stream, keys)
    }

    fn remember(&self, stream: &str, entries: &[(String, Vec<u8>)]) -> Result<()> {
        items::remember(stream, entries)
    }

    fn replace(&self, stream: &str, files: &[String]) -> Result<()> {
        items::replace(stream, files)
    }

    fn log(&self, level: Level, message: &str) {
        #[expect(clippy::print_stderr, reason = "outside the sandbox there is no other place for the log")]
        {
            eprintln!("{level:?}: {message}");
        }
    }

    fn connect(&self, host: &str, port: u16, tls: Option<&TlsOptions>) -> Result<Box<dyn Link>> {
        if tls.is_some() {
            return Err(no_tls());
        }
        let stream = TcpStream::connect((host, port)).map_err(|e| broken(&e))?;
        stream.set_nodelay(true).map_err(|e| broken(&e))?;
        Ok(Box::new(NativeLink { stream }))
    }

    fn start(&self, request: Request) -> Result<Box<dyn Exchange>> {
        http::start(&request)
    }

    fn timer(&self, time: Duration) -> Box<dyn Timer> {
        Box::new(http::Sleeping(Some(time)))
    }

    fn wait(&self) {
        // Nothing here ever waits without blocking, so this is for futures of the caller's own, woken by other threads.
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

struct NativeLink {
    stream: TcpStream,
}

impl Link for NativeLink {
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        let mut buffer = vec![0; max as usize];
        let read = self.stream.read(&mut buffer).map_err(|e| broken(&e))?;
        buffer.truncate(read);
        Ok(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).map_err(|e| broken(&e))
    }

    fn start_tls(&mut self, _options: &TlsOptions) -> Result<()> {
        Err(no_tls())
    }

    fn tls_server_end_point(&mut self) -> Option<Vec<u8>> {
        None
    }
}

fn no_tls() -> Error {
    Error::unsupported("TLS is the host's; outside the sandbox connect without it")
}

fn broken(error: &std::io::Error) -> Error {
    Error::transient(format!("the connection failed: {error}"))
}
