//! Asking, and waiting for the answer.

use crate::protocol::Carries;
use crate::{BaseRequest, HasPacketConnection, NotSent, PacketConnection, RequestError, TypedCall};
use packetstream_core::blocking::{self, InsideRuntime, may_block};
use std::marker::PhantomData;

/// Asks the requests of protocol `P`, as [`Client`](crate::Client), and waits for their replies.
///
/// Of a generated client each method's [`TypedCall`] is waited for with [`wait`](TypedCall::wait).
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
    pub fn call<R>(&self, request: R) -> Result<R::Reply, RequestError<R::Error>>
    where
        R: BaseRequest,
        P: Carries<R>,
    {
        may_block().map_err(|InsideRuntime| RequestError::NotSent(NotSent::InsideRuntime))?;
        self.submit(request).wait()
    }

    /// Sends a request, which is on its way when this returns; [`TypedCall::wait`] waits for its reply. Several can
    /// be on their way at once.
    pub fn submit<R>(&self, request: R) -> TypedCall<R>
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
        Self { connection, protocol: PhantomData }
    }
}

impl<P> From<blocking::PacketConnection> for Client<P> {
    fn from(connection: blocking::PacketConnection) -> Self {
        PacketConnection::from(connection).into()
    }
}

impl<P> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self::from(self.connection.clone())
    }
}
