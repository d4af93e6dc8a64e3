//! Asking: typed calls over a connection.

use crate::service::Carries;
use packetstream_core::{ErrorResponse, BaseRequest, Call, CallError, Failure, PacketConnection, PayloadError};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Whatever speaks a protocol over a connection: the typed half that asks.
///
/// Client stubs made by `#[derive(Protocol)]` implement it, [`Client`] does, and so can a struct of
/// your own that holds more than the connection. A request that the protocol does not carry does not
/// compile.
pub trait HasPacketConnection {
    /// The protocol that the peer serves.
    type Protocol;

    /// The connection that requests go over.
    fn connection(&self) -> &PacketConnection;

    /// Sends a request; the future yields its reply. Several can be on their way at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; the peer may still perform the request.
    fn conn_submit<R>(&self, request: R) -> TypedCall<R>
    where
        R: BaseRequest,
        Self::Protocol: Carries<R>,
    {
        let number = <Self::Protocol as Carries<R>>::REQUEST_TYPE;
        let (flags, payload) = request.transcribe_request();
        let call = self.connection().submit(number, flags, payload);
        TypedCall { call, request }
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    ///
    /// # Cancel safety
    ///
    /// As [`conn_submit`](Self::conn_submit).
    fn conn_do_remote<R>(&self, request: R) -> impl Future<Output = Result<R::Reply, RequestError<R::Error>>> + Send
    where
        R: BaseRequest + Send,
        Self::Protocol: Carries<R>,
    {
        self.conn_submit(request)
    }
}

/// A request on its way; yields its reply. See [`HasPacketConnection::conn_submit`].
#[derive(Debug)]
#[must_use = "the answer is in the future"]
pub struct TypedCall<R> {
    call: Call,
    request: R,
}

/// Nothing is pinned in it: the request is only kept to decode the reply.
impl<R> Unpin for TypedCall<R> {}

impl<R: BaseRequest> Future for TypedCall<R> {
    type Output = Result<R::Reply, RequestError<R::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = match ready!(Pin::new(&mut self.call).poll(cx)) {
            Ok(reply) => reply,
            Err(CallError::Failed(failure)) => {
                return Poll::Ready(Err(match ErrorResponse::from_failure(&failure) {
                    Some(Ok(error)) => RequestError::Failed(error),
                    Some(Err(error)) => RequestError::Undecodable(error),
                    None => CallError::Failed(failure).into(),
                }));
            }
            Err(error) => return Poll::Ready(Err(error.into())),
        };
        Poll::Ready(self.request.decode_response(reply).map_err(RequestError::Undecodable))
    }
}

/// Why a typed request has no reply.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError<E = Failure> {
    /// Declared
    #[error("the request failed: {0}")]
    Failed(E),
    /// The peer refused it, failed to perform it, or never answered.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The peer said ok, but its response is not one to this request.
    #[error("undecodable reply")]
    Undecodable(#[source] PayloadError),
}

impl<E> RequestError<E> {
    /// What the peer said when it answered not-ok.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Call(CallError::Failed(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// Asks the requests of protocol `P`, one method for all of them.
///
/// `#[packetstream(client = Name)]` on the protocol makes a client with a method for each.
#[derive(Debug)]
pub struct Client<P> {
    connection: PacketConnection,
    protocol: PhantomData<fn() -> P>,
}

impl<P> Client<P> {
    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; the peer may still perform the request.
    pub async fn call<R>(&self, request: R) -> Result<R::Reply, RequestError<R::Error>>
    where
        R: BaseRequest + Send,
        P: Carries<R>,
    {
        self.conn_do_remote(request).await
    }
}

impl<P> HasPacketConnection for Client<P> {
    type Protocol = P;

    fn connection(&self) -> &PacketConnection {
        &self.connection
    }
}

impl<P> From<PacketConnection> for Client<P> {
    fn from(connection: PacketConnection) -> Self {
        Self { connection, protocol: PhantomData }
    }
}

impl<P> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self::from(self.connection.clone())
    }
}
