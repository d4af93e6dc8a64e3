//! Requests, replies and failures as types.

mod replies;

use crate::contract::Contract;
use crate::description::{self, Docs, Encoding};
use crate::outcome::{Failure, Reply};
use crate::payload::{Payload, PayloadError, PayloadReader, PayloadWriter};
use bytes::Bytes;

/// A kind of request, whose payload is the [`Payload`] of the struct. `#[derive(Request)]` writes it.
///
/// The number of the request type is not here: it belongs to the protocol that carries the request, and
/// one request can be in several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "not a request",
    note = "derive `Request` for it, or write `impl BaseRequest for {Self}`"
)]
pub trait BaseRequest: Payload {
    /// What an ok response carries.
    type Reply: Response;

    /// What a not-ok response carries when the handler failed: [`Failure`] unless the request declares more.
    type Error: ErrorResponse;

    /// What performing the request may take.
    const CONTRACT: Contract = Contract::NONE;

    /// The flags and the payload that the request travels with.
    fn transcribe_request(&self) -> (u64, Bytes) {
        PayloadWriter::packet(|out| self.transcribe(out))
    }

    /// Reads a request as it arrived. Flags are ignored unless the request has fields for some: then others
    /// are refused.
    ///
    /// # Errors
    ///
    /// What is wrong with the flags or the payload, and where.
    fn from_request_payload(flags: u64, payload: Bytes) -> Result<Self, PayloadError> {
        let mut reader = PayloadReader::of_packet(flags, payload);
        let request = Self::parse(&mut reader)?;
        reader.finish()?;
        Ok(request)
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
/// | `Bytes`, `Vec<u8>`, `String` | 0 | the bytes, bare |
/// | `Vec<T>` | 0 | the values back to back, to the end |
/// | `Option<T>` | bit 0 says whether there is one, above it the flags of `T` | that of `T` |
/// | `(u64, Bytes)` | the number | the bytes, bare |
/// | structs and enums deriving `Payload`, [`Verbatim`](crate::Verbatim) | those of its fields, else 0 | its bytes |
///
/// `()`, `u64`, `Bytes`, `String` and the pair are the five result forms of the Python original's handlers
/// ([rule R-5](crate::wire)). Flags or bytes that the type has no meaning for are errors.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a reply",
    label = "not a `Response`",
    note = "derive `Payload` for it, or write `impl Response for {Self}`",
    note = "a number in the payload is a struct with that field; `u64` is one in the flags"
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

    /// What the response is, for descriptions.
    #[must_use]
    fn reply_encoding() -> description::Reply {
        description::Reply::Custom(std::any::type_name::<Self>())
    }
}

/// What a not-ok response carries when a handler fails, as a type: any [`Payload`] can be the `error` of a
/// request.
///
/// A declared failure travels with flag 0 set and its own flags above ([rule R-15](crate::wire)); without that flag
/// a not-ok response is a refusal in words, as those of the library and of Python are. Python's handlers cannot
/// declare any, and its clients see flags and bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a request",
    label = "neither a `Payload` nor `Failure`",
    note = "derive `Payload` for it"
)]
pub trait ErrorResponse: Sized {
    /// The response's flags and payload.
    fn into_failure(self) -> Failure;

    /// Reads a response; nothing if it is not a declared failure.
    fn from_failure(failure: &Failure) -> Option<Result<Self, PayloadError>>;

    /// What the failure is, for descriptions; nothing unless it is declared.
    fn failure_encoding() -> Option<Encoding>;
}

/// Set in the flags of a declared failure.
const IS_DECLARED: u64 = 1;

impl ErrorResponse for Failure {
    fn into_failure(self) -> Failure {
        self
    }

    fn from_failure(_: &Failure) -> Option<Result<Self, PayloadError>> {
        None
    }

    fn failure_encoding() -> Option<Encoding> {
        None
    }
}

impl<T: Payload> ErrorResponse for T {
    fn into_failure(self) -> Failure {
        let Reply { flags, payload } = Reply::of(&self);
        Failure { flags: shifted(flags) | IS_DECLARED, payload }
    }

    fn from_failure(failure: &Failure) -> Option<Result<Self, PayloadError>> {
        (failure.flags & IS_DECLARED != 0)
            .then(|| Reply { flags: failure.flags >> 1, payload: failure.payload.clone() }.value())
    }

    fn failure_encoding() -> Option<Encoding> {
        Some(T::encoding())
    }
}

/// Makes room for one more flag. Flags too large to be shifted are too large for the wire either way.
const fn shifted(flags: u64) -> u64 {
    flags.saturating_mul(2)
}

impl description::Request {
    /// The description of a request that has this number and name in a protocol.
    #[must_use]
    pub const fn of<R: BaseRequest>(rq_type: u64, name: &'static str, docs: Docs) -> Self {
        Self {
            rq_type,
            name,
            docs,
            payload: <R as Payload>::encoding,
            reply: <R::Reply as Response>::reply_encoding,
            failure: <R::Error as ErrorResponse>::failure_encoding,
            contract: R::CONTRACT,
        }
    }
}

impl Reply {
    /// The reply that one value fills.
    pub fn of(value: &impl Payload) -> Self {
        let (flags, payload) = PayloadWriter::packet(|out| value.transcribe(out));
        Self { flags, payload }
    }

    /// Reads a reply that one value fills.
    ///
    /// # Errors
    ///
    /// What is wrong with the flags or the payload, and where.
    pub fn value<T: Payload>(self) -> Result<T, PayloadError> {
        self.read(T::parse)
    }

    /// Reads a reply that `parse` takes all of.
    fn read<T>(
        self,
        parse: impl FnOnce(&mut PayloadReader) -> Result<T, PayloadError>,
    ) -> Result<T, PayloadError> {
        let mut reader = PayloadReader::of_packet(self.flags, self.payload);
        let value = parse(&mut reader)?;
        reader.finish_flags()?;
        reader.finish()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: R-15
    #[test]
    fn a_declared_failure_is_told_apart_by_flag_0() {
        let failure = (300_u64, "full".to_owned()).into_failure();
        assert_eq!(failure, Failure { flags: 1, payload: Bytes::from_static(b"\x82\x2c\x04full") });
        assert_eq!(ErrorResponse::from_failure(&failure), Some(Ok((300_u64, "full".to_owned()))));
        assert!(<u64 as ErrorResponse>::from_failure(&failure).unwrap().is_err());
        assert_eq!(<(u64, String)>::from_failure(&Failure::new("busy")), None);
        assert_eq!(Failure::from_failure(&failure), None);
    }

    /// A value that is its flags.
    #[derive(Debug, PartialEq)]
    struct Flags(u64);

    impl Payload for Flags {
        fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
            reader.flags(0xff, "Flags").map(Self)
        }

        fn transcribe(&self, out: &mut PayloadWriter) {
            out.flags(self.0);
        }
    }

    impl BaseRequest for Flags {
        type Reply = u64;
        type Error = Failure;
    }

    // Rules: P-19, P-20
    #[test]
    fn a_request_travels_with_its_flags_and_reads_its_reply() {
        let (flags, payload) = Flags(6).transcribe_request();
        assert_eq!((flags, &payload[..]), (6, &[][..]));
        assert_eq!(Flags::from_request_payload(flags, payload), Ok(Flags(6)));
        Flags::from_request_payload(0x100, Bytes::new()).unwrap_err();
        Flags::from_request_payload(6, Bytes::from_static(b"x")).unwrap_err();
        assert_eq!(Flags(6).decode_response(Reply::from(9)), Ok(9));
        assert_eq!(Failure::new("no").into_failure(), Failure::new("no"));
    }

    // Rules: R-15
    #[test]
    fn the_flags_of_a_declared_failure_are_above_flag_0() {
        let failure = Flags(6).into_failure();
        assert_eq!(failure, Failure { flags: 6 << 1 | 1, payload: Bytes::new() });
        assert_eq!(ErrorResponse::from_failure(&failure), Some(Ok(Flags(6))));
    }
}
