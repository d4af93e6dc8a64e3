//! Answering: a protocol's requests dispatched to a service.

use bytes::Bytes;
use packetstream_core::{
    BaseRequest, ErrorResponse, Failure, Handler, Incoming, Outcome, PacketConnection, PayloadError, RequestId, Response, description,
};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

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

/// Performs requests of type `R`. A service implements it once for each request of its protocol.
#[diagnostic::on_unimplemented(
    message = "service `{Self}` does not perform request `{R}`",
    label = "missing `impl Fulfil<{R}> for {Self}`",
    note = "the protocol served carries `{R}`"
)]
pub trait Fulfil<R: BaseRequest>: Send + Sync + 'static {
    /// Performs one request.
    ///
    /// Write it as `async fn fulfil(&self, request: R, cx: Context) -> Result<R::Reply, Failure>`.
    /// The future is polled once by the connection's own task, which reads nothing meanwhile: do not
    /// block in it. If it does not finish at once it goes on as a task of its own.
    ///
    /// # Errors
    ///
    /// A [`Failure`] reaches the caller word for word. A panic reaches it as
    /// [`Failure::internal`].
    fn fulfil(&self, request: R, cx: Context) -> impl Future<Output = Result<R::Reply, R::Error>> + Send;
}

/// A protocol all of whose requests `S` performs. `#[derive(Protocol)]` writes it, for every `S` that
/// implements [`Fulfil`] for each request.
pub trait Dispatch<S>: Protocol {
    /// Has the service perform a request that has arrived.
    fn dispatch(arrival: Arrival<'_, Self, S>) -> impl Future<Output = Outcome> + Send;
}

/// A request that has arrived, and the service that is to perform it.
#[derive(Debug)]
pub struct Arrival<'a, P, S> {
    served: &'a Served<P, S>,
    incoming: Incoming,
}

impl<P, S> Arrival<'_, P, S> {
    /// The number of the request.
    #[must_use]
    pub const fn rq_type(&self) -> u64 {
        self.incoming.rq_type
    }

    /// Has it performed as a request of type `R`.
    pub async fn fulfil<R>(mut self) -> Outcome
    where
        R: BaseRequest + Send,
        S: Fulfil<R>,
    {
        let payload = std::mem::take(&mut self.incoming.payload);
        let request = match R::from_request_payload(self.incoming.flags, payload) {
            Ok(request) => request,
            Err(error) => return Err(Failure::new(ParseRequestError::Payload(error).to_string())),
        };
        let outcome = self.served.service.fulfil(request, Context { incoming: self.incoming }).await;
        outcome.map(Response::into_reply).map_err(ErrorResponse::into_failure)
    }

    /// Refuses it: the protocol has no request of this number.
    pub fn unknown(self) -> Outcome {
        Err(Failure::new(ParseRequestError::UnknownType(self.rq_type()).to_string()))
    }
}

/// What a handler knows of the request besides its content.
#[derive(Debug)]
pub struct Context {
    incoming: Incoming,
}

impl Context {
    /// The connection that the request came over, to ask the peer in turn:
    /// `cx.peer::<Client<Theirs>>().call(..)`, or a generated client.
    #[must_use]
    pub fn peer<C: From<PacketConnection>>(&self) -> C {
        self.incoming.peer().into()
    }

    /// Which of the peer's requests this is.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.incoming.id
    }

    /// The flags that the request travelled with.
    #[must_use]
    pub const fn flags(&self) -> u64 {
        self.incoming.flags
    }
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

/// The [`Handler`] that has `service` perform the requests of protocol `P`.
///
/// A request that cannot be read is answered not-ok with the reason; the connection lives on.
pub fn serve<P, S>(service: S) -> Served<P, S>
where
    P: Dispatch<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    Served { service, protocol: PhantomData }
}

/// A service that performs the requests of a protocol; see [`serve`].
#[derive(Debug)]
pub struct Served<P, S> {
    service: S,
    protocol: PhantomData<fn() -> P>,
}

impl<P, S> Handler for Served<P, S>
where
    P: Dispatch<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    async fn handle(&self, incoming: Incoming) -> Outcome {
        P::dispatch(Arrival { served: self, incoming }).await
    }
}
