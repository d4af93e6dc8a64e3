//! Waiting for peers.

use super::address::Address;
use super::stdio;
use super::stream::Stream;
use packetstream_core::{Builder, ConnectionError};
use rustix::io::Errno;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinSet;

/// How long to wait before accepting again when this machine is out of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);
/// How long shutting the stream of an ended connection down may take.
const SHUT_DOWN: Duration = Duration::from_secs(5);

/// Waits for peers at an address.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener, Address),
    Unix(UnixListener, SocketFile),
    /// The one stream, until it is taken.
    Stdio(Option<Stream>),
}

/// Why serving has ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No stream can be had.
    #[error("cannot accept connections")]
    Accept(#[source] io::Error),
    /// The only connection there can be has failed.
    #[error("the connection failed")]
    Connection(#[from] ConnectionError),
}

impl Listener {
    /// Starts to wait at an address.
    ///
    /// # Errors
    ///
    /// When the address is taken, not ours, or one that cannot be listened at (`exec:`).
    pub async fn bind(address: &Address) -> io::Result<Self> {
        let kind = match address {
            Address::Tcp(host_and_port) => {
                let listener = TcpListener::bind(host_and_port).await?;
                let address = Address::Tcp(listener.local_addr()?.to_string());
                Kind::Tcp(listener, address)
            }
            Address::Unix(path) => {
                remove_stale(path).await?;
                Kind::Unix(UnixListener::bind(path)?, SocketFile(path.clone()))
            }
            Address::Stdio => Kind::Stdio(Some(stdio::stream()?)),
            Address::Exec(_) => {
                let text = "a command can be connected to, not listened at";
                return Err(io::Error::new(io::ErrorKind::Unsupported, text));
            }
        };
        Ok(Self { kind })
    }

    /// Where it waits, with the port that was picked.
    #[must_use]
    pub fn local_address(&self) -> Address {
        match &self.kind {
            Kind::Tcp(_, address) => address.clone(),
            Kind::Unix(_, file) => Address::Unix(file.0.clone()),
            Kind::Stdio(_) => Address::Stdio,
        }
    }

    /// The next stream; nothing when there will be no more, as after the only one of `stdio:`.
    ///
    /// # Errors
    ///
    /// When this machine has no descriptor or no memory for it: pause, and call again. A peer that went
    /// away meanwhile is no error.
    ///
    /// # Cancel safety
    ///
    /// Safe: no stream is lost.
    pub async fn accept(&mut self) -> io::Result<Option<Stream>> {
        loop {
            let accepted = match &mut self.kind {
                Kind::Tcp(listener, _) => listener.accept().await.and_then(|(stream, _)| Stream::tcp(stream)),
                Kind::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::unix(stream)),
                Kind::Stdio(stream) => return Ok(stream.take()),
            };
            match accepted {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) if is_the_peers(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Serves each peer that comes with a connection that `builder` makes, for ever; at `stdio:`, until
    /// the only connection has ended. Handlers find the [`Peer`](super::Peer) in the connection's extensions.
    ///
    /// What becomes of one connection does not touch the others. The limits are those of each connection;
    /// how many there are is not limited.
    ///
    /// # Errors
    ///
    /// When no stream can be had any more; at `stdio:`, when the connection fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops all its connections.
    pub async fn serve(mut self, builder: impl Fn() -> Builder) -> Result<(), ServeError> {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                // First, so that the end of the only connection is not taken for one of many.
                biased;
                accepted = self.accept() => match accepted {
                    Ok(Some(stream)) => {
                        connections.spawn(serve_and_shut_down(builder().extension(stream.peer()), stream));
                    }
                    Ok(None) => break,
                    Err(error) if is_scarcity(&error) => tokio::time::sleep(PAUSE).await,
                    Err(error) => return Err(ServeError::Accept(error)),
                },
                // Only to let go of what has ended.
                Some(_) = connections.join_next() => {}
            }
        }
        match connections.join_next().await {
            Some(Ok(result)) => Ok(result?),
            _ => Err(ConnectionError::Dropped.into()),
        }
    }
}

/// The stream is shut down, and not only dropped: its last bytes may be carried by a thread.
async fn serve_and_shut_down(builder: Builder, stream: Stream) -> Result<(), ConnectionError> {
    let mut ended = builder.serve(stream).await;
    // The peer has said its last, or is past telling: there is nobody to report an error to.
    let _ = tokio::time::timeout(SHUT_DOWN, ended.transport.shutdown()).await;
    ended.report.result
}

/// Whether accepting failed because of the peer and not because of this machine.
pub(crate) fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected)
}

/// Whether accepting failed for lack of descriptors or memory, which passes.
pub(crate) fn is_scarcity(error: &io::Error) -> bool {
    let scarcities = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| scarcities.contains(&errno))
}

/// Removes the socket of a listener that is no more: one that nobody answers at. Connecting to a file
/// that is no socket is refused, too; that is not ours to remove.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    match UnixStream::connect(path).await {
        Err(error) if is_socket && error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

/// Removed on drop.
#[derive(Debug)]
pub(crate) struct SocketFile(pub(crate) PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may have been removed by hand.
        let _ = std::fs::remove_file(&self.0);
    }
}
