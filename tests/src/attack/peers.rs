//! Transports with a hostile peer at their other end, and a runtime whose clock does not take its time.

use packetstream::{Bytes, Packet};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread, whose clock jumps to the next deadline when there is nothing to do.
pub(super) fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime")
}

/// Requests with tags that are not in flight, one after the other.
pub(super) fn requests(count: u64, payload: usize) -> Bytes {
    let payload = Bytes::from(vec![7; payload]);
    let packets = (2..2 + count).map(|tag| Packet::request(0, tag, 1, 0, payload.clone()).expect("it fits"));
    packets.flat_map(|packet| packet.transcribe()).collect()
}

/// A peer that says the same bytes again and again, as fast as it is read, and reads as it likes.
#[derive(Debug)]
pub(super) struct Endless {
    /// Said first, once.
    pub(super) first: Bytes,
    /// Said after that.
    pub(super) bytes: Bytes,
    /// How many of all bytes were said.
    pub(super) said: usize,
    /// How many one read brings at most.
    pub(super) at_once: usize,
    /// How many may be said: then the stream is quiet.
    pub(super) most: usize,
    /// Of so many attempts to write one succeeds; 0 for none at all.
    pub(super) reads_one_in: u64,
    /// Attempts to write.
    pub(super) attempts: u64,
}

impl Endless {
    pub(super) fn of(bytes: Bytes) -> Self {
        Self {
            first: Bytes::new(),
            bytes,
            said: 0,
            at_once: usize::MAX,
            most: usize::MAX,
            reads_one_in: 0,
            attempts: 0,
        }
    }
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut room = buf.remaining().min(self.at_once).min(self.most - self.said);
        let before = buf.filled().len();
        while room > 0 {
            let (source, offset) = match self.said.checked_sub(self.first.len()) {
                None => (&self.first, self.said),
                Some(_) if self.bytes.is_empty() => break,
                Some(beyond) => (&self.bytes, beyond % self.bytes.len()),
            };
            let piece = &source[offset..];
            let count = piece.len().min(room);
            buf.put_slice(&piece[..count]);
            self.said += count;
            room -= count;
        }
        if buf.filled().len() == before { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncWrite for Endless {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.reads_one_in == 0 {
            return Poll::Pending;
        }
        self.attempts += 1;
        if self.attempts.is_multiple_of(self.reads_one_in) {
            return Poll::Ready(Ok(buf.len()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
