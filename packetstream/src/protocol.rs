//! Protocols: sets of requests with their numbers.

use bytes::Bytes;
use packetstream_core::{PayloadError, description};

/// A set of requests with their numbers: what one side of a connection serves. `#[derive(Protocol)]`
/// writes it for an enum with one variant per request.
pub trait Protocol: Sized {
    /// What it carries, as data.
    const DESCRIPTION: &'static description::Protocol;

    /// Reads a request as it arrived.
    ///
    /// # Errors
    ///
    /// When no request has this number, or the payload is not one of its request.
    fn from_request(rq_type: u64, flags: u64, payload: Bytes) -> Result<Self, ParseRequestError>;

    /// Number, flags and payload that the request travels with.
    fn to_request(&self) -> (u64, u64, Bytes);
}

/// Says that protocol `Self` carries request `R`, and under which number.
#[diagnostic::on_unimplemented(
    message = "protocol `{Self}` does not carry request `{R}`",
    label = "not a request of `{Self}`",
    note = "add a variant `#[request(<number>)] {R}({R})` to `{Self}`"
)]
pub trait Carries<R>: Sized {
    /// The request type of `R` in this protocol.
    const REQUEST_TYPE: u64;
}

/// Why an incoming request cannot be read; what the peer is told.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseRequestError {
    /// The protocol carries no request of this type.
    #[error("unknown request type {0}")]
    UnknownType(u64),
    /// The payload is not one of this type's request.
    #[error("malformed request: {0}")]
    Payload(#[from] PayloadError),
}

/// What the generated code calls: its match arms are one call each.
pub(crate) mod private {
    use super::{Bytes, Carries, ParseRequestError};
    use packetstream_core::BaseRequest;

    /// An arm of `from_request`: reads the request that `variant` holds.
    pub fn parse<R: BaseRequest, P>(
        flags: u64,
        payload: Bytes,
        variant: impl FnOnce(R) -> P,
    ) -> Result<P, ParseRequestError> {
        Ok(variant(R::from_request_payload(flags, payload)?))
    }

    /// The last arm of `from_request`.
    pub fn unknown<P>(rq_type: u64) -> Result<P, ParseRequestError> {
        Err(ParseRequestError::UnknownType(rq_type))
    }

    /// An arm of `to_request`.
    pub fn to_request<P: Carries<R>, R: BaseRequest>(request: &R) -> (u64, u64, Bytes) {
        let (flags, payload) = request.transcribe_request();
        (P::REQUEST_TYPE, flags, payload)
    }
}
