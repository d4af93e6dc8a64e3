//! A stream within TLS.

use super::super::stream::Stream;
use super::error::TlsError;
use super::session::Session;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

/// What is written leaves encrypted; errors are told in the words of [`TlsError`].
struct Encrypted(TlsStream<Stream>);

/// The stream within TLS, once the handshake is done.
pub(super) fn stream(stream: impl Into<TlsStream<Stream>>) -> Stream {
    let inner = stream.into();
    let (carrier, connection) = inner.get_ref();
    let (peer, session) = (carrier.peer(), Session::of(connection));
    let mut stream = Stream::to(peer, Encrypted(inner));
    stream.tls = Some(session);
    stream
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf).map_err(TlsError::of_stream)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf).map_err(TlsError::of_stream)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx).map_err(TlsError::of_stream)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx).map_err(TlsError::of_stream)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs).map_err(TlsError::of_stream)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
