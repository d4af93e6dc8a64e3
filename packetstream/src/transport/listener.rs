//! Waiting for peers.

use super::address::Address;
use super::peer::Peer;
use super::serve::Failed;
use super::stream::Stream;
use super::tcp::TcpOptions;
use super::{inherited, stdio};
use packetstream_core::CloseReport;
use rustix::io::Errno;
use rustix::net::{AddressFamily, getsockname, sockopt};
use std::fmt;
use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{TcpListener, UnixListener, UnixStream};

/// Waits for peers at an address.
pub struct Listener {
    /// Nothing if the socket is somebody else's. Dropped before the socket, so that nobody finds a file that nobody
    /// listens at, takes it for a stale one, and loses the socket that takes its place.
    _file: Option<SocketFile>,
    kind: Kind,
    pub(super) failed: Option<Failed>,
    /// Of the TCP streams that it accepts.
    tcp: TcpOptions,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener, Address),
    Unix(UnixListener, Address),
    /// The one stream, until it is taken.
    Single(Option<Stream>, Address),
}

impl Listener {
    /// Starts to wait at an address.
    ///
    /// # Errors
    ///
    /// When the address is taken, not ours, or one that cannot be listened at (`exec:`, `ssh:`).
    pub async fn bind(address: &Address) -> io::Result<Self> {
        let mut file = None;
        let kind = match address {
            Address::Tcp(host_and_port) => {
                let listener = TcpListener::bind(host_and_port).await?;
                let address = Address::Tcp(listener.local_addr()?.to_string());
                Kind::Tcp(listener, address)
            }
            Address::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                file = Some(SocketFile::at(path)?);
                Kind::Unix(listener, address.clone())
            }
            Address::Stdio => Kind::Single(Some(stdio::stream()?), Address::Stdio),
            Address::Fd { recv, send } => {
                Kind::Single(Some(Stream::inherited(*recv, *send)?), address.clone())
            }
            Address::Systemd(name) => passed(inherited::listening_socket(name.as_deref())?, Some(address))?,
            Address::Exec(_) | Address::Ssh(_) => {
                let text = "a command can be connected to, not listened at";
                return Err(io::Error::new(io::ErrorKind::Unsupported, text));
            }
        };
        Ok(Self { kind, _file: file, tcp: TcpOptions::default(), failed: None })
    }

    /// Waits at a socket that is listened at already: a [`std::net::TcpListener`], a
    /// [`std::os::unix::net::UnixListener`], or a descriptor of one. It becomes non-blocking; the file of a Unix socket
    /// is left to whoever made it.
    ///
    /// # Errors
    ///
    /// When it is no such socket, or a Unix socket without a path.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn from_fd(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        Ok(Self { kind: passed(socket.into(), None)?, _file: None, tcp: TcpOptions::default(), failed: None })
    }

    /// Has `failed` hear of each connection that [`serve`](Self::serve) has accepted and that fails, once its stream is shut
    /// down. With the feature `tracing` each is an event of its connection, too, at level `WARN`.
    #[must_use]
    pub fn on_failed(self, failed: impl Fn(Peer, &CloseReport) + Send + Sync + 'static) -> Self {
        Self { failed: Some(Arc::new(failed)), ..self }
    }

    /// Sets how the TCP streams behave that it accepts from now on. Default: [`TcpOptions::default`].
    #[must_use]
    pub fn tcp_options(self, options: TcpOptions) -> Self {
        Self { tcp: options, ..self }
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
    /// When this machine has no descriptor or no memory for it: pause, and call again. A peer that went
    /// away meanwhile is no error.
    ///
    /// # Cancel safety
    ///
    /// Safe: no stream is lost.
    pub async fn accept(&mut self) -> io::Result<Option<Stream>> {
        loop {
            let accepted = match &mut self.kind {
                Kind::Tcp(listener, _) => {
                    listener.accept().await.and_then(|(stream, _)| Stream::tcp(stream, self.tcp))
                }
                Kind::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::unix(stream)),
                Kind::Single(stream, _) => return Ok(stream.take()),
            };
            match accepted {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) if is_the_peers(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A socket that somebody else listens at already, and its address.
pub(crate) enum Passed {
    Tcp(StdTcpListener, Address),
    Unix(StdUnixListener, Address),
}

impl Passed {
    /// Looks at a socket; `asked` stands for the address of one that has none.
    pub(crate) fn new(socket: OwnedFd, asked: Option<&Address>) -> io::Result<Self> {
        let unfit = |text| io::Error::new(io::ErrorKind::InvalidInput, text);
        #[cfg(not(target_vendor = "apple"))]
        if !sockopt::socket_acceptconn(&socket)? {
            return Err(unfit("nobody listens at the socket"));
        }
        match getsockname(&socket)?.address_family() {
            AddressFamily::INET | AddressFamily::INET6 => {
                let listener = StdTcpListener::from(socket);
                let address = Address::Tcp(listener.local_addr()?.to_string());
                Ok(Self::Tcp(listener, address))
            }
            AddressFamily::UNIX => {
                let listener = StdUnixListener::from(socket);
                let path = listener.local_addr()?.as_pathname().map(|path| Address::Unix(path.into()));
                let address =
                    path.or_else(|| asked.cloned()).ok_or_else(|| unfit("the socket has no path"))?;
                Ok(Self::Unix(listener, address))
            }
            _ => Err(unfit("the socket is one of neither TCP nor Unix")),
        }
    }
}

/// For a runtime: it becomes non-blocking.
fn passed(socket: OwnedFd, asked: Option<&Address>) -> io::Result<Kind> {
    match Passed::new(socket, asked)? {
        Passed::Tcp(listener, address) => {
            listener.set_nonblocking(true)?;
            Ok(Kind::Tcp(TcpListener::from_std(listener)?, address))
        }
        Passed::Unix(listener, address) => {
            listener.set_nonblocking(true)?;
            Ok(Kind::Unix(UnixListener::from_std(listener)?, address))
        }
    }
}

/// Whether accepting failed because of the peer or the way to it, and not because of this machine.
pub(crate) fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    // Linux has accepting fail with what is wrong with the network; a firewall with the last.
    let network =
        [Errno::NETDOWN, Errno::NETUNREACH, Errno::HOSTDOWN, Errno::HOSTUNREACH, Errno::PROTO, Errno::PERM];
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected)
        || Errno::from_io_error(error).is_some_and(|errno| network.contains(&errno))
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("kind", &self.kind).finish_non_exhaustive()
    }
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

/// Removed on drop, unless it was replaced.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode, which are no other file's as long as the socket is open.
    identity: (u64, u64),
}

impl SocketFile {
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.into(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may have been removed by hand, and be that of another listener by now.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}
