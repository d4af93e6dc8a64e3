//! Numbers, truth values, bytes and text.

use super::{Payload, PayloadError, PayloadProblem, PayloadReader, PayloadWriter};
use crate::description::Encoding;
use crate::float;
use bytes::Bytes;

impl Payload for u64 {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.uint()
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.uint(*self);
    }

    fn encoding() -> Encoding {
        Encoding::Uint { bits: 64 }
    }
}

/// Integers whose every value is a `u64`, and which travel alike however wide they are here.
macro_rules! narrower_uint {
    ($($type:ty, $bits:literal;)*) => {$(
        impl Payload for $type {
            fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                let value = reader.uint_up_to(<$type>::MAX as u64)?;
                Ok(value as $type)
            }

            fn transcribe(&self, out: &mut PayloadWriter) {
                out.uint(*self as u64);
            }

            fn encoding() -> Encoding {
                Encoding::Uint { bits: $bits }
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
    use super::{Encoding, Payload, PayloadError, PayloadReader, PayloadWriter};

    // A `usize` has 64 bits to a description: a lock file must not depend on the machine.
    narrower_uint! { u16, 16; u32, 32; usize, 64; }
}

impl Payload for bool {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(reader.uint_up_to(1)? == 1)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.uint(u64::from(*self));
    }

    fn encoding() -> Encoding {
        Encoding::Bool
    }
}

impl Payload for Bytes {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let length = reader.uint()?;
        reader.bytes(length)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.data(self);
    }

    fn encoding() -> Encoding {
        Encoding::Data
    }
}

impl Payload for Vec<u8> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Bytes::parse(reader).map(Self::from)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.data(self);
    }

    fn encoding() -> Encoding {
        Encoding::Data
    }
}

impl Payload for String {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let offset = reader.offset();
        text(&Bytes::parse(reader)?, offset, reader)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.data(self.as_bytes());
    }

    fn encoding() -> Encoding {
        Encoding::Text
    }
}

/// The text in `bytes`, which began at `offset`.
pub(super) fn text(bytes: &[u8], offset: usize, reader: &PayloadReader) -> Result<String, PayloadError> {
    // Checked before it is copied.
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(PayloadError { offset, ..reader.error(PayloadProblem::NotUtf8) }),
    }
}

impl Payload for f64 {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let offset = reader.offset();
        float::from_text(&String::parse(reader)?)
            .ok_or_else(|| PayloadError { offset, ..reader.error(PayloadProblem::NotFloat) })
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.data(float::to_text(*self).as_bytes());
    }

    fn encoding() -> Encoding {
        Encoding::Float
    }
}
