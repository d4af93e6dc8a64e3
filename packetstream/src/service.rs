//! Answering: a protocol's requests dispatched to a service.

use bytes::Bytes;
use packetstream_core::{
    BaseRequest, Failure, Handler, Incoming, Outcome, PacketConnection, PayloadError, RequestId, Response,
};
use std::future::Future;
use std::marker::PhantomData;

/// A set of requests with their numbers: what one side of a connection serves. `#[derive(Protocol)]`
/// writes it for an enum with one variant per request.
pub trait Protocol: Sized {
    /// Reads a request as it arrived.
    ///
    /// # Errors
    ///
    /// When no request has this number, or the payload is not one of its request.
    fn from_request(rq_type: u64, flags: u64, payload: Bytes) -> Result<Self, ParseRequestError>;

    /// The number of this request.
    fn rq_type(&self) -> u64;
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
pub trait Fulfil<R: BaseRequest> {
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
    fn fulfil(&self, request: R, cx: Context) -> impl Future<Output = Result<R::Reply, Failure>> + Send;
}

/// A protocol all of whose requests `S` performs. `#[derive(Protocol)]` writes it, for every `S` that
/// implements [`Fulfil`] for each request.
pub trait Dispatch<S>: Protocol {
    /// Has `service` perform the request.
    fn dispatch(self, service: &S, cx: Context) -> impl Future<Output = Outcome> + Send;
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
    async fn handle(&self, mut incoming: Incoming) -> Outcome {
        let payload = std::mem::take(&mut incoming.payload);
        match P::from_request(incoming.rq_type, incoming.flags, payload) {
            Ok(request) => request.dispatch(&self.service, Context { incoming }).await,
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }
}

/// What the generated code calls.
pub(crate) mod private {
    use super::{BaseRequest, Context, Fulfil, Outcome, Response};

    /// Performs one request: the body of a match arm of a generated `dispatch`.
    pub async fn fulfil<R, S>(service: &S, request: R, cx: Context) -> Outcome
    where
        R: BaseRequest + Send,
        S: Fulfil<R> + Sync,
    {
        service.fulfil(request, cx).await.map(Response::into_reply)
    }
}
