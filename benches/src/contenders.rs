//! Who takes part, each in its best form: a server and a client over one stream, with one echo.

pub(crate) mod by_hand;
pub(crate) mod limit;
pub(crate) mod packetstream;
pub(crate) mod raw;
pub(crate) mod tarpc;

use bytes::Bytes;
use std::future::Future;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection of two programs.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// One way to have an echo performed at the other end of a stream.
pub(crate) trait Contender {
    /// What asks. Clones share the connection.
    type Client: Clone + Send + 'static;

    /// Answers until the stream ends.
    fn serve(stream: impl Stream) -> impl Future<Output = ()> + Send;

    /// Begins to ask over the stream.
    fn connect(stream: impl Stream) -> Self::Client;

    /// Has bytes sent back.
    fn echo(client: &Self::Client, bytes: Bytes) -> impl Future<Output = Bytes> + Send;
}
