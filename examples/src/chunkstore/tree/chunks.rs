//! Cuts bytes into chunks where the content says so (FastCDC): a change moves the cuts near it only, so
//! the chunks elsewhere are the same as before.

use bytes::Bytes;
use fastcdc::v2020::FastCDC;
use std::io::{self, Read};

/// No chunk but the last of its bytes is shorter.
const MIN_CHUNK: usize = 16 << 10;
/// What chunks are on average.
const AVERAGE_CHUNK: usize = 64 << 10;
/// No chunk is longer.
pub const MAX_CHUNK: usize = 256 << 10;
/// How much is read at once: several chunks, so that what is left over is moved to the front rarely.
const READ: u64 = 1 << 20;

/// Bytes on their way into chunks. Use it again for the next file: it keeps its memory.
#[derive(Debug, Default)]
pub struct Chunker {
    buffer: Vec<u8>,
    /// How much of the buffer was cut off already.
    cut: usize,
}

impl Chunker {
    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.forget_cut();
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends up to 1 MiB from `reader`; the result is how much, 0 at the end.
    ///
    /// # Errors
    ///
    /// Those of `reader`.
    pub fn fill(&mut self, reader: &mut impl Read) -> io::Result<usize> {
        self.forget_cut();
        reader.take(READ).read_to_end(&mut self.buffer)
    }

    /// The next chunk, if its end is known: no later byte can change it, or there `is_last`.
    pub fn next_chunk(&mut self, is_last: bool) -> Option<Bytes> {
        let rest = self.buffer.get(self.cut..).unwrap_or_default();
        if rest.is_empty() || (rest.len() < MAX_CHUNK && !is_last) {
            return None;
        }
        let cutter = FastCDC::new(rest, MIN_CHUNK, AVERAGE_CHUNK, MAX_CHUNK);
        let (_, length) = cutter.cut(0, rest.len());
        let chunk = Bytes::copy_from_slice(&rest[..length]);
        self.cut += length;
        Some(chunk)
    }

    fn forget_cut(&mut self) {
        self.buffer.drain(..self.cut);
        self.cut = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        SmallRng::seed_from_u64(7).fill(&mut bytes[..]);
        bytes
    }

    fn chunks(mut bytes: &[u8]) -> Vec<Bytes> {
        let (mut chunker, mut chunks) = (Chunker::default(), Vec::new());
        while chunker.fill(&mut bytes).unwrap() > 0 {
            chunks.extend(std::iter::from_fn(|| chunker.next_chunk(false)));
        }
        chunks.extend(std::iter::from_fn(|| chunker.next_chunk(true)));
        chunks
    }

    #[test]
    fn chunks_are_the_bytes_within_the_limits() {
        let bytes = noise(5 << 20);
        let chunks = chunks(&bytes);
        assert_eq!(chunks.concat(), bytes);
        let (last, others) = chunks.split_last().unwrap();
        assert!(others.iter().all(|chunk| (MIN_CHUNK..=MAX_CHUNK).contains(&chunk.len())));
        assert!(last.len() <= MAX_CHUNK);
        assert!((40..160).contains(&chunks.len()), "{} chunks of 80 or so", chunks.len());
    }

    #[test]
    fn cuts_depend_on_the_content_alone() {
        let bytes = noise(3 << 20);
        let mut chunker = Chunker::default();
        let mut pushed = Vec::new();
        for piece in bytes.chunks(999) {
            chunker.push(piece);
            pushed.extend(std::iter::from_fn(|| chunker.next_chunk(false)));
        }
        pushed.extend(std::iter::from_fn(|| chunker.next_chunk(true)));
        assert_eq!(pushed, chunks(&bytes));
        assert_eq!(
            pushed,
            FastCDC::new(&bytes, MIN_CHUNK, AVERAGE_CHUNK, MAX_CHUNK)
                .map(|chunk| &bytes[chunk.offset..chunk.offset + chunk.length])
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_byte_more_in_front_leaves_most_chunks_as_they_were() {
        let bytes = noise(4 << 20);
        let before = chunks(&bytes);
        let after = chunks(&[b"!", &bytes[..]].concat());
        let kept = after.iter().filter(|chunk| before.contains(chunk)).count();
        assert!(kept + 3 >= before.len(), "{kept} of {} kept", before.len());
    }

    #[test]
    fn nothing_is_no_chunk_and_little_is_one() {
        assert!(chunks(b"").is_empty());
        assert_eq!(chunks(b"little"), [&b"little"[..]]);
        assert_eq!(chunks(&vec![0; MAX_CHUNK + 1]).len(), 2);
    }
}
