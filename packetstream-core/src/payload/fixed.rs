//! Numbers of fixed width.

use super::{Payload, PayloadError, PayloadReader, PayloadWriter};
use crate::description::Encoding;

/// A number whose bytes are as many as its type has, most significant first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Be<T>(pub T);

/// A number whose bytes are as many as its type has, least significant first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Le<T>(pub T);

macro_rules! fixed {
    ($($type:ident),*) => {$(
        impl Payload for Be<$type> {
            fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                reader.array().map(<$type>::from_be_bytes).map(Self)
            }

            fn transcribe(&self, out: &mut PayloadWriter) {
                out.bytes(&self.0.to_be_bytes());
            }

            fn encoding() -> Encoding {
                Encoding::Fixed(concat!(stringify!($type), "be"))
            }
        }

        impl Payload for Le<$type> {
            fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                reader.array().map(<$type>::from_le_bytes).map(Self)
            }

            fn transcribe(&self, out: &mut PayloadWriter) {
                out.bytes(&self.0.to_le_bytes());
            }

            fn encoding() -> Encoding {
                Encoding::Fixed(concat!(stringify!($type), "le"))
            }
        }
    )*};
}

fixed!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);
