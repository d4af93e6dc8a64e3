//! Waiting for peers.

use super::stream::Stream;
use crate::transport::{Passed, SocketFile, is_scarcity, is_the_peers, listening_socket};
use crate::{Address, Builder, ConnectionError};
use packetstream_core::blocking::{InsideRuntime, SpawnError, Transport, may_block, serve};
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How long to wait before accepting again when this machine is out of descriptors, memory or threads.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits for peers at an address, for connections on threads: as [`Listener`](crate::Listener).
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    /// Nothing if the socket is somebody else's.
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener, Address),
    Unix(UnixListener, Address),
    /// The one stream, until it is taken.
    Single(Option<Stream>, Address),
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
    /// No connection can be had on this thread, or on this machine.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

impl Listener {
    /// Starts to wait at an address.
    ///
    /// # Errors
    ///
    /// When the address is taken, not ours, or one that cannot be listened at (`exec:`, `ssh:`).
    pub fn bind(address: &Address) -> io::Result<Self> {
        let mut file = None;
        let kind = match address {
            Address::Tcp(host_and_port) => {
                let listener = TcpListener::bind(host_and_port)?;
                let address = Address::Tcp(listener.local_addr()?.to_string());
                Kind::Tcp(listener, address)
            }
            Address::Unix(path) => {
                remove_stale(path)?;
                let listener = UnixListener::bind(path)?;
                file = Some(SocketFile::at(path)?);
                Kind::Unix(listener, address.clone())
            }
            Address::Stdio => Kind::Single(Some(Stream::stdio()?), Address::Stdio),
            Address::Fd { recv, send } => {
                Kind::Single(Some(Stream::inherited(*recv, *send)?), address.clone())
            }
            Address::Systemd(name) => match Passed::new(listening_socket(name.as_deref())?, Some(address))? {
                Passed::Tcp(listener, address) => Kind::Tcp(listener, address),
                Passed::Unix(listener, address) => Kind::Unix(listener, address),
            },
            Address::Exec(_) | Address::Ssh(_) => {
                let text = "a command can be connected to, not listened at";
                return Err(io::Error::new(io::ErrorKind::Unsupported, text));
            }
        };
        Ok(Self { kind, _file: file })
    }

    /// Where it waits, with the port that was picked.
    #[must_use]
    pub fn local_address(&self) -> Address {
        match &self.kind {
            Kind::Tcp(_, address) | Kind::Unix(_, address) | Kind::Single(_, address) => address.clone(),
        }
    }

    /// The next stream; nothing when there will be no more, as after the only one of `stdio:` or `fd:`.
    ///
    /// # Errors
    ///
    /// When this machine has no descriptor or no memory for it: pause, and call again. A peer that went away meanwhile
    /// is no error. On a thread of an async runtime.
    pub fn accept(&mut self) -> io::Result<Option<Stream>> {
        may_block().map_err(|refused: InsideRuntime| io::Error::other(refused))?;
        loop {
            let accepted = match &mut self.kind {
                Kind::Tcp(listener, _) => listener.accept().and_then(|(stream, _)| Stream::tcp(stream)),
                Kind::Unix(listener, _) => listener.accept().map(|(stream, _)| Stream::unix(stream)),
                Kind::Single(stream, _) => return Ok(stream.take()),
            };
            match accepted {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) if is_the_peers(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Serves each peer that comes with a connection that `builder` makes, for ever; at `stdio:` and `fd:`, until the only
    /// connection has ended. Handlers find the [`Peer`](crate::Peer) in the connection's extensions.
    ///
    /// What becomes of one connection does not touch the others. How many there are is not limited. A peer for which
    /// this machine has no thread is let go.
    ///
    /// # Errors
    ///
    /// When no stream can be had any more; at `stdio:` and `fd:`, when the connection fails. On a thread of an async runtime.
    pub fn serve(mut self, builder: impl Fn() -> Builder) -> Result<(), ServeError> {
        may_block().map_err(SpawnError::from)?;
        loop {
            match self.accept() {
                Ok(Some(stream)) => {
                    let builder = builder().extension(stream.peer());
                    let work = move || serve_and_shut_down(builder, stream);
                    if let Kind::Single(..) = self.kind {
                        return work();
                    }
                    // What becomes of it is told to its observers.
                    let work = move || drop(work());
                    if thread::Builder::new().name("packetstream driver".into()).spawn(work).is_err() {
                        thread::sleep(PAUSE);
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) if is_scarcity(&error) => thread::sleep(PAUSE),
                Err(error) => return Err(ServeError::Accept(error)),
            }
        }
    }
}

fn serve_and_shut_down(builder: Builder, stream: Stream) -> Result<(), ServeError> {
    let ended = serve(builder, stream)?;
    // The peer has said its last, or is past telling: there is nobody to report an error to.
    let _ = ended.transport.map(Transport::shut_down);
    Ok(ended.report.result?)
}

/// Removes the socket of a listener that is no more: one that nobody answers at. Connecting to a file that is no socket
/// is refused, too; that is not ours to remove.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    match UnixStream::connect(path) {
        Err(error) if is_socket && error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Ok(()),
    }
}
