//! Protocols: sets of requests with their numbers.

use bytes::Bytes;
use packetstream_core::{BaseRequest, PayloadError, description};
use std::fmt;

/// A set of requests with their numbers: what one side of a connection serves. `#[derive(Protocol)]`
/// writes it for an enum with one variant per request.
pub trait Protocol: Sized + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its documentation.
    const DOCS: description::Docs = &[];
    /// Its requests.
    const REQUESTS: &'static [description::Request];
    /// How each of them is read.
    const PARSERS: &'static [Parser<Self>];
    /// All of that as data.
    const DESCRIPTION: &'static description::Protocol =
        &description::Protocol { name: Self::NAME, docs: Self::DOCS, requests: Self::REQUESTS };

    /// Reads a request as it arrived.
    ///
    /// # Errors
    ///
    /// When no request has this number, or the payload is not one of its request.
    fn from_request(rq_type: u64, flags: u64, payload: Bytes) -> Result<Self, ParseRequestError> {
        match Self::PARSERS.iter().find(|parser| parser.rq_type == rq_type) {
            Some(parser) => Ok((parser.parse)(flags, payload)?),
            None => Err(ParseRequestError::UnknownType(rq_type)),
        }
    }
}

/// How one request of protocol `P` is read.
pub struct Parser<P> {
    rq_type: u64,
    parse: fn(u64, Bytes) -> Result<P, PayloadError>,
}

impl<P> Parser<P> {
    /// The parser of request `R`.
    #[must_use]
    pub const fn of<R: BaseRequest>() -> Self
    where
        P: Carries<R> + From<R>,
    {
        let parse = |flags, payload| R::from_request_payload(flags, payload).map(P::from);
        Self { rq_type: P::REQUEST_TYPE, parse }
    }
}

impl<P> fmt::Debug for Parser<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parser({})", self.rq_type)
    }
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
