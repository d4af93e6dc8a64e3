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
use bytes::{BufMut, Bytes, BytesMut};
use packetstream::{Payload, PayloadError, PayloadProblem, PayloadReader};

const INDIRECT: u64 = 1;
const HAS_TYPE: u64 = 2;
const HAS_TYPE_FLAGS: u64 = 4;
const ALL_FLAGS: u64 = INDIRECT | HAS_TYPE | HAS_TYPE_FLAGS;

/// A stretch of some file's or directory's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlockRef {
    /// How many bytes the stretch is long.
    pub span: u64,
    /// Whether `body` holds the bytes of block references, back to back, instead of the stretch itself.
    pub indirect: bool,
    /// Bits that belong to the type; none has a meaning here.
    pub type_flags: u64,
    /// Where the bytes are.
    pub body: Body,
}

/// Where the bytes of a block are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// In the chunk of this name.
    Chunk(HashCode),
    /// They are all this one.
    Repeated(u8),
    /// Here.
    Literal(Bytes),
    /// In another block.
    Part {
        /// Where in the other block they begin.
        offset: u64,
        /// The other block.
        whole: Box<BlockRef>,
    },
}

impl Body {
    const fn number(&self) -> u64 {
        match self {
            Self::Chunk(_) => 0,
            Self::Repeated(_) => 1,
            Self::Literal(_) => 2,
            Self::Part { .. } => 3,
        }
    }

    fn parse(number: u64, span: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        match number {
            0 => HashCode::parse(reader).map(Self::Chunk),
            1 => reader.array().map(|[octet]| Self::Repeated(octet)),
            2 => reader.bytes(span).map(Self::Literal),
            3 => Ok(Self::Part { offset: reader.uint()?, whole: Box::new(reader.field("BlockRef.body")?) }),
            _ => Err(reader.error(PayloadProblem::Invalid("unknown block type"))),
        }
    }

    fn transcribe(&self, out: &mut BytesMut) {
        match self {
            Self::Chunk(code) => code.transcribe(out),
            Self::Repeated(octet) => out.put_u8(*octet),
            Self::Literal(bytes) => out.put_slice(bytes),
            Self::Part { offset, whole } => {
                offset.transcribe(out);
                whole.transcribe(out);
            }
        }
    }
}

impl BlockRef {
    /// The block that a chunk holds.
    #[must_use]
    pub const fn direct(code: HashCode, span: u64) -> Self {
        Self { span, indirect: false, type_flags: 0, body: Body::Chunk(code) }
    }

    /// The block that a chunk of block references refers to.
    #[must_use]
    pub const fn indirect(code: HashCode, span: u64) -> Self {
        Self { span, indirect: true, type_flags: 0, body: Body::Chunk(code) }
    }

    fn parse_fields(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let unknown = reader.error(PayloadProblem::Invalid("unknown block flags"));
        let flags = reader.uint()?;
        if flags & !ALL_FLAGS != 0 {
            return Err(unknown);
        }
        let span = reader.uint()?;
        let number = if flags & HAS_TYPE == 0 { 0 } else { reader.uint()? };
        let type_flags = if flags & HAS_TYPE_FLAGS == 0 { 0 } else { reader.uint()? };
        let body = Body::parse(number, span, reader)?;
        Ok(Self { span, indirect: flags & INDIRECT != 0, type_flags, body })
    }

    fn transcribe_fields(&self, out: &mut BytesMut) {
        let number = self.body.number();
        let flag = |bit, set| if set { bit } else { 0 };
        let flags = flag(INDIRECT, self.indirect)
            | flag(HAS_TYPE, number != 0)
            | flag(HAS_TYPE_FLAGS, self.type_flags != 0);
        flags.transcribe(out);
        self.span.transcribe(out);
        if number != 0 {
            number.transcribe(out);
        }
        if self.type_flags != 0 {
            self.type_flags.transcribe(out);
        }
        self.body.transcribe(out);
    }
}

impl Payload for BlockRef {
    /// The fields are read off `reader` itself, not off the bytes that the length delimits: so blocks
    /// within blocks count as nested values, and cannot exhaust the stack.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let length = reader.uint()?;
        if length > reader.remaining() as u64 {
            let left = reader.remaining();
            return Err(reader.error(PayloadProblem::Short { needed: length, left }));
        }
        let start = reader.offset();
        let block = Self::parse_fields(reader)?;
        if (reader.offset() - start) as u64 != length {
            return Err(reader.error(PayloadProblem::Invalid("a block reference of another length")));
        }
        Ok(block)
    }

    fn transcribe(&self, out: &mut BytesMut) {
        let mut fields = BytesMut::new();
        self.transcribe_fields(&mut fields);
        fields.freeze().transcribe(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunkstore::hash::HashClass;

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
        let block = |span, body| BlockRef { span, indirect: false, type_flags: 0, body };
        travels(&block(300, Body::Repeated(b'z')), b"\x05\x02\x82\x2c\x01z");
        travels(&block(3, Body::Literal(Bytes::from_static(b"abc"))), b"\x06\x02\x03\x02abc");
        let whole = Box::new(block(9, Body::Repeated(0)));
        travels(&block(4, Body::Part { offset: 5, whole }), b"\x09\x02\x04\x03\x05\x04\x02\x09\x01\x00");
        let flagged = BlockRef { type_flags: 7, ..block(1, Body::Repeated(b'z')) };
        travels(&flagged, b"\x05\x06\x01\x01\x07z");
    }

    #[test]
    fn a_length_that_is_not_that_of_the_fields_is_refused() {
        assert_eq!(problem(b"\x06\x02\x03\x02ab"), PayloadProblem::Short { needed: 6, left: 5 });
        let other = PayloadProblem::Invalid("a block reference of another length");
        assert_eq!(problem(b"\x05\x02\x03\x02abc"), other);
        assert_eq!(problem(b"\x07\x02\x03\x02abcd"), other);
    }

    #[test]
    fn unknown_flags_and_types_are_refused() {
        assert_eq!(problem(b"\x03\x08\x00\x00"), PayloadProblem::Invalid("unknown block flags"));
        assert_eq!(problem(b"\x03\x02\x00\x04"), PayloadProblem::Invalid("unknown block type"));
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
