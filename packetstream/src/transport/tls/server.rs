//! The side that grants TLS.

use super::super::listener::Listener;
use super::super::peer::Peer;
use super::super::serve::ServeError;
use super::super::stream::Stream;
use super::encrypted;
use super::error::TlsError;
use super::hear_out;
use packetstream_core::Builder;
use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// The side that grants TLS. Clones are the same server; made by [`Builder::server`](super::Builder::server).
#[derive(Clone)]
pub struct Server {
    acceptor: TlsAcceptor,
    handshake_timeout: Duration,
    failed: Arc<Failed>,
}

type Failed = dyn Fn(Peer, &TlsError) + Send + Sync;

impl Server {
    pub(super) fn new(config: ServerConfig, handshake_timeout: Duration) -> Self {
        Self { acceptor: Arc::new(config).into(), handshake_timeout, failed: Arc::new(|_, _| {}) }
    }

    /// Has `failed` hear of each handshake of [`serve`](Self::serve) that fails: who the peer was and what went
    /// wrong. Default: nobody is told.
    #[must_use]
    pub fn on_failed(self, failed: impl Fn(Peer, &TlsError) + Send + Sync + 'static) -> Self {
        Self { failed: Arc::new(failed), ..self }
    }

    /// Has TLS over a stream that a client has opened. [`Stream::new`] makes a stream of anything.
    ///
    /// # Errors
    ///
    /// See [`TlsError`]. A client that we refuse is told why, which takes up to 1 s more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the stream.
    pub async fn accept(&self, stream: Stream) -> Result<Stream, TlsError> {
        let handshake = self.acceptor.accept(stream).into_fallible();
        match timeout(self.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => Ok(encrypted::stream(stream)),
            Ok(Err((error, stream))) => {
                hear_out(stream).await;
                Err(TlsError::of_handshake(error))
            }
            Err(_) => Err(TlsError::TimedOut(self.handshake_timeout)),
        }
    }

    /// Serves each client that comes with a connection that `builder` makes, as [`Listener::serve`] does, but
    /// within TLS. Handlers find the [`Session`](super::Session) in the connection's extensions, besides the
    /// [`Peer`].
    ///
    /// Each handshake runs in a task of its own: a client that is slow, or is refused, does not touch the others.
    ///
    /// # Errors
    ///
    /// When no stream can be had any more; at `stdio:`, when the handshake or the connection fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops all its connections.
    pub async fn serve(self, listener: Listener, builder: impl Fn() -> Builder) -> Result<(), ServeError> {
        self.serve_until(listener, builder, pending()).await
    }

    /// Serves as [`serve`](Self::serve) does until `stop` is ready, and then ends as [`Listener::serve_until`] does;
    /// handshakes that are not finished are given up.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve).
    ///
    /// # Cancel safety
    ///
    /// As [`serve`](Self::serve).
    pub async fn serve_until(
        self,
        listener: Listener,
        builder: impl Fn() -> Builder,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let prepare = |stream: Stream| {
            let server = self.clone();
            async move {
                let peer = stream.peer();
                let encrypted = server.accept(stream).await;
                Ok(encrypted.inspect_err(|error| (server.failed)(peer, error))?)
            }
        };
        listener.serve_prepared(builder, prepare, stop).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("handshake_timeout", &self.handshake_timeout).finish_non_exhaustive()
    }
}
