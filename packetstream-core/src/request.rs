//! Requests and their replies as types.

use crate::outcome::Reply;
use crate::payload::{Payload, PayloadError, PayloadProblem, PayloadReader};
use bytes::{Bytes, BytesMut};

/// A kind of request, whose payload is the [`Payload`] of the struct. `#[derive(Request)]` writes it.
///
/// The number of the request type is not here: it belongs to the protocol that carries the request, and
/// one request can be in several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    note = "derive `Request` for it, or write `impl BaseRequest for {Self}`"
)]
pub trait BaseRequest: Payload {
    /// What an ok response carries.
    type Reply: Response;

    /// The flags that the request travels with.
    fn request_flags(&self) -> u64 {
        0
    }

    /// Reads a request as it arrived; flags are ignored unless the request says otherwise.
    ///
    /// # Errors
    ///
    /// What is wrong with the payload, and where.
    fn from_request_payload(flags: u64, payload: Bytes) -> Result<Self, PayloadError> {
        let _ = flags;
        Self::from_bytes(payload)
    }

    /// Reads the ok response to this request.
    ///
    /// # Errors
    ///
    /// What is wrong with the response, and where.
    fn decode_response(&self, reply: Reply) -> Result<Self::Reply, PayloadError> {
        Self::Reply::from_reply(reply)
    }
}

/// What an ok response carries, as a type.
///
/// | type | flags | payload |
/// |---|---|---|
/// | `()` | 0 | empty |
/// | `bool` | 1 or 0 | empty |
/// | `u64` | the number | empty |
/// | `Bytes`, `String` | 0 | the bytes, bare |
/// | `Vec<T>` | 0 | the values back to back, to the end |
/// | `Option<T>` | bit 0 says whether there is one, above it the flags of `T` | that of `T` |
/// | `(u64, Bytes)` | the number | the bytes, bare |
/// | structs deriving `Payload` | 0 | their fields |
///
/// The first five and the pair are the result forms of the Python original's handlers (`wire.md`
/// section 3). Flags or bytes that the type has no meaning for are errors.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a reply",
    note = "derive `Payload` for it, or write `impl Response for {Self}`"
)]
pub trait Response: Sized {
    /// The response's flags and payload.
    fn into_reply(self) -> Reply;

    /// Reads a response.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    fn from_reply(reply: Reply) -> Result<Self, PayloadError>;
}

impl Reply {
    /// The payload of a response whose type has no flags.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::UnexpectedFlags`] when there are some.
    pub fn without_flags(self) -> Result<Bytes, PayloadError> {
        if self.flags == 0 { Ok(self.payload) } else { Err(unexpected_flags(self.flags)) }
    }

    /// The flags of a response whose type has no payload.
    fn without_payload(self) -> Result<u64, PayloadError> {
        PayloadReader::new(self.payload).finish().map(|()| self.flags)
    }
}

fn unexpected_flags(flags: u64) -> PayloadError {
    PayloadReader::new(Bytes::new()).error(PayloadProblem::UnexpectedFlags(flags))
}

impl Response for Reply {
    fn into_reply(self) -> Reply {
        self
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        Ok(reply)
    }
}

impl Response for () {
    fn into_reply(self) -> Reply {
        Reply::default()
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        match reply.without_payload()? {
            0 => Ok(()),
            flags => Err(unexpected_flags(flags)),
        }
    }
}

impl Response for bool {
    fn into_reply(self) -> Reply {
        Reply::from(u64::from(self))
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        match reply.without_payload()? {
            0 => Ok(false),
            1 => Ok(true),
            flags => Err(unexpected_flags(flags)),
        }
    }
}

impl Response for u64 {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.without_payload()
    }
}

impl Response for Bytes {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        reply.without_flags()
    }
}

impl Response for String {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        let payload = reply.without_flags()?;
        Self::from_utf8(payload.into())
            .map_err(|_| PayloadReader::new(Bytes::new()).error(PayloadProblem::NotUtf8))
    }
}

impl Response for (u64, Bytes) {
    fn into_reply(self) -> Reply {
        Reply::from(self)
    }

    fn from_reply(Reply { flags, payload }: Reply) -> Result<Self, PayloadError> {
        Ok((flags, payload))
    }
}

impl<T: Response> Response for Option<T> {
    fn into_reply(self) -> Reply {
        self.map_or_else(Reply::default, |value| {
            let Reply { flags, payload } = value.into_reply();
            // Flags too large to be shifted are too large for the wire either way.
            Reply { flags: flags.saturating_mul(2) | 1, payload }
        })
    }

    fn from_reply(Reply { flags, payload }: Reply) -> Result<Self, PayloadError> {
        if flags & 1 == 1 {
            return T::from_reply(Reply { flags: flags >> 1, payload }).map(Some);
        }
        <()>::from_reply(Reply { flags, payload }).map(|()| None)
    }
}

impl<T: Payload> Response for Vec<T> {
    fn into_reply(self) -> Reply {
        let mut out = BytesMut::new();
        for value in self {
            value.transcribe(&mut out);
        }
        Reply::from(out.freeze())
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        let mut reader = PayloadReader::new(reply.without_flags()?);
        let mut values = Self::new();
        while reader.remaining() > 0 {
            let before = reader.remaining();
            values.push(reader.field("")?);
            if reader.remaining() == before {
                return Err(reader.error(PayloadProblem::Invalid("a value takes no bytes")));
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Be;
    use std::fmt::Debug;

    fn travels<T: Response + Clone + Debug + PartialEq>(value: T, flags: u64, payload: &[u8]) {
        let reply = Reply { flags, payload: Bytes::copy_from_slice(payload) };
        assert_eq!(value.clone().into_reply(), reply);
        assert_eq!(T::from_reply(reply), Ok(value));
    }

    fn refused<T: Response + Debug>(flags: u64, payload: &[u8]) {
        T::from_reply(Reply { flags, payload: Bytes::copy_from_slice(payload) }).unwrap_err();
    }

    #[test]
    fn replies_travel_in_the_result_forms_of_python_handlers() {
        travels((), 0, b"");
        travels(true, 1, b"");
        travels(false, 0, b"");
        travels(300_u64, 300, b"");
        travels(Bytes::from_static(b"bare"), 0, b"bare");
        travels("text".to_owned(), 0, b"text");
        travels((7_u64, Bytes::from_static(b"both")), 7, b"both");
    }

    #[test]
    fn an_option_is_flag_bit_0_and_the_value() {
        travels(Some(Bytes::from_static(b"found")), 1, b"found");
        travels(Some(Bytes::new()), 1, b"");
        travels(None::<Bytes>, 0, b"");
        travels(Some(true), 3, b"");
    }

    #[test]
    fn a_list_is_its_values_back_to_back() {
        travels(vec![Be(1_u16), Be(2)], 0, &[0, 1, 0, 2]);
        travels(Vec::<Be<u16>>::new(), 0, b"");
        refused::<Vec<Be<u16>>>(0, &[0, 1, 0]);
        refused::<Vec<[u8; 0]>>(0, &[0]);
    }

    #[test]
    fn flags_and_bytes_without_a_meaning_are_errors() {
        refused::<()>(1, b"");
        refused::<()>(0, b"x");
        refused::<bool>(2, b"");
        refused::<bool>(1, b"x");
        refused::<u64>(1, b"x");
        refused::<Bytes>(1, b"x");
        refused::<String>(0, &[0xff]);
        refused::<Option<Bytes>>(2, b"");
        refused::<Option<Bytes>>(0, b"x");
        refused::<Option<Bytes>>(3, b"x");
    }
}
