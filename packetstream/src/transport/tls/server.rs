//! The side that grants TLS.

use super::super::listener::{Listener, ServeError, serve_and_shut_down};
use super::super::peer::Peer;
use super::super::stream::Stream;
use super::encrypted;
use super::error::TlsError;
use super::hear_out;
use packetstream_core::Builder;
use std::fmt;
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
        let serve = |stream: Stream| {
            let (server, builder) = (self.clone(), builder());
            async move {
                let peer = stream.peer();
                match server.accept(stream).await {
                    Ok(stream) => serve_and_shut_down(builder, stream).await,
                    Err(error) => {
                        (server.failed)(peer, &error);
                        Err(error.into())
                    }
                }
            }
        };
        listener.serve_each(serve).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("handshake_timeout", &self.handshake_timeout).finish_non_exhaustive()
    }
}
