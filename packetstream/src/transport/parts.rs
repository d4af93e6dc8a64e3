//! A reader, a writer, and what to do when both are done with.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Two halves that were opened together, and are closed by a call.
pub(super) struct Parts<R, W, F: FnOnce()> {
    recv: Pin<Box<R>>,
    send: Pin<Box<W>>,
    /// Nothing once it was called.
    shutdown: Option<F>,
}

impl<R, W, F: FnOnce()> Parts<R, W, F> {
    pub(super) fn new(recv: R, send: W, shutdown: F) -> Self {
        Self { recv: Box::pin(recv), send: Box::pin(send), shutdown: Some(shutdown) }
    }

    fn call(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            shutdown();
        }
    }
}

impl<R, W, F: FnOnce()> Drop for Parts<R, W, F> {
    fn drop(&mut self) {
        self.call();
    }
}

/// Nothing in it is pinned but by its own box.
impl<R, W, F: FnOnce()> Unpin for Parts<R, W, F> {}

impl<R: AsyncRead, W, F: FnOnce()> AsyncRead for Parts<R, W, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.recv.as_mut().poll_read(cx, buf)
    }
}

impl<R, W: AsyncWrite, F: FnOnce()> AsyncWrite for Parts<R, W, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.send.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(self.send.as_mut().poll_shutdown(cx));
        self.call();
        Poll::Ready(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.send.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.send.is_write_vectored()
    }
}
