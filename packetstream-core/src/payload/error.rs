//! What can be wrong with a payload.

use super::MAX_DEPTH;
use crate::varint::VarintError;
use std::fmt;

/// What is wrong with a payload, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PayloadError {
    /// The innermost field, as `Struct.field`, or type; empty where there is neither, as in a bare number.
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
    /// The payload, or a value whose length was given, ends too early.
    #[error("{needed} bytes needed, {left} left")]
    Short {
        /// What the field takes at least.
        needed: u64,
        /// What is left for it.
        left: usize,
    },
    /// The payload, or a value whose length was given, goes on behind its last field.
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
    /// There are flags that the type has no meaning for.
    #[error("unexpected flags {0:#x}")]
    UnexpectedFlags(u64),
    /// No variant of an enum has this number.
    #[error("no variant {0}")]
    UnknownVariant(u64),
    /// A map has a key twice.
    #[error("the same key twice")]
    RepeatedKey,
    /// A constant is not there.
    #[error("expected the constant {0:02x?}")]
    Magic(&'static [u8]),
    /// A list to the end of the payload has a value that takes no bytes, so that it would have no end.
    #[error("a value takes no bytes")]
    Endless,
    /// What an `assert` of the declaration, or a hand-written [`Payload`](super::Payload), found wrong.
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
