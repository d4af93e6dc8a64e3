//! References to blocks: what a file or a directory holds, by the names of its chunks.
//!
//! ```text
//! blockref := data( uint(flags) uint(span) [uint(type)] [uint(type flags)] body )
//! ```
//!
//! Bits of `flags`: 1 indirect, 2 a type follows, 4 type flags follow. The body of type 0 is a hash code,
//! of type 1 one octet repeated `span` times, of type 2 the `span` bytes themselves, of type 3
//! `uint(offset) blockref`, a part of another block.

use crate::chunkstore::hash::HashCode;
use bytes::Bytes;
use packetstream::{Payload, Variants};

/// A stretch of some file's or directory's bytes.
#[derive(Clone, Debug, Eq, PartialEq, Payload)]
#[payload(length, assert(body.is_as_long_as(span), "a literal block is not as long as it says"))]
pub struct BlockRef {
    /// Whether `body` holds the bytes of block references, back to back, instead of the stretch itself.
    #[payload(flag = 0)]
    pub indirect: bool,
    /// How many bytes the stretch is long.
    pub span: u64,
    /// The number of the body's variant, unless that is 0.
    #[payload(flag = 1)]
    pub(crate) kind: Option<u64>,
    /// Bits that belong to the type; none has a meaning here.
    #[payload(flag = 2)]
    pub type_flags: Option<u64>,
    /// Where the bytes are.
    #[payload(id = kind)]
    pub body: Body,
}

/// Where the bytes of a block are.
#[derive(Clone, Debug, Eq, PartialEq, Payload)]
pub enum Body {
    /// In the chunk of this name.
    Chunk(HashCode),
    /// They are all this one.
    Repeated(#[payload(big)] u8),
    /// Here.
    Literal(#[payload(rest)] Bytes),
    /// In another block.
    Part {
        /// Where in the other block they begin.
        offset: u64,
        /// The other block.
        whole: Box<BlockRef>,
    },
}

impl Body {
    fn is_as_long_as(&self, span: u64) -> bool {
        !matches!(self, Self::Literal(bytes) if bytes.len() as u64 != span)
    }
}

impl BlockRef {
    /// A block of `span` bytes.
    #[must_use]
    pub fn new(span: u64, body: Body) -> Self {
        let kind = Some(body.id()).filter(|id| *id != 0);
        Self { indirect: false, span, kind, type_flags: None, body }
    }

    /// The block that a chunk holds.
    #[must_use]
    pub fn direct(code: HashCode, span: u64) -> Self {
        Self::new(span, Body::Chunk(code))
    }

    /// The block that a chunk of block references refers to.
    #[must_use]
    pub fn indirect(code: HashCode, span: u64) -> Self {
        Self { indirect: true, ..Self::direct(code, span) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunkstore::hash::HashClass;
    use bytes::{BufMut, BytesMut};
    use packetstream::PayloadProblem;

    fn travels(block: &BlockRef, bytes: &[u8]) {
        assert_eq!(block.to_bytes(), bytes);
        assert_eq!(BlockRef::from_bytes(Bytes::copy_from_slice(bytes)).as_ref(), Ok(block));
    }

    fn problem(bytes: &[u8]) -> PayloadProblem {
        BlockRef::from_bytes(Bytes::copy_from_slice(bytes)).unwrap_err().problem
    }

    #[test]
    fn the_block_of_a_chunk_has_the_bytes_of_the_specification() {
        let hello = HashClass::Sha1.hash(b"hello");
        let mut bytes = b"\x17\x00\x05\x00".to_vec();
        bytes.extend(hello.digest());
        travels(&BlockRef::direct(hello, 5), &bytes);

        bytes[1] = 1;
        travels(&BlockRef::indirect(hello, 5), &bytes);
    }

    #[test]
    fn other_types_say_their_number() {
        travels(&BlockRef::new(300, Body::Repeated(b'z')), b"\x05\x02\x82\x2c\x01z");
        travels(&BlockRef::new(3, Body::Literal(Bytes::from_static(b"abc"))), b"\x06\x02\x03\x02abc");
        let whole = Box::new(BlockRef::new(9, Body::Repeated(0)));
        travels(
            &BlockRef::new(4, Body::Part { offset: 5, whole }),
            b"\x09\x02\x04\x03\x05\x04\x02\x09\x01\x00",
        );
        let flagged = BlockRef { type_flags: Some(7), ..BlockRef::new(1, Body::Repeated(b'z')) };
        travels(&flagged, b"\x05\x06\x01\x01\x07z");
    }

    #[test]
    fn a_length_that_is_not_that_of_the_fields_is_refused() {
        assert_eq!(problem(b"\x06\x02\x03\x02ab"), PayloadProblem::Short { needed: 6, left: 5 });
        let other = PayloadProblem::Invalid("a literal block is not as long as it says");
        assert_eq!(problem(b"\x05\x02\x03\x02ab"), other);
        assert_eq!(problem(b"\x07\x02\x03\x02abcd"), other);
        assert_eq!(problem(b"\x06\x02\x03\x01abc"), PayloadProblem::LeftOver(2));
    }

    #[test]
    fn unknown_flags_and_types_are_refused() {
        assert_eq!(problem(b"\x03\x08\x00\x00"), PayloadProblem::UnexpectedFlags(8));
        assert_eq!(problem(b"\x03\x02\x00\x04"), PayloadProblem::UnknownVariant(4));
    }

    #[test]
    fn blocks_nested_without_end_are_refused() {
        let mut bytes = BlockRef::direct(HashClass::Sha1.hash(b""), 0).to_bytes();
        for _ in 0..100 {
            let mut fields = BytesMut::from(&b"\x02\x00\x03\x00"[..]);
            fields.put_slice(&bytes);
            bytes = fields.freeze().to_bytes();
        }
        assert_eq!(problem(&bytes), PayloadProblem::TooDeep);
    }
}
