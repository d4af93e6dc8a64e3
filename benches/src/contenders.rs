//! Who takes part, each in its best form: a server and a client over one stream, with one echo.

pub(crate) mod by_hand;
#[cfg(feature = "peers")]
pub(crate) mod capnp;
pub(crate) mod limit;
pub(crate) mod packetstream;
pub(crate) mod raw;
#[cfg(feature = "peers")]
pub(crate) mod remoc;
#[cfg(feature = "peers")]
pub(crate) mod tarpc;
#[cfg(feature = "peers")]
pub(crate) mod tonic;
#[cfg(feature = "peers")]
pub(crate) mod ttrpc;

use crate::stage::Socket;
use bytes::Bytes;
use std::future::Future;

/// A small payload.
pub(crate) type Small = [u8; 16];

/// One way to have bytes sent back by the other end of a stream.
pub(crate) trait Contender: 'static {
    /// What asks. Clones share the connection.
    type Client: Clone + Send + Sync + 'static;

    /// The longest payload it takes.
    const LONGEST: usize = usize::MAX;

    /// Answers until the stream ends.
    fn serve(stream: Socket) -> impl Future<Output = ()> + Send + 'static;

    /// Begins to ask over the stream.
    fn connect(stream: Socket) -> impl Future<Output = Self::Client> + Send;

    /// Has a few bytes sent back, in the form in which this contender likes them best.
    fn small(client: &Self::Client, bytes: Small) -> impl Future<Output = Small> + Send;

    /// Has many bytes sent back.
    fn bulk(client: &Self::Client, bytes: Bytes) -> impl Future<Output = Bytes> + Send;
}

/// A contender whose connections carry requests in both directions.
pub(crate) trait BothWays: Contender {
    /// Asks and answers over one stream, either end of it.
    fn meet(stream: Socket, first: bool) -> impl Future<Output = Self::Client> + Send;
}
