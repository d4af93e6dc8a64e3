//! Payload bytes to types and back.
//!
//! | type | bytes | Python's name |
//! |---|---|---|
//! | `u64`, `u32`, `u16`, `usize` | [varint](crate::varint) | `BSUInt` |
//! | `bool` | varint 0 or 1 | |
//! | `Bytes`, `Vec<u8>` | varint length, bytes | `BSData` |
//! | `String` | varint length in bytes, UTF-8 | `BSString` |
//! | `f64` | a `String` of the shortest decimal | `BSSFloat` |
//! | `[u8; N]`, `[T; N]` | N bytes, N values | |
//! | [`Be<T>`], [`Le<T>`] | fixed width, most or least significant byte first | `UInt16BE`, `UInt32LE`, ... |
//! | `Option<T>` | varint 0, or varint 1 and the value | |
//! | `Vec<T>` | varint count, values | |
//! | `BTreeMap<K, V>`, `HashMap<K, V>` | varint count, keys each with its value | |
//! | `Box<T>` | those of `T` | |
//! | `()`, tuples and structs deriving `Payload` | their fields in order, nothing between | multi-value |
//! | enums deriving `Payload` | varint number of the variant, its fields | |
//!
//! What takes the [rest](Rest) of a payload, or as much as an earlier field [counts](Counted), has no length
//! or count of its own (rules P-1 to P-25).

mod containers;
mod counted;
mod error;
mod fixed;
mod flagged;
mod reader;
mod rest;
mod scalars;
mod verbatim;
mod writer;

use crate::description::Encoding;
use bytes::Bytes;

pub use counted::Count;
pub use counted::Counted;
pub use error::PayloadError;
pub use error::PayloadProblem;
pub use fixed::Be;
pub use fixed::Fixed;
pub use fixed::Le;
pub use flagged::Flagged;
pub use reader::PayloadReader;
pub use rest::Rest;
pub use verbatim::Verbatim;
pub use writer::PayloadWriter;

/// How deep values may lie within values, so that a payload cannot exhaust the stack. A value that is large where
/// it is, not behind a `Box` or in a `Vec`, counts for one more with each KiB of it, up to 16 (rule P-24).
pub(crate) const MAX_DEPTH: usize = 64;

/// A value with a place in a payload. `#[derive(Payload)]` writes it for structs and enums.
///
/// By hand it is two functions that agree, and a few words for descriptions:
///
/// ```
/// use packetstream_core::description::Encoding;
/// use packetstream_core::{Payload, PayloadError, PayloadReader, PayloadWriter};
///
/// #[derive(Debug, PartialEq)]
/// struct Point { x: u64, y: u64 }
///
/// impl Payload for Point {
///     fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
///         Ok(Self { x: reader.field("Point.x")?, y: reader.field("Point.y")? })
///     }
///
///     fn transcribe(&self, out: &mut PayloadWriter) {
///         out.field(&self.x);
///         out.field(&self.y);
///     }
///
///     fn encoding() -> Encoding {
///         Encoding::Custom("x and y")
///     }
/// }
///
/// assert_eq!(Point { x: 1, y: 300 }.to_bytes()[..], [1, 0x82, 0x2c]);
/// ```
///
/// Reading refuses values more than 64 deep within values; writing does not look. What is read takes the memory
/// of its values: a large variant of an enum, of which a list holds many small ones, belongs in a `Box`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no place in a payload",
    label = "not a `Payload`",
    note = "derive `Payload` for it, or write `impl Payload for {Self}`",
    note = "a number of fixed width, a signed number or a `u8` is `#[payload(big)]` or `#[payload(little)]` \
            on its field, in a request `#[request(big)]`; elsewhere `Be<{Self}>` or `Le<{Self}>`"
)]
pub trait Payload: Sized {
    /// Takes a value off the front of a payload. What it is made of is read with
    /// [`PayloadReader::field`].
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes, and where.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// Appends the value's bytes. What it is made of is written with [`PayloadWriter::field`].
    fn transcribe(&self, out: &mut PayloadWriter);

    /// What the bytes are, for descriptions. Without this function it is the name of the type with its module,
    /// which is another one when the type moves: a lock file then sees another encoding.
    #[must_use]
    fn encoding() -> Encoding {
        Encoding::Custom(std::any::type_name::<Self>())
    }

    /// Reads a payload that is this value and nothing else.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); also when bytes are left over.
    fn from_bytes(payload: Bytes) -> Result<Self, PayloadError> {
        let mut reader = PayloadReader::new(payload);
        let value = Self::parse(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    /// The value's bytes.
    fn to_bytes(&self) -> Bytes {
        PayloadWriter::payload(|out| self.transcribe(out))
    }

    /// [`PayloadReader::field`] as the derives call it: whatever they call of a type that is no `Payload` is
    /// a function of this trait, so that the compiler reports it once.
    #[doc(hidden)]
    fn parse_field(reader: &mut PayloadReader, name: &'static str) -> Result<Self, PayloadError> {
        reader.field(name)
    }

    /// [`PayloadWriter::field`] as the derives call it.
    #[doc(hidden)]
    fn transcribe_field(&self, out: &mut PayloadWriter) {
        out.field(self);
    }
}

/// An enum whose number of the variant may stand elsewhere than in front of its fields.
/// `#[derive(Payload)]` writes it for enums; `#[payload(id = field)]` makes use of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no variants to tell apart by an `id`",
    label = "not an enum deriving `Payload`"
)]
pub trait Variants: Payload {
    /// Reads the fields of variant `id`.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::UnknownVariant`], and what is wrong with the fields.
    fn parse_variant(id: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// Appends the fields, and tells whose they are.
    fn transcribe_variant(&self, out: &mut PayloadWriter);

    /// The number of the variant.
    fn id(&self) -> u64;

    /// What the bytes are, number and fields, for descriptions.
    #[must_use]
    fn variant_encoding() -> Encoding {
        Self::encoding()
    }
}

impl<T: Variants> Variants for Box<T> {
    fn parse_variant(id: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        T::parse_variant(id, reader).map(Self::new)
    }

    fn transcribe_variant(&self, out: &mut PayloadWriter) {
        T::transcribe_variant(self, out);
    }

    fn id(&self) -> u64 {
        T::id(self)
    }
}

#[cfg(test)]
mod tests;
