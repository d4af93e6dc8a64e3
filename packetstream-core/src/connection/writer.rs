//! The writing half of a transport.

use crate::codec::EncodeBuffer;
use crate::packet::{Kind, Packet};
use bytes::Buf;
use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Pieces of one vectored write.
const SLICES: usize = 16;

/// Packets on their way to the transport, and whether it may still hold some back.
#[derive(Debug, Default)]
pub(super) struct Writer {
    buffer: EncodeBuffer,
    unflushed: bool,
    written: u64,
    flushes: u64,
    /// Responses among what the transport may not have.
    responses: u64,
}

impl Writer {
    #[inline]
    pub(super) fn push(&mut self, packet: &Packet) {
        self.responses += u64::from(matches!(packet.kind(), Kind::Response { .. }));
        self.buffer.push(packet);
    }

    /// Bytes that the transport has not taken.
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        self.buffer.remaining()
    }

    /// Responses that the transport may not have passed on.
    pub(super) fn responses(&self) -> u64 {
        self.responses
    }

    /// Whether the transport has taken everything and holds nothing back.
    pub(super) fn is_idle(&self) -> bool {
        !self.buffer.has_remaining() && !self.unflushed
    }

    /// Bytes that the transport has taken in all.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// How often the transport was flushed.
    pub(super) fn flushes(&self) -> u64 {
        self.flushes
    }

    /// Drops what was not written, and says how many responses may be lost by it.
    pub(super) fn discard(&mut self) -> u64 {
        let lost = self.responses;
        *self = Self { written: self.written, flushes: self.flushes, ..Self::default() };
        lost
    }

    /// Takes what is queued in another; only when it has nothing of its own.
    pub(super) fn take(&mut self, queued: &mut Self) {
        std::mem::swap(&mut self.buffer, &mut queued.buffer);
        self.responses += std::mem::take(&mut queued.responses);
    }

    /// Writes what there is, with one write of this many bytes at most that may block, and flushes when that was all.
    pub(super) fn write(&mut self, transport: &mut impl Write, most: usize) -> io::Result<()> {
        if self.buffer.has_remaining() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let first = (&mut self.buffer).take(most);
            let used = first.chunks_vectored(&mut slices);
            let used = slices.get(..used).unwrap_or_default();
            let given = length(used);
            match transport.write_vectored(used) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                written => self.advance(written?, given)?,
            }
        }
        if self.unflushed && !self.buffer.has_remaining() {
            match transport.flush() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                flushed => flushed?,
            }
            self.flushed();
        }
        Ok(())
    }

    /// Takes note of what the transport has taken, of what it was given.
    fn advance(&mut self, count: usize, given: usize) -> io::Result<()> {
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        if count > given {
            let text = "the transport claims to have written more than it was given";
            return Err(io::Error::other(text));
        }
        self.buffer.advance(count);
        seeded!(TornWrite => self.buffer.advance(self.buffer.remaining().min(1)));
        self.written = self.written.wrapping_add(count as u64);
        self.unflushed = true;
        Ok(())
    }

    fn flushed(&mut self) {
        (self.unflushed, self.responses) = (false, 0);
        self.flushes += 1;
    }

    /// Writes what there is, with one write, and flushes when that was all.
    ///
    /// Ready when something was written or flushed; pending when the transport takes nothing, or there
    /// is nothing to do.
    pub(super) fn poll<S>(&mut self, transport: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        let mut transport = Pin::new(transport);
        if self.buffer.has_remaining() {
            let (count, given) = ready!(self.poll_write(transport.as_mut(), cx))?;
            self.advance(count, given)?;
        }
        if self.unflushed && !self.buffer.has_remaining() {
            seeded!(MissingFlush => return Poll::Ready(Ok(self.flushed())));
            ready!(transport.poll_flush(cx))?;
            self.flushed();
            return Poll::Ready(Ok(()));
        }
        if self.buffer.has_remaining() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Writes once; yields how many bytes were taken, of how many.
    fn poll_write<S>(&self, transport: Pin<&mut S>, cx: &mut Context<'_>) -> Poll<io::Result<(usize, usize)>>
    where
        S: AsyncWrite,
    {
        let buffer = &self.buffer;
        if transport.is_write_vectored() && buffer.chunk().len() < buffer.remaining() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = buffer.chunks_vectored(&mut slices);
            let used = slices.get(..used).unwrap_or_default();
            let given = length(used);
            transport.poll_write_vectored(cx, used).map_ok(|count| (count, given))
        } else {
            let given = buffer.chunk().len();
            transport.poll_write(cx, buffer.chunk()).map_ok(|count| (count, given))
        }
    }
}

fn length(slices: &[IoSlice<'_>]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::task::Waker;

    /// Takes one byte more than it is given.
    struct Liar {
        is_vectored: bool,
    }

    impl Write for Liar {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len() + 1)
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            Ok(length(slices) + 1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl AsyncWrite for Liar {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len() + 1))
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(length(slices) + 1))
        }

        fn is_write_vectored(&self) -> bool {
            self.is_vectored
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// More pieces than one write takes.
    fn full() -> Writer {
        let mut writer = Writer::default();
        for _ in 0..SLICES {
            let payload = Bytes::from(vec![0; 10_000]);
            writer.push(&Packet::request(0, 2, 0, 0, payload).unwrap());
        }
        writer
    }

    #[test]
    fn a_transport_that_claims_more_than_it_was_given_is_not_believed_though_more_waits() {
        for is_vectored in [false, true] {
            let mut writer = full();
            let polled = writer.poll(&mut Liar { is_vectored }, &mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(Err(_))), "{is_vectored}: {polled:?}");
            assert_eq!(writer.written(), 0);
        }
        let mut writer = full();
        assert!(writer.write(&mut Liar { is_vectored: false }, 1 << 20).is_err());
        assert_eq!(writer.written(), 0);
    }
}
