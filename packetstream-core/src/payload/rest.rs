//! What takes the rest of a payload.

use super::scalars::text;
use super::{Payload, PayloadError, PayloadReader, PayloadWriter};
use crate::description::Encoding;
use bytes::Bytes;

/// A value that ends where its payload does, and therefore has no length, count or presence byte:
/// `#[payload(rest)]`, in a request `#[request(rest)]`. It also is how these types are replies.
///
/// | type | bytes |
/// |---|---|
/// | `Bytes`, `Vec<u8>` | the bytes, bare |
/// | `String` | the text, bare |
/// | `Vec<T>` | the values, back to back |
/// | `Option<T>` | the value; nothing if there is none |
///
/// Within a value whose length was given, it ends where that does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take the rest of a payload",
    label = "`rest` is for `Bytes`, `Vec<u8>`, `String`, `Vec<T>` and `Option<T>`",
    note = "without `rest` the field is encoded with its own length, count or presence byte"
)]
pub trait Rest: Sized {
    /// Reads all that is left.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes, and where.
    fn parse_rest(reader: &mut PayloadReader) -> Result<Self, PayloadError>;

    /// Appends the value's bytes.
    fn transcribe_rest(&self, out: &mut PayloadWriter);

    /// What the bytes are, for descriptions.
    fn rest_encoding() -> Encoding;
}

impl Rest for Bytes {
    fn parse_rest(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(reader.rest())
    }

    fn transcribe_rest(&self, out: &mut PayloadWriter) {
        out.bytes(self);
    }

    fn rest_encoding() -> Encoding {
        Encoding::RestData
    }
}

impl Rest for Vec<u8> {
    fn parse_rest(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(reader.rest().into())
    }

    fn transcribe_rest(&self, out: &mut PayloadWriter) {
        out.bytes(self);
    }

    fn rest_encoding() -> Encoding {
        Encoding::RestData
    }
}

impl Rest for String {
    fn parse_rest(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let offset = reader.offset();
        text(&reader.rest(), offset, reader)
    }

    fn transcribe_rest(&self, out: &mut PayloadWriter) {
        out.bytes(self.as_bytes());
    }

    fn rest_encoding() -> Encoding {
        Encoding::RestText
    }
}

impl<T: Payload> Rest for Vec<T> {
    /// A value that takes no bytes is refused: there would be no end of them.
    fn parse_rest(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let mut values = Self::new();
        while reader.remaining() > 0 {
            values.push(reader.list_element()?);
        }
        Ok(values)
    }

    fn transcribe_rest(&self, out: &mut PayloadWriter) {
        for value in self {
            out.field(value);
        }
    }

    fn rest_encoding() -> Encoding {
        Encoding::RestList(T::encoding)
    }
}

impl<T: Payload> Rest for Option<T> {
    fn parse_rest(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        if reader.remaining() == 0 { Ok(None) } else { reader.element().map(Some) }
    }

    fn transcribe_rest(&self, out: &mut PayloadWriter) {
        if let Some(value) = self {
            out.field(value);
        }
    }

    fn rest_encoding() -> Encoding {
        Encoding::RestOption(T::encoding)
    }
}
