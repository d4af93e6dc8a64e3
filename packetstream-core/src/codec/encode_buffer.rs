//! What is to be written: small packets side by side, large payloads by reference.

use crate::packet::Packet;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem;

/// Payloads from here on are written by reference instead of being copied.
const SMALLEST_BY_REFERENCE: usize = 8 << 10;

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

    fn request(payload: &[u8]) -> Packet {
        Packet::request(0, 2, 1, 0x55, Bytes::copy_from_slice(payload)).unwrap()
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

    // Rules: none: copies
    #[test]
    fn a_payload_of_8_kib_is_written_by_reference_and_a_smaller_one_behind_its_header() {
        for (length, parts) in [(1, 1), (8_191, 1), (8_192, 2), (8_193, 2)] {
            let packet = request(&vec![7; length]);
            let mut out = EncodeBuffer::default();
            out.push(&packet);
            let mut slices = [IoSlice::new(&[]); 3];
            assert_eq!(out.chunks_vectored(&mut slices), parts, "{length}");
            let is_shared = slices[1].as_ptr() == packet.payload().as_ptr();
            assert_eq!(is_shared, parts == 2, "{length}");
        }
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
                assert_eq!(out.chunk(), &*slices[0]);
                let seen: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
                let taken = seen.len().min(step);
                read.extend_from_slice(&seen[..taken]);
                out.advance(taken);
            }
            assert_eq!(read, bytes, "in steps of {step}");
        }
    }
}
