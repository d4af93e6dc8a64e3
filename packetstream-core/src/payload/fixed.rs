//! Numbers of fixed width.

use super::{Payload, PayloadError, PayloadReader, PayloadWriter};
use crate::description::Encoding;

/// A number whose bytes are as many as its type has, most significant first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Be<T>(pub T);

/// A number whose bytes are as many as its type has, least significant first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Le<T>(pub T);

/// A number with as many bytes as its type has: in [`Be`] and [`Le`], and as a field with `#[payload(big)]` or
/// `#[payload(little)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fixed width",
    label = "not a number of fixed width",
    note = "`big`, `little`, `Be` and `Le` are for `u8` to `u128`, `i8` to `i128`, `f32` and `f64`"
)]
pub trait Fixed: Copy {
    /// Reads it, most significant byte first.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Short`](super::PayloadProblem::Short).
    fn parse_big(reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// Reads it, least significant byte first.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Short`](super::PayloadProblem::Short).
    fn parse_little(reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// Appends it, most significant byte first.
    fn transcribe_big(&self, out: &mut PayloadWriter);

    /// Appends it, least significant byte first.
    fn transcribe_little(&self, out: &mut PayloadWriter);

    /// What the bytes are, most significant first, for descriptions.
    fn big_encoding() -> Encoding;

    /// What the bytes are, least significant first, for descriptions.
    fn little_encoding() -> Encoding;
}

macro_rules! fixed {
    ($($type:ident),*) => {$(
        impl Fixed for $type {
            fn parse_big(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                reader.array().map(Self::from_be_bytes)
            }

            fn parse_little(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                reader.array().map(Self::from_le_bytes)
            }

            fn transcribe_big(&self, out: &mut PayloadWriter) {
                out.bytes(&self.to_be_bytes());
            }

            fn transcribe_little(&self, out: &mut PayloadWriter) {
                out.bytes(&self.to_le_bytes());
            }

            fn big_encoding() -> Encoding {
                Encoding::Fixed(concat!(stringify!($type), "be"))
            }

            fn little_encoding() -> Encoding {
                Encoding::Fixed(concat!(stringify!($type), "le"))
            }
        }
    )*};
}

fixed!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

impl<T: Fixed> Payload for Be<T> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        T::parse_big(reader).map(Self)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        self.0.transcribe_big(out);
    }

    fn encoding() -> Encoding {
        T::big_encoding()
    }
}

impl<T: Fixed> Payload for Le<T> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        T::parse_little(reader).map(Self)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        self.0.transcribe_little(out);
    }

    fn encoding() -> Encoding {
        T::little_encoding()
    }
}
