//! Asking: typed calls over a connection.

mod call;
mod error;
mod outgoing;

use crate::protocol::Carries;
use packetstream_core::{BaseRequest, PacketConnection};
use std::future::Future;
use std::marker::PhantomData;

pub use call::TypedCall;
pub use error::RequestError;
pub use outgoing::Outgoing;

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
    /// A payload over the limit of the request's own contract is not sent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; the peer may still perform the request.
    fn conn_submit<R>(&self, request: R) -> TypedCall<R>
    where
        R: BaseRequest,
        Self::Protocol: Carries<R>,
    {
        match Outgoing::of::<Self::Protocol, R>(&request) {
            Ok(Outgoing { rq_type, flags, payload, .. }) => {
                TypedCall::new(self.connection().submit(rq_type, flags, payload), request)
            }
            Err(reason) => TypedCall::refused(reason, request),
        }
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
    fn conn_do_remote<R>(
        &self,
        request: R,
    ) -> impl Future<Output = Result<R::Reply, RequestError<R::Error>>> + Send
    where
        R: BaseRequest + Send,
        Self::Protocol: Carries<R>,
    {
        self.conn_submit(request)
    }
}

/// Asks the requests of protocol `P`, one method for all of them.
///
/// `#[packetstream(client = Name)]` on the protocol makes a client with a method for each.
#[derive(Debug)]
pub struct Client<P> {
    pub(crate) connection: PacketConnection,
    #[cfg(feature = "tower")]
    pub(crate) turn: crate::tower::Turn<packetstream_core::Place>,
    protocol: PhantomData<fn() -> P>,
}

impl<P> Client<P> {
    /// Sends a request, which is on its way when this returns; the future yields its reply.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; the peer may still perform the request.
    pub fn call<R>(&self, request: R) -> TypedCall<R>
    where
        R: BaseRequest,
        P: Carries<R>,
    {
        self.conn_submit(request)
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
        Self {
            connection,
            #[cfg(feature = "tower")]
            turn: crate::tower::Turn::default(),
            protocol: PhantomData,
        }
    }
}

impl<P> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self::from(self.connection.clone())
    }
}
