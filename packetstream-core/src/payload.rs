//! Payload bytes to types and back.
//!
//! | type | bytes | Python's name |
//! |---|---|---|
//! | `u64`, `u32`, `u16`, `usize` | [varint](crate::varint) | `BSUInt` |
//! | `bool` | varint 0 or 1 | |
//! | `Bytes`, `Vec<u8>` | varint length, bytes | `BSData` |
//! | `String` | varint length in bytes, UTF-8 | `BSString` |
//! | `f64` | a `String` of the shortest decimal | `BSSFloat` |
//! | `[u8; N]` | N bytes | |
//! | [`Be<T>`], [`Le<T>`] | fixed width, most or least significant byte first | `UInt16BE`, `UInt32LE`, ... |
//! | `Option<T>` | varint 0, or varint 1 and the value | |
//! | `Vec<T>` | varint count, values | |
//! | tuples and structs deriving `Payload` | their fields in order, nothing between | multi-value |
//!
//! Source: `wire.md` section 7.
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

mod fixed;

use crate::float;
use crate::varint::{self, VarintError};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::fmt;

pub use fixed::Be;
pub use fixed::Le;

/// How deep values may lie within values, so that a payload cannot exhaust the stack.
const MAX_DEPTH: u32 = 64;

/// A value with a place in a payload. `#[derive(Payload)]` writes it for structs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no place in a payload",
    note = "derive `Payload` for it, or write `impl Payload for {Self}`"
)]
pub trait Payload: Sized {
    /// Takes a value off the front of a payload.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes, and where.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// Appends the value's bytes.
    fn transcribe(&self, out: &mut BytesMut);

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
        let mut out = BytesMut::new();
        self.transcribe(&mut out);
        out.freeze()
    }
}

/// What is wrong with a payload, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PayloadError {
    /// The innermost field, as `Struct.field`; empty for a payload without fields.
    pub field: &'static str,
    /// How many bytes precede the place, from the start of the payload.
    pub offset: usize,
    /// What is wrong there.
    pub problem: PayloadProblem,
}

/// What is wrong at one place of a payload.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadProblem {
    /// A number cannot be read.
    #[error(transparent)]
    Number(#[from] VarintError),
    /// A number does not fit the field's type.
    #[error("{value} exceeds the largest value of the field, {max}")]
    TooLarge {
        /// The number.
        value: u64,
        /// The largest that fits.
        max: u64,
    },
    /// The payload ends too early.
    #[error("{needed} bytes needed, {left} left")]
    Short {
        /// What the field takes at least.
        needed: u64,
        /// What the payload still has.
        left: usize,
    },
    /// The payload goes on behind its last field.
    #[error("{0} bytes left over behind the last field")]
    LeftOver(usize),
    /// A text is not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A text is not a floating point number.
    #[error("text is not a number")]
    NotFloat,
    /// Values lie too deep within values.
    #[error("more than {MAX_DEPTH} levels of nesting")]
    TooDeep,
    /// A response has flags that its type has no meaning for.
    #[error("unexpected flags {0:#x}")]
    UnexpectedFlags(u64),
    /// What a hand-written [`Payload`] found wrong.
    #[error("{0}")]
    Invalid(&'static str),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "at byte {} of the payload: {}", self.offset, self.problem)
    }
}

impl std::error::Error for PayloadError {}

/// Reads values off a payload, front to back, and knows where it stands.
#[derive(Debug)]
pub struct PayloadReader {
    rest: Bytes,
    whole: usize,
    /// The field that is being read; empty between those of the outermost value.
    field: &'static str,
    /// The last field of the outermost value that was read.
    last: &'static str,
    depth: u32,
}

impl PayloadReader {
    /// A reader at the start of `payload`.
    #[must_use]
    pub fn new(payload: Bytes) -> Self {
        Self { whole: payload.len(), rest: payload, field: "", last: "", depth: 0 }
    }

    /// Reads the value of a field; `name`, as `Struct.field`, is for the error.
    ///
    /// # Errors
    ///
    /// Those of the value's type, and [`PayloadProblem::TooDeep`].
    pub fn field<T: Payload>(&mut self, name: &'static str) -> Result<T, PayloadError> {
        let outer = std::mem::replace(&mut self.field, name);
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(self.error(PayloadProblem::TooDeep));
        }
        let value = T::parse(self)?;
        self.depth = self.depth.saturating_sub(1);
        self.field = outer;
        if self.depth == 0 {
            self.last = name;
        }
        Ok(value)
    }

    /// Reads a varint.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Number`].
    pub fn uint(&mut self) -> Result<u64, PayloadError> {
        let mut rest: &[u8] = &self.rest;
        match varint::get(&mut rest) {
            Ok(value) => {
                let taken = self.rest.len().saturating_sub(rest.len());
                self.rest.advance(taken);
                Ok(value)
            }
            Err(error) => Err(self.error(error.into())),
        }
    }

    /// Reads a varint of at most `max`.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Number`], [`PayloadProblem::TooLarge`].
    pub fn uint_up_to(&mut self, max: u64) -> Result<u64, PayloadError> {
        let offset = self.offset();
        let value = self.uint()?;
        if value <= max {
            return Ok(value);
        }
        let problem = PayloadProblem::TooLarge { value, max };
        Err(PayloadError { offset, ..self.error(problem) })
    }

    /// Takes `count` bytes, without copying them.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Short`].
    pub fn bytes(&mut self, count: u64) -> Result<Bytes, PayloadError> {
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() => Ok(self.rest.split_to(count)),
            _ => Err(self.error(PayloadProblem::Short { needed: count, left: self.rest.len() })),
        }
    }

    /// Takes `N` bytes.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Short`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], PayloadError> {
        match self.rest.first_chunk() {
            Some(array) => {
                let array = *array;
                self.rest.advance(N);
                Ok(array)
            }
            None => Err(self.error(PayloadProblem::Short { needed: N as u64, left: self.rest.len() })),
        }
    }

    /// Takes all that is left.
    pub fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.rest)
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.whole.saturating_sub(self.rest.len())
    }

    /// An error at this place.
    #[must_use]
    pub fn error(&self, problem: PayloadProblem) -> PayloadError {
        PayloadError { field: self.field, offset: self.offset(), problem }
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::LeftOver`], with the field behind which it lies.
    pub fn finish(self) -> Result<(), PayloadError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(PayloadError { field: self.last, ..self.error(PayloadProblem::LeftOver(left)) }),
        }
    }
}

impl Payload for u64 {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.uint()
    }

    fn transcribe(&self, out: &mut BytesMut) {
        varint::put(out, *self);
    }
}

/// Integers whose every value is a `u64`.
macro_rules! narrower_uint {
    ($($type:ty),*) => {$(
        impl Payload for $type {
            fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                let value = reader.uint_up_to(<$type>::MAX as u64)?;
                Ok(value as $type)
            }

            fn transcribe(&self, out: &mut BytesMut) {
                varint::put(out, *self as u64);
            }
        }
    )*};
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_lossless,
    reason = "checked just before; `From` has no `usize` to `u64`"
)]
mod narrower {
    use super::{BytesMut, Payload, PayloadError, PayloadReader, varint};

    narrower_uint!(u16, u32, usize);
}

impl Payload for bool {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(reader.uint_up_to(1)? == 1)
    }

    fn transcribe(&self, out: &mut BytesMut) {
        varint::put(out, u64::from(*self));
    }
}

impl Payload for Bytes {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let length = reader.uint()?;
        reader.bytes(length)
    }

    fn transcribe(&self, out: &mut BytesMut) {
        put_data(out, self);
    }
}

impl Payload for Vec<u8> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Bytes::parse(reader).map(Self::from)
    }

    fn transcribe(&self, out: &mut BytesMut) {
        put_data(out, self);
    }
}

impl Payload for String {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let offset = reader.offset();
        Self::from_utf8(Vec::parse(reader)?)
            .map_err(|_| PayloadError { offset, ..reader.error(PayloadProblem::NotUtf8) })
    }

    fn transcribe(&self, out: &mut BytesMut) {
        put_data(out, self.as_bytes());
    }
}

fn put_data(out: &mut BytesMut, bytes: &[u8]) {
    out.reserve(bytes.len().saturating_add(varint::MAX_LEN));
    varint::put(out, bytes.len() as u64);
    out.put_slice(bytes);
}

impl Payload for f64 {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let offset = reader.offset();
        float::from_text(&String::parse(reader)?)
            .ok_or_else(|| PayloadError { offset, ..reader.error(PayloadProblem::NotFloat) })
    }

    fn transcribe(&self, out: &mut BytesMut) {
        put_data(out, float::to_text(*self).as_bytes());
    }
}

impl<const N: usize> Payload for [u8; N] {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.array()
    }

    fn transcribe(&self, out: &mut BytesMut) {
        out.put_slice(self);
    }
}

impl<T: Payload> Payload for Option<T> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        if bool::parse(reader)? { reader.field(reader.field).map(Some) } else { Ok(None) }
    }

    fn transcribe(&self, out: &mut BytesMut) {
        self.is_some().transcribe(out);
        if let Some(value) = self {
            value.transcribe(out);
        }
    }
}

impl<T: Payload> Payload for Vec<T> {
    /// A count larger than the number of bytes that are left is refused, so that it costs nothing to
    /// announce many values; each takes at least one byte.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let count = reader.uint()?;
        if count > reader.remaining() as u64 {
            let left = reader.remaining();
            return Err(reader.error(PayloadProblem::Short { needed: count, left }));
        }
        (0..count).map(|_| reader.field(reader.field)).collect()
    }

    fn transcribe(&self, out: &mut BytesMut) {
        varint::put(out, self.len() as u64);
        for value in self {
            value.transcribe(out);
        }
    }
}

/// Values one after the other.
macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Payload),*> Payload for ($($name,)*) {
            fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                Ok(($(reader.field::<$name>(reader.field)?,)*))
            }

            fn transcribe(&self, out: &mut BytesMut) {
                $(self.$index.transcribe(out);)*
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);

#[cfg(test)]
mod tests;
