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
    pub(super) fn push(&mut self, packet: Packet) {
        self.responses += u64::from(matches!(packet.kind(), Kind::Response { .. }));
        self.buffer.push(packet);
    }

    /// Bytes that the transport has not taken.
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
            match transport.write_vectored(&slices[..used]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                written => self.advance(written?)?,
            }
        }
        if self.unflushed && !self.buffer.has_remaining() {
            transport.flush()?;
            self.flushed();
        }
        Ok(())
    }

    /// Takes note of what the transport has taken.
    fn advance(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        if count > self.buffer.remaining() {
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
            let count = ready!(self.poll_write(transport.as_mut(), cx))?;
            self.advance(count)?;
        }
        if self.unflushed && !self.buffer.has_remaining() {
            seeded!(MissingFlush => return Poll::Ready(Ok(self.flushed())));
            ready!(transport.poll_flush(cx))?;
            self.flushed();
            return Poll::Ready(Ok(()));
        }
        if self.buffer.has_remaining() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_write<S>(&self, transport: Pin<&mut S>, cx: &mut Context<'_>) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite,
    {
        let buffer = &self.buffer;
        if transport.is_write_vectored() && buffer.chunk().len() < buffer.remaining() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = buffer.chunks_vectored(&mut slices);
            transport.poll_write_vectored(cx, &slices[..used])
        } else {
            transport.poll_write(cx, buffer.chunk())
        }
    }
}
