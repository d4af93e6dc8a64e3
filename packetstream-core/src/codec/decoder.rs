//! Bytes in any fragmentation to packets. One that is over the limit is refused before any of it is stored.

use crate::packet::{Packet, ParseError};
use crate::varint::{self, VarintError};
use bytes::{Buf, Bytes, BytesMut};
use std::mem;

/// The longest packet body that a default [`Decoder`] takes, in bytes: 16 MiB.
pub(crate) const DEFAULT_MAX_PACKET: usize = 16 << 20;

/// Room for the first read of a connection; one that has little to say never needs more, and gives it back. So small
/// that allocators have it at hand.
const FIRST_READ: usize = 1000;
/// Room for a read once the traffic has shown that it fills smaller ones.
const LARGEST_READ: usize = 64 << 10;
/// The most memory that a length prefix can claim beyond what the peer has sent on this connection in all.
const UNPROVEN: u64 = 64 << 10;
/// Room beyond the packet that is being received: a read that is filled to the brim has to be repeated
/// to learn that there is no more.
const SLACK: usize = 2 << 10;
/// Payloads below this are copied out of the read buffer.
const SMALLEST_SHARED: usize = 4 << 10;
/// A payload shares the read buffer only if it is at least this part of it, so that one that is kept
/// does not pin much more than this many times its own size.
const PINNED_PER_VISIBLE: usize = 4;
/// What is copied at once, for the payloads of small packets.
const COPIED_AT_ONCE: usize = 1 << 10;

/// Why incoming bytes cannot be a packet stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The length prefix is not a number.
    #[error("bad length prefix of a packet")]
    Length(#[source] VarintError),
    /// The peer announced more than this side agreed to hold.
    #[error("packet of {announced} bytes exceeds the limit of {limit}")]
    TooLong {
        /// What the length prefix said.
        announced: u64,
        /// [`Decoder::new`]'s argument.
        limit: usize,
    },
    /// The length was fine, the body was not.
    #[error(transparent)]
    Packet(#[from] ParseError),
    /// The stream ended inside a packet.
    #[error("stream ended inside a packet, {received} bytes into it")]
    Cut {
        /// How much of the packet had come, its length prefix included.
        received: usize,
    },
}

/// Makes packets of bytes that arrive in any fragmentation.
///
/// ```
/// use packetstream_core::{Decoder, Packet};
///
/// let mut decoder = Decoder::new(1 << 20);
/// decoder.room().extend_from_slice(&[3, 1, 2]);
/// assert_eq!(decoder.next_packet()?, None);
/// decoder.room().extend_from_slice(&[0]);
/// assert_eq!(decoder.next_packet()?, Some(Packet::end_of_requests()));
/// # Ok::<(), packetstream_core::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    max_packet: usize,
    buffer: BytesMut,
    /// Bytes at the front of the buffer that were decoded. They go when there is to be room: moving the front of the
    /// buffer costs more than adding to this.
    taken: usize,
    /// A copy of what comes next in the buffer, for the payloads of small packets to share.
    copied: Bytes,
    /// Bytes of the packet that is next in the buffer, its length prefix included; 0 while unknown.
    needed: usize,
    /// Bytes of all packets before that one.
    decoded: u64,
    /// Room for the next read when nothing is known of what comes.
    read_size: usize,
    /// What the buffer's memory holds in all.
    allocated: usize,
    /// Whether there was an occasion to read since the last look.
    was_offered: bool,
}

impl Default for Decoder {
    /// A decoder that refuses packets whose body is longer than 16 MiB.
    fn default() -> Self {
        Self::new(DEFAULT_MAX_PACKET)
    }
}

impl Decoder {
    /// A decoder that refuses packets whose body is longer than `max_packet` bytes.
    #[must_use]
    pub fn new(max_packet: usize) -> Self {
        Self {
            max_packet,
            buffer: BytesMut::new(),
            taken: 0,
            copied: Bytes::new(),
            needed: 0,
            decoded: 0,
            read_size: FIRST_READ,
            allocated: 0,
            was_offered: false,
        }
    }

    /// Where to append what was read: what has not been decoded yet, with room behind it.
    ///
    /// Whatever a length prefix announces, the room is not much more than 64 KiB and what the peer has
    /// really sent.
    pub fn room(&mut self) -> &mut BytesMut {
        self.buffer.advance(mem::take(&mut self.taken));
        // Whoever appends may do more.
        self.copied = Bytes::new();
        if self.buffer.is_empty() && self.allocated > LARGEST_READ.saturating_mul(2) {
            // What a large packet needed is not kept for the next.
            self.buffer = BytesMut::new();
        }
        let missing = self.needed.saturating_sub(self.buffer.len());
        let want = if missing == 0 {
            self.read_size
        } else {
            let received = self.decoded.saturating_add(self.buffer.len() as u64);
            let proven = usize::try_from(received.max(UNPROVEN)).unwrap_or(usize::MAX);
            missing.min(proven).saturating_add(SLACK).max(self.read_size)
        };
        if self.buffer.capacity().saturating_sub(self.buffer.len()) < want {
            self.buffer.reserve(want);
            self.allocated = self.buffer.capacity();
        }
        self.was_offered = true;
        &mut self.buffer
    }

    /// The next whole packet, or nothing until more bytes are appended to [`room`](Self::room).
    ///
    /// # Errors
    ///
    /// The stream is beyond repair: packets have no marks to find the next one by.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        if mem::take(&mut self.was_offered) {
            self.look_at_room();
        }
        let mut rest = self.buffer.get(self.taken..).unwrap_or_default();
        let left = rest.len();
        if left < self.needed || left == 0 {
            return Ok(None);
        }
        let announced = match varint::get(&mut rest) {
            Ok(announced) => announced,
            Err(VarintError::Truncated) => return Ok(None),
            Err(source) => return Err(DecodeError::Length(source)),
        };
        let body = usize::try_from(announced)
            .ok()
            .filter(|&body| body <= self.max_packet)
            .ok_or(DecodeError::TooLong { announced, limit: self.max_packet })?;
        let prefix = left.saturating_sub(rest.len());
        let whole = prefix.saturating_add(body);
        let Some(body) = rest.get(..body) else {
            self.needed = whole;
            return Ok(None);
        };
        let smallest_shared = SMALLEST_SHARED.max(self.allocated / PINNED_PER_VISIBLE);
        // What is malformed stays in the buffer, whatever its length: asked again, the answer is the same.
        let (packet, length) = Packet::parse_body(body)?;
        let payload = if body.len() < smallest_shared {
            self.copy(whole, length)
        } else {
            self.copied = Bytes::new();
            self.buffer.advance(mem::take(&mut self.taken));
            self.buffer.split_to(whole).freeze().slice(whole.saturating_sub(length)..)
        };
        self.needed = 0;
        self.decoded = self.decoded.saturating_add(whole as u64);
        Ok(Some(packet.with_payload(payload)))
    }

    /// Takes the next packet of this many bytes, and copies its payload, at its end.
    ///
    /// Payloads that came together are copied together, so that few cost an allocation. One that is kept pins the
    /// memory of the others: no more than [`COPIED_AT_ONCE`].
    fn copy(&mut self, whole: usize, length: usize) -> Bytes {
        let start = self.taken;
        self.taken = start.saturating_add(whole);
        if self.copied.len() < whole {
            let left = self.buffer.get(start..).unwrap_or_default();
            if length > COPIED_AT_ONCE / PINNED_PER_VISIBLE {
                self.copied = Bytes::new();
                return Bytes::copy_from_slice(
                    left.get(whole.saturating_sub(length)..whole).unwrap_or_default(),
                );
            }
            self.copied = Bytes::copy_from_slice(left.get(..COPIED_AT_ONCE).unwrap_or(left));
        }
        if length == 0 {
            self.copied.advance(whole);
            return Bytes::new();
        }
        let mut packet = self.copied.split_to(whole);
        packet.advance(whole.saturating_sub(length));
        packet
    }

    /// Takes note of what was made of [`room`](Self::room).
    #[inline(never)]
    fn look_at_room(&mut self) {
        // Whoever appended may have made more room.
        self.allocated = self.allocated.max(self.buffer.capacity());
        if self.buffer.len() == self.buffer.capacity() {
            // There may have been more to read.
            self.read_size = self.read_size.saturating_mul(2).min(LARGEST_READ);
        }
    }

    /// What was not decoded.
    fn left(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// Takes note that nothing comes for now: an idle connection keeps no room for its first read.
    pub fn rest(&mut self) {
        if self.left().is_empty() && self.allocated <= FIRST_READ {
            self.buffer = BytesMut::new();
            (self.taken, self.allocated, self.was_offered) = (0, 0, false);
        }
    }

    /// Whether part of a packet has arrived and the rest is awaited.
    #[must_use]
    pub fn is_mid_packet(&self) -> bool {
        !self.left().is_empty()
    }

    /// Takes note that the stream has ended.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Cut`] when it ended inside a packet.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.left().len() {
            0 => Ok(()),
            received => Err(DecodeError::Cut { received }),
        }
    }

    /// The bytes behind the last packet that was taken.
    #[must_use]
    pub fn into_unread(mut self) -> Bytes {
        self.buffer.advance(self.taken);
        self.buffer.freeze()
    }
}

#[cfg(test)]
mod tests;
