//! Fields that have to do with one bit of the flags.

use super::{Payload, PayloadError, PayloadReader, PayloadWriter};
use crate::description::Describe;

/// A field that is a bit of the flags, or whose presence is: `#[payload(flag = 0)]`, in a request
/// `#[request(flag = 0)]`. A `bool` is the bit and nothing more; an `Option` has its value in the payload.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be told by a flag",
    label = "`flag` is for `bool` and `Option<T>`",
    note = "a number in the flags is a field with `flags`, which takes all of them"
)]
pub trait Flagged: Sized {
    /// Reads the field; `is_set` is what the bit says.
    ///
    /// # Errors
    ///
    /// What is wrong with the value, and where.
    fn parse_flagged(
        is_set: bool,
        name: &'static str,
        reader: &mut PayloadReader,
    ) -> Result<Self, PayloadError>;

    /// What the bit says.
    fn is_set(&self) -> bool;

    /// Appends the value, if there is one.
    fn transcribe_flagged(&self, out: &mut PayloadWriter);

    /// What the value's bytes are, for descriptions; nothing for a bare bit.
    const VALUE: Option<Describe>;
}

impl Flagged for bool {
    fn parse_flagged(is_set: bool, _: &'static str, _: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(is_set)
    }

    fn is_set(&self) -> bool {
        *self
    }

    fn transcribe_flagged(&self, _: &mut PayloadWriter) {}

    const VALUE: Option<Describe> = None;
}

impl<T: Payload> Flagged for Option<T> {
    fn parse_flagged(
        is_set: bool,
        name: &'static str,
        reader: &mut PayloadReader,
    ) -> Result<Self, PayloadError> {
        if is_set { reader.field(name).map(Some) } else { Ok(None) }
    }

    fn is_set(&self) -> bool {
        self.is_some()
    }

    fn transcribe_flagged(&self, out: &mut PayloadWriter) {
        if let Some(value) = self {
            out.field(value);
        }
    }

    const VALUE: Option<Describe> = Some(T::encoding);
}
