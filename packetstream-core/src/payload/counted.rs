//! What is as long as an earlier field says.

use super::fixed::{Be, Le};
use super::scalars::text;
use super::{Payload, PayloadError, PayloadReader, PayloadWriter, Rest};
use crate::description::Encoding;
use bytes::Bytes;

/// A value whose length stands in an earlier field: `#[payload(count = field)]`, in a request
/// `#[request(count = field)]`. Its bytes are those that it has as the [`Rest`] of a payload.
///
/// Bytes and text are counted in bytes, lists in values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be counted by an earlier field",
    label = "`count` is for `Bytes`, `Vec<u8>`, `String` and `Vec<T>`"
)]
pub trait Counted: Rest {
    /// Reads as much as `count` says.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes, and where; a count is not trusted for an allocation.
    fn parse_counted(count: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// What the earlier field says.
    fn count(&self) -> u64;

    /// Appends the value's bytes, which are those of the rest of a payload.
    fn transcribe_counted(&self, out: &mut PayloadWriter) {
        self.transcribe_rest(out);
    }

    /// What the bytes are, for descriptions.
    #[must_use]
    fn counted_encoding() -> Encoding {
        Self::rest_encoding()
    }
}

impl Counted for Bytes {
    fn parse_counted(count: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.bytes(count)
    }

    fn count(&self) -> u64 {
        self.len() as u64
    }
}

impl Counted for Vec<u8> {
    fn parse_counted(count: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.bytes(count).map(Self::from)
    }

    fn count(&self) -> u64 {
        self.len() as u64
    }
}

impl Counted for String {
    fn parse_counted(count: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let offset = reader.offset();
        text(&reader.bytes(count)?, offset, reader)
    }

    fn count(&self) -> u64 {
        self.len() as u64
    }
}

impl<T: Payload> Counted for Vec<T> {
    fn parse_counted(count: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.elements(count)
    }

    fn count(&self) -> u64 {
        self.len() as u64
    }
}

/// A number that counts a later field, or names the variant of one.
///
/// It is written as the later field has it, whatever its own value, so that the two cannot disagree. A number that
/// does not fit cannot be written: a request is then not sent, a reply is a failure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be neither a count nor an id",
    label = "not an unsigned number",
    note = "the field that `count` or `id` names is a `u8`, `u16`, `u32`, `u64` or `usize`, one of them in `Be` or \
            `Le`, or an `Option` of these, where `None` is 0"
)]
pub trait Count: Sized {
    /// The number for a later field, or the largest there is.
    fn from_number(number: u64) -> Self;

    /// What the field says.
    fn number(&self) -> u64;

    /// What the field is to hold, to be written in its turn.
    fn told(number: u64, out: &mut PayloadWriter) -> Self {
        let told = Self::from_number(number);
        if told.number() != number {
            out.fail();
        }
        told
    }
}

macro_rules! count {
    ($($type:ty),*) => {$(
        impl Count for $type {
            fn from_number(number: u64) -> Self {
                Self::try_from(number).unwrap_or(Self::MAX)
            }

            fn number(&self) -> u64 {
                u64::try_from(*self).unwrap_or(u64::MAX)
            }
        }
    )*};
}

count!(u8, u16, u32, u64, usize);

impl<T: Count> Count for Be<T> {
    fn from_number(number: u64) -> Self {
        Self(T::from_number(number))
    }

    fn number(&self) -> u64 {
        self.0.number()
    }
}

impl<T: Count> Count for Le<T> {
    fn from_number(number: u64) -> Self {
        Self(T::from_number(number))
    }

    fn number(&self) -> u64 {
        self.0.number()
    }
}

impl<T: Count> Count for Option<T> {
    fn from_number(number: u64) -> Self {
        (number != 0).then(|| T::from_number(number))
    }

    fn number(&self) -> u64 {
        self.as_ref().map_or(0, T::number)
    }
}
