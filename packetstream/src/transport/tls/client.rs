//! The side that asks for TLS.

use super::super::address::Address;
use super::super::stream::{ConnectError, Stream};
use super::encrypted;
use super::error::TlsError;
use super::hear_out;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// The side that asks for TLS. Clones are the same client; made by [`Builder::client`](super::Builder::client).
#[derive(Clone)]
pub struct Client {
    connector: TlsConnector,
    handshake_timeout: Duration,
}

impl Client {
    pub(super) fn new(config: ClientConfig, handshake_timeout: Duration) -> Self {
        Self { connector: Arc::new(config).into(), handshake_timeout }
    }

    /// Has TLS over a stream, to a server whose certificate is for `server_name`, a host name or an IP address.
    /// [`Stream::new`] makes a stream of anything.
    ///
    /// # Errors
    ///
    /// See [`TlsError`]. That the server refuses our certificate may come later, as an error of the first read;
    /// see [the module](super). A server that we refuse is told why, which takes up to 1 s more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the stream.
    pub async fn connect(&self, stream: Stream, server_name: &str) -> Result<Stream, TlsError> {
        let name = ServerName::try_from(server_name).map_err(|_| TlsError::ServerName(server_name.into()))?;
        let handshake = self.connector.connect(name.to_owned(), stream).into_fallible();
        match timeout(self.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => Ok(encrypted::stream(stream)),
            Ok(Err((error, stream))) => {
                hear_out(stream).await;
                Err(TlsError::of_handshake(error))
            }
            Err(_) => Err(TlsError::TimedOut(self.handshake_timeout)),
        }
    }

    /// Opens a TCP stream to `host:port`, and has TLS over it, to a server whose certificate is for `host`.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); when the text is not `host:port`, or cannot be reached within 20 s.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn connect_to(&self, host_and_port: &str) -> Result<Stream, TlsError> {
        let address = format!("tcp://{host_and_port}").parse::<Address>().map_err(ConnectError::from)?;
        let stream = Stream::connect(&address).await?;
        let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
        let unbracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        self.connect(stream, unbracketed.unwrap_or(host)).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("handshake_timeout", &self.handshake_timeout).finish_non_exhaustive()
    }
}
