//! A socket read in large pieces.
//!
//! rustls asks its transport for 4 KiB at a time; with this between, a record costs a copy instead of four system
//! calls.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What one system call may bring: sixteen TLS records.
const CAPACITY: usize = 256 << 10;

/// A [`TcpStream`] whose reads are buffered; writes go straight through.
#[derive(Debug)]
pub(crate) struct Buffered {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Buffered {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }
}

impl AsyncRead for Buffered {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.buffer.is_empty() {
            // Reuses the allocation: nothing else holds a part of it.
            this.buffer.clear();
            this.buffer.reserve(CAPACITY);
            let read = tokio_util::io::poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.buffer);
            if ready!(read)? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let length = this.buffer.len().min(into.remaining());
        into.put_slice(this.buffer.get(..length).unwrap_or_default());
        this.buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
