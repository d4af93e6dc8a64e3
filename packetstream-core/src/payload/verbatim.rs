//! Values kept as they were spelled.

use super::{Payload, PayloadError, PayloadReader, PayloadWriter};
use crate::description::Encoding;
use bytes::Bytes;
use std::fmt;
use std::marker::PhantomData;

/// The bytes of a `T`, as whoever wrote them spelled them: read only if they are a `T`, and passed on to the
/// byte.
///
/// A number can be padded and a float be spelled in many ways, so that what is read and written again need
/// not be the same bytes; for what is hashed, signed or only stored it has to be.
///
/// ```
/// use packetstream_core::{Payload, Verbatim};
///
/// let padded = Verbatim::<u64>::from_bytes(bytes::Bytes::from_static(&[0x80, 0x05]))?;
/// assert_eq!(padded.value()?, 5);
/// assert_eq!(padded.to_bytes()[..], [0x80, 0x05]);
/// # Ok::<(), packetstream_core::PayloadError>(())
/// ```
pub struct Verbatim<T> {
    bytes: Bytes,
    value: PhantomData<fn() -> T>,
}

impl<T: Payload> Verbatim<T> {
    /// Bytes that were read as a `T` before: from a store of such bytes, say.
    #[must_use]
    pub const fn trusted(bytes: Bytes) -> Self {
        Self { bytes, value: PhantomData }
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// Never, unless the bytes were [trusted](Self::trusted).
    pub fn value(&self) -> Result<T, PayloadError> {
        T::from_bytes(self.bytes.clone())
    }
}

impl<T: Payload> From<&T> for Verbatim<T> {
    fn from(value: &T) -> Self {
        Self::trusted(value.to_bytes())
    }
}

impl<T: Payload> Payload for Verbatim<T> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        // As a part, even where it fills a packet: flags are no bytes that could be kept.
        let (_, bytes) = reader.verbatim(PayloadReader::element::<T>)?;
        Ok(Self::trusted(bytes))
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.bytes(&self.bytes);
    }

    fn encoding() -> Encoding {
        // A part, as it is read.
        Encoding::Tuple(&[T::encoding])
    }
}

impl<T> Clone for Verbatim<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), value: PhantomData }
    }
}

impl<T> Eq for Verbatim<T> {}

impl<T> PartialEq for Verbatim<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> fmt::Debug for Verbatim<T> {
    /// Shows the length only, so that no log shows what a payload holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verbatim({} bytes)", self.bytes.len())
    }
}
