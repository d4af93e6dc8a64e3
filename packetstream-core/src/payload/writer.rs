//! Writing values into a payload.

use super::Payload;
use crate::varint;
use bytes::{BufMut, Bytes, BytesMut};
use std::cell::Cell;
use std::fmt;

/// How much of a thread's buffer is made at a time, and the longest payload after which it is kept.
const BUFFER: usize = 4 << 10;

thread_local! {
    /// Where payloads are written, one behind the other, each a share of one allocation: a small payload
    /// costs none of its own, and once all of them are gone the buffer is written from its start again.
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// Writes the bytes of values, one behind the other.
pub struct PayloadWriter {
    out: BytesMut,
    /// The packet's flags, while the value that fills the packet is being written.
    packet_flags: Option<u64>,
    /// Whether something did not fit where it has to be written.
    is_wrong: bool,
}

impl PayloadWriter {
    /// The bytes that `write` writes.
    pub fn payload(write: impl FnOnce(&mut Self)) -> Bytes {
        Self::written(None, write).1
    }

    /// The flags of a value that cannot be written, since a count or an id does not fit its field. No packet can
    /// have them, so it is refused where one is made of it.
    pub const UNWRITABLE: u64 = u64::MAX;

    /// The flags and the bytes of a packet that `write` fills with one value; [`UNWRITABLE`](Self::UNWRITABLE) if
    /// that cannot be.
    pub fn packet(write: impl FnOnce(&mut Self)) -> (u64, Bytes) {
        Self::written(Some(0), write)
    }

    fn written(packet_flags: Option<u64>, write: impl FnOnce(&mut Self)) -> (u64, Bytes) {
        let out = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let mut writer = Self { out, packet_flags, is_wrong: false };
        write(&mut writer);
        let flags = if writer.is_wrong { Self::UNWRITABLE } else { writer.packet_flags.unwrap_or(0) };
        if writer.out.is_empty() {
            writer.keep();
            return (flags, Bytes::new());
        }
        let payload = writer.out.split().freeze();
        if payload.len() <= BUFFER {
            writer.keep();
        }
        (flags, payload)
    }

    /// Keeps the buffer for the next payload of this thread.
    fn keep(self) {
        // A thread that is ending has no use for it.
        let _ = SPARE.try_with(|spare| spare.set(Some(self.out)));
    }

    /// Writes the value of a field.
    pub fn field<T: Payload>(&mut self, value: &T) {
        self.part(|out| value.transcribe(out));
    }

    /// Writes a part of the value that is being written: what has no part in the packet's flags.
    pub fn part(&mut self, write: impl FnOnce(&mut Self)) {
        let packet_flags = self.packet_flags.take();
        write(self);
        self.packet_flags = packet_flags;
    }

    /// Takes note that what was written is not what it should be: the packet is
    /// [`UNWRITABLE`](Self::UNWRITABLE).
    pub fn fail(&mut self) {
        self.is_wrong = true;
    }

    /// Writes the flags of the value that is being written: as those of the packet if the value fills it,
    /// else as a varint here.
    pub fn flags(&mut self, flags: u64) {
        match &mut self.packet_flags {
            Some(packet_flags) => *packet_flags = flags,
            None => self.uint(flags),
        }
    }

    /// Writes a value behind its length in bytes, a varint.
    pub fn delimited(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        write(self);
        let length = self.out.len().saturating_sub(start);
        // The length is known only now: it is written behind the value, and then turned to its front.
        self.uint(length as u64);
        let prefix = self.out.len().saturating_sub(start).saturating_sub(length);
        if let Some(value_and_length) = self.out.get_mut(start..) {
            value_and_length.rotate_right(prefix);
        }
    }

    /// Writes a varint.
    pub fn uint(&mut self, value: u64) {
        self.reserve(varint::MAX_LEN);
        varint::put(&mut self.out, value);
    }

    /// Writes bytes, bare.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.out.put_slice(bytes);
    }

    /// Writes bytes behind their length, a varint.
    pub fn data(&mut self, bytes: &[u8]) {
        self.uint(bytes.len() as u64);
        self.bytes(bytes);
    }

    /// Makes room, at least a buffer of it.
    fn reserve(&mut self, bytes: usize) {
        if self.out.capacity().saturating_sub(self.out.len()) < bytes {
            self.out.reserve(bytes.max(BUFFER));
        }
    }
}

impl fmt::Debug for PayloadWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadWriter {{ written: {} bytes }}", self.out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> Bytes {
        PayloadWriter::payload(|out| out.bytes(text.as_bytes()))
    }

    // Rules: none: shared memory
    #[test]
    fn payloads_stay_as_they_were_when_further_ones_are_written() {
        let first = text("first");
        let second = text("second");
        let nested = PayloadWriter::payload(|out| {
            out.bytes(b"outer ");
            out.bytes(&text("inner"));
        });
        assert_eq!(
            (&first[..], &second[..], &nested[..]),
            (&b"first"[..], &b"second"[..], &b"outer inner"[..])
        );
    }

    // Rules: none: memory
    #[test]
    fn a_large_payload_does_not_stay_in_memory_with_the_next_small_one() {
        let large = PayloadWriter::payload(|out| out.bytes(&vec![7; 1 << 20]));
        assert_eq!(large.len(), 1 << 20);
        drop(large);
        text("small");
        assert!(SPARE.take().unwrap().capacity() <= 2 * BUFFER);
    }

    // Rules: P-17
    #[test]
    fn a_delimited_value_has_its_length_in_front() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 100_000] {
            let value = vec![b'v'; length];
            let payload = PayloadWriter::payload(|out| {
                out.bytes(b"before");
                out.delimited(|out| out.bytes(&value));
                out.bytes(b"after");
            });
            let mut expected = b"before".to_vec();
            varint::put(&mut expected, length as u64);
            expected.extend(&value);
            expected.extend(b"after");
            assert_eq!(payload, expected, "{length}");
        }
    }

    // Rules: P-19
    #[test]
    fn flags_are_the_packets_for_the_value_that_fills_it_only() {
        assert_eq!(PayloadWriter::packet(|out| out.flags(5)), (5, Bytes::new()));
        let within = |out: &mut PayloadWriter| {
            out.flags(5);
            out.part(|out| out.flags(6));
            out.uint(1);
        };
        assert_eq!(PayloadWriter::packet(within), (5, Bytes::from_static(&[6, 1])));
        assert_eq!(PayloadWriter::payload(within), [5, 6, 1][..]);
    }
}
