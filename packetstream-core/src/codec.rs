//! A stream of bytes to packets and back: the one place where a length from the wire becomes memory.
//!
//! [`Decoder`] takes bytes in any fragmentation and refuses a packet over its limit before storing any
//! of it. [`EncodeBuffer`] holds what is to be written, small packets side by side, large payloads by
//! reference.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        reason = "reads what a hostile peer wrote"
    )
)]

use crate::packet::{Packet, ParseError};
use crate::varint::{self, VarintError};
use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::IoSlice;
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
/// Payloads from here on are written by reference instead of being copied.
const SMALLEST_BY_REFERENCE: usize = 8 << 10;

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

/// Packets on their way out.
///
/// Read it through [`Buf`]: [`Buf::chunks_vectored`] for vectored writes, [`Buf::advance`] for what was
/// written.
#[derive(Debug, Default)]
pub struct EncodeBuffer {
    /// What precedes `tail`.
    front: VecDeque<Bytes>,
    front_len: usize,
    tail: Vec<u8>,
    /// Bytes of `tail` that were written.
    written: usize,
}

impl EncodeBuffer {
    /// Appends a packet. A payload of 8 KiB or more is kept by reference, a smaller one copied.
    #[inline]
    pub fn push(&mut self, packet: &Packet) {
        packet.put_header(&mut self.tail);
        let payload = packet.payload();
        if payload.len() < SMALLEST_BY_REFERENCE {
            self.tail.extend_from_slice(payload);
        } else {
            self.push_by_reference(payload.clone());
        }
    }

    #[inline(never)]
    fn push_by_reference(&mut self, payload: Bytes) {
        let mut before = Bytes::from(mem::take(&mut self.tail));
        before.advance(mem::take(&mut self.written));
        self.front_len = self.front_len.saturating_add(before.len()).saturating_add(payload.len());
        self.front.push_back(before);
        self.front.push_back(payload);
    }

    fn tail(&self) -> &[u8] {
        self.tail.get(self.written..).unwrap_or_default()
    }
}

impl Buf for EncodeBuffer {
    fn remaining(&self) -> usize {
        self.front_len.saturating_add(self.tail().len())
    }

    fn chunk(&self) -> &[u8] {
        self.front.front().map_or(self.tail(), |first| first)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let chunks = self.front.iter().map(|bytes| &bytes[..]).chain([self.tail()]);
        slices
            .iter_mut()
            .zip(chunks.filter(|chunk| !chunk.is_empty()))
            .map(|(slice, chunk)| *slice = IoSlice::new(chunk))
            .count()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.front.front_mut() {
            let step = count.min(first.len());
            first.advance(step);
            self.front_len = self.front_len.saturating_sub(step);
            count = count.saturating_sub(step);
            if !first.is_empty() {
                return;
            }
            self.front.pop_front();
        }
        assert!(count <= self.tail().len(), "cannot advance past what there is");
        self.written = self.written.saturating_add(count);
        // Moving what is left costs no more than writing the rest did.
        if self.written >= self.tail().len() {
            self.tail.drain(..mem::take(&mut self.written));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;

    fn request(payload: &[u8]) -> Packet {
        Packet::request(0, 2, 1, 0x55, Bytes::copy_from_slice(payload)).unwrap()
    }

    /// Feeds `bytes` in pieces of `piece` bytes and returns what came of it.
    fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Packet>, DecodeError> {
        let mut decoder = Decoder::new(1 << 20);
        let mut packets = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.room().put_slice(piece);
            while let Some(packet) = decoder.next_packet()? {
                packets.push(packet);
            }
        }
        decoder.finish().map(|()| packets)
    }

    // Rules: W-6, W-20
    #[test]
    fn fragmentation_changes_nothing() {
        let packets: Vec<Packet> =
            [0, 1, 16, 127, 128, 5_000, 70_000].map(|len| request(&vec![7; len])).to_vec();
        let bytes: Vec<u8> = packets.iter().flat_map(Packet::transcribe).collect();
        for piece in [1, 2, 3, 16, 4096, 65_536, bytes.len()] {
            assert_eq!(decode(&bytes, piece).unwrap(), packets, "in pieces of {piece}");
        }
    }

    // Rules: W-23
    #[test]
    fn a_stream_cut_inside_a_packet_says_how_far_it_came() {
        let bytes = request(b"hello").transcribe();
        for cut in 1..bytes.len() {
            assert_eq!(decode(&bytes[..cut], 1), Err(DecodeError::Cut { received: cut }));
        }
    }

    // Rules: W-24
    #[test]
    fn a_packet_over_the_limit_is_refused_from_its_length_alone() {
        let mut decoder = Decoder::new(100);
        decoder.room().put_slice(&[101]);
        assert_eq!(decoder.next_packet(), Err(DecodeError::TooLong { announced: 101, limit: 100 }));

        let mut decoder = Decoder::new(16 << 20);
        varint::put(decoder.room(), 1 << 62);
        assert_eq!(decoder.next_packet(), Err(DecodeError::TooLong { announced: 1 << 62, limit: 16 << 20 }));
    }

    // Rules: W-24
    #[test]
    fn an_announced_length_claims_memory_only_as_bytes_arrive() {
        let mut decoder = Decoder::new(16 << 20);
        varint::put(decoder.room(), 16 << 20);
        assert_eq!(decoder.next_packet(), Ok(None));
        assert!(decoder.room().capacity() <= 128 << 10, "{}", decoder.room().capacity());
        for _ in 0..100 {
            decoder.room().put_slice(&[0; 10_000]);
            assert_eq!(decoder.next_packet(), Ok(None));
        }
        let received = 1_000_000;
        assert!(decoder.room().capacity() <= 3 * received, "{}", decoder.room().capacity());
    }

    // Rules: none: how much is read
    #[test]
    fn the_rest_of_a_packet_has_room_for_one_read() {
        let mut decoder = Decoder::new(1 << 20);
        varint::put(decoder.room(), 50_000);
        assert_eq!(decoder.next_packet(), Ok(None));
        let room = decoder.room();
        assert!(room.capacity() - room.len() > 50_000, "{}", room.capacity());
    }

    // Rules: none: memory
    #[test]
    fn reads_grow_with_the_traffic_and_an_idle_decoder_gives_a_large_buffer_back() {
        for length in [12, 100, 5_000] {
            let packet = request(&vec![7; length]).transcribe();
            let mut stream = packet.iter().copied().cycle();
            let mut decoder = Decoder::new(1 << 20);
            let mut largest = 0;
            for _ in 0..50 {
                let buffer = decoder.room();
                let room = buffer.capacity() - buffer.len();
                buffer.extend(stream.by_ref().take(room));
                largest = largest.max(room);
                while decoder.next_packet().unwrap().is_some() {}
            }
            assert!(largest > 60_000, "{largest} for packets of {length}");
        }
        let mut decoder = Decoder::new(16 << 20);
        decoder.room().put_slice(&request(&vec![7; 15 << 20]).transcribe());
        decoder.next_packet().unwrap().unwrap();
        assert!(decoder.room().capacity() <= 128 << 10, "{}", decoder.room().capacity());
    }

    // Rules: none: memory
    #[test]
    fn a_decoder_that_rests_keeps_what_it_has_of_a_packet_and_no_room() {
        let bytes = request(b"hello").transcribe();
        let mut decoder = Decoder::default();
        for _ in 0..10 {
            decoder.room().put_slice(&bytes);
            assert_eq!(decoder.next_packet(), Ok(Some(request(b"hello"))));
            decoder.room();
            decoder.rest();
            assert_eq!((decoder.buffer.capacity(), decoder.read_size), (0, FIRST_READ));
        }
        decoder.room().put_slice(&bytes[..4]);
        assert_eq!(decoder.next_packet(), Ok(None));
        decoder.rest();
        decoder.room().put_slice(&bytes[4..]);
        assert_eq!(decoder.next_packet(), Ok(Some(request(b"hello"))));
    }

    // Rules: none: memory
    #[test]
    fn what_was_written_of_an_encode_buffer_that_never_empties_takes_no_memory() {
        let packet = request(&[7; 1_000]);
        let mut out = EncodeBuffer::default();
        out.push(&packet);
        for _ in 0..1_000 {
            out.push(&packet);
            out.advance(packet.encoded_len());
        }
        assert_eq!(out.remaining(), packet.encoded_len());
        assert!(out.tail.capacity() <= 16 << 10, "{}", out.tail.capacity());
    }

    // Rules: none: memory
    #[test]
    fn a_small_payload_that_is_kept_does_not_pin_the_read_buffer() {
        let mut decoder = Decoder::new(1 << 20);
        decoder.room().put_slice(&request(&[1; 100]).transcribe());
        let buffer = decoder.room().as_ptr_range();
        let payload = decoder.next_packet().unwrap().unwrap().into_payload();
        assert!(!buffer.contains(&payload.as_ptr()));
    }

    // Rules: none: copies
    #[test]
    fn a_large_payload_is_not_copied() {
        let mut decoder = Decoder::new(1 << 20);
        let bytes = request(&vec![1; 100_000]).transcribe();
        decoder.room().put_slice(&bytes);
        let buffer = decoder.room().as_ptr_range();
        let payload = decoder.next_packet().unwrap().unwrap().into_payload();
        assert!(buffer.contains(&payload.as_ptr()));
    }

    // Rules: W-21, W-22
    #[test]
    fn a_malformed_packet_of_any_length_stays_malformed_and_unread() {
        for length in [11, 100, 100_000] {
            let mut decoder = Decoder::new(1 << 20);
            varint::put(decoder.room(), length);
            let bytes = decoder.room();
            bytes.resize(bytes.len() + usize::try_from(length).unwrap(), 0xff);
            bytes.put_slice(&Packet::end_of_stream().transcribe());
            let unread = bytes.clone();
            let error = ParseError { field: "tag", source: VarintError::TooLarge };
            for _ in 0..2 {
                assert_eq!(decoder.next_packet(), Err(DecodeError::Packet(error)), "{length}");
            }
            assert_eq!(decoder.into_unread(), unread, "{length}");
        }
    }

    // Rules: L-16
    #[test]
    fn what_follows_the_last_packet_taken_is_handed_back() {
        let mut decoder = Decoder::new(1 << 20);
        decoder.room().put_slice(&Packet::end_of_stream().transcribe());
        decoder.room().put_slice(b"next");
        assert_eq!(decoder.next_packet(), Ok(Some(Packet::end_of_stream())));
        assert_eq!(decoder.into_unread(), "next");
    }

    // Rules: W-6
    #[test]
    fn an_encode_buffer_yields_the_packets_bytes_in_order_however_it_is_read() {
        let packets = [0, 10, 8 << 10, 3, 9_000, 0].map(|len| request(&vec![9; len]));
        let bytes: Vec<u8> = packets.iter().flat_map(Packet::transcribe).collect();
        for step in [7, 100, 10_000, usize::MAX] {
            let mut out = EncodeBuffer::default();
            for packet in &packets {
                out.push(packet);
            }
            assert_eq!(out.remaining(), bytes.len());
            let mut read = Vec::new();
            while out.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 3];
                let used = out.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
                let taken = seen.len().min(step);
                read.extend_from_slice(&seen[..taken]);
                out.advance(taken);
            }
            assert_eq!(read, bytes, "in steps of {step}");
        }
    }
}
