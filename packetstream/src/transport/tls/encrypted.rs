//! A stream within TLS.

use super::super::stream::Stream;
use super::error::{TlsError, is_of_tls};
use super::session::Session;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

/// What is written leaves encrypted; errors are told in the words of [`TlsError`].
struct Encrypted {
    inner: TlsStream<Stream>,
    /// Whoever waits for bytes: maybe not the task that writes.
    reader: Waker,
}

/// The stream within TLS, once the handshake is done.
pub(super) fn stream(stream: impl Into<TlsStream<Stream>>) -> Stream {
    let inner = stream.into();
    let (carrier, connection) = inner.get_ref();
    let (peer, session) = (carrier.peer(), Session::of(connection));
    let mut stream = Stream::to(peer, Encrypted { inner, reader: Waker::noop().clone() });
    stream.tls = Some(session);
    stream
}

impl Encrypted {
    /// Why writing has failed. A peer that has refused us is gone when we write to it; what it has said before that
    /// is worth more than that its socket is closed.
    fn blame(&mut self, error: io::Error) -> io::Error {
        // Takes no bytes: those are for whoever reads, and is still to be woken for them.
        let mut cx = Context::from_waker(&self.reader);
        let reading = Pin::new(&mut self.inner).poll_read(&mut cx, &mut ReadBuf::new(&mut []));
        match reading {
            Poll::Ready(Err(said)) if is_of_tls(&said) => TlsError::of_stream(said),
            _ => TlsError::of_stream(error),
        }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reader.clone_from(cx.waker());
        Pin::new(&mut self.inner).poll_read(cx, buf).map_err(TlsError::of_stream)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        written.map_err(|error| self.blame(error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        flushed.map_err(|error| self.blame(error))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx).map_err(TlsError::of_stream)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        written.map_err(|error| self.blame(error))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
