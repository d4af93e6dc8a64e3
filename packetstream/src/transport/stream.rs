//! One byte stream, whatever it is made of.

use super::address::{Address, AddressError};
use super::child::Child;
use super::parts::Parts;
use super::peer::Peer;
use super::tcp::TcpOptions;
use super::{descriptors, inherited, stdio};
use crate::trace;
use packetstream_core::{Builder, PacketConnection};
use std::any::Any;
use std::future::Future;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, process::Stdio};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;

/// How long opening a stream may take. An address that swallows packets would take minutes.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A byte stream to a peer.
pub struct Stream {
    inner: Pin<Box<dyn Transport>>,
    /// Kept for as long as the stream is: what supervises it, or puts back what it changed.
    guard: Option<Box<dyn Any + Send>>,
    peer: Peer,
    /// What the handshake has told, within TLS.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<super::tls::Session>,
}

trait Transport: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Transport for T {}

/// Why there is no stream to an address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It cannot be reached.
    #[error("cannot connect to {address}")]
    Io {
        /// Where to.
        address: Address,
        /// Why not.
        source: io::Error,
    },
}

/// Connects to the peer at an address, as a side that only asks, and makes the client `C` of it.
///
/// A side that also answers takes its [`Stream::connect`] to a builder:
/// `C::from(PacketConnection::builder().handler(..).spawn(stream))`.
///
/// # Errors
///
/// When the text is no address, or the peer cannot be reached within 20 s.
pub async fn connect<C: From<PacketConnection>>(address: &str) -> Result<C, ConnectError> {
    let stream = Stream::connect(&address.parse()?).await?;
    Ok(stream.introduce(PacketConnection::builder()).spawn(stream).into())
}

impl Stream {
    /// Wraps a stream of any kind.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self::to(Peer::Other, stream)
    }

    /// A stream to a peer that is known.
    pub(super) fn to(peer: Peer, stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            inner: Box::pin(stream),
            guard: None,
            peer,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Wraps a TCP stream, which then behaves as the options say.
    ///
    /// # Errors
    ///
    /// When the system refuses an option, or the stream is not connected any more.
    pub fn tcp(stream: TcpStream, options: TcpOptions) -> io::Result<Self> {
        options.set(&stream)?;
        Ok(Self::to(Peer::Tcp(stream.peer_addr()?), stream))
    }

    pub(super) fn unix(stream: UnixStream) -> Self {
        Self::to(Peer::Unix(stream.peer_cred().ok().map(Into::into)), stream)
    }

    /// Keeps `guard` for as long as the stream, and then drops it, last.
    pub(super) fn with_guard(self, guard: impl Any + Send) -> Self {
        Self { guard: Some(Box::new((self.guard, guard))), ..self }
    }

    /// A stream over one descriptor for both directions: a socket, which tells who the [`peer`](Self::peer) is, a
    /// terminal, a device.
    ///
    /// The descriptor is closed when the stream is dropped. To keep one, give a
    /// [duplicate](std::os::fd::BorrowedFd::try_clone_to_owned) of it; what others share with it, whether it is
    /// non-blocking, is put back when the stream is dropped.
    ///
    /// Pipes and sockets are polled. The bytes of everything else are carried by threads; the one that reads is
    /// ahead of what is asked for, and one that waits for a terminal goes on to do so when the stream is dropped.
    ///
    /// # Errors
    ///
    /// When it is a socket of datagrams, or not open for reading and writing.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn from_fd(descriptor: impl Into<OwnedFd>) -> io::Result<Self> {
        descriptors::both_ways(descriptor.into())
    }

    /// A stream over two descriptors, one to receive from and one to send to, each a pipe, a socket, a terminal or a
    /// file, which are treated as by [`from_fd`](Self::from_fd).
    ///
    /// Whoever reads from the other end of a pipe sees it end when the stream is dropped.
    ///
    /// # Errors
    ///
    /// When one is a socket of datagrams, or not open for reading or writing, whichever it is for.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn from_fds(recv: impl Into<OwnedFd>, send: impl Into<OwnedFd>) -> io::Result<Self> {
        descriptors::pair(Peer::Other, recv.into(), send.into())
    }

    /// A stream of a reader and a writer that were opened together. `shutdown` is called once: when the stream has been
    /// shut down, whether or not that went well, or when it is dropped before.
    pub fn from_parts(
        recv: impl AsyncRead + Send + 'static,
        send: impl AsyncWrite + Send + 'static,
        shutdown: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self::new(Parts::new(recv, send, shutdown))
    }

    /// A stream over descriptors with these numbers, of which this program keeps the originals.
    pub(super) fn inherited(recv: u32, send: u32) -> io::Result<Self> {
        if recv == send {
            return Self::from_fd(inherited::duplicate(recv)?);
        }
        Self::from_fds(inherited::duplicate(recv)?, inherited::duplicate(send)?)
    }

    /// Two ends of a stream in memory that holds `buffer` bytes in each direction.
    #[must_use]
    pub fn pair(buffer: usize) -> (Self, Self) {
        let (here, there) = tokio::io::duplex(buffer);
        (Self::to(Peer::Memory, here), Self::to(Peer::Memory, there))
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> Peer {
        self.peer
    }

    /// Has a connection's extensions and its span tell who is at the other end.
    pub(crate) fn introduce(&self, builder: Builder) -> Builder {
        let builder = trace::peer(builder.extension(self.peer), self.peer);
        #[cfg(feature = "tls")]
        if let Some(session) = &self.tls {
            return builder.extension(session.clone());
        }
        builder
    }

    /// Opens a stream to an address.
    ///
    /// # Errors
    ///
    /// When it cannot be reached within 20 s. What becomes of a program that was started, as `ssh` when it reaches
    /// nobody, is told by the stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn connect(address: &Address) -> Result<Self, ConnectError> {
        match address {
            Address::Tcp(host_and_port) => {
                in_time(async { Self::tcp(TcpStream::connect(host_and_port).await?, TcpOptions::default()) })
                    .await
            }
            Address::Unix(path) => in_time(async { UnixStream::connect(path).await.map(Self::unix) }).await,
            Address::Stdio => stdio::stream(),
            Address::Exec(words) => Child::spawn(command(words)).map(|(stream, _)| stream),
            Address::Ssh(ssh) => ssh.spawn().map(|(stream, _)| stream),
            Address::Fd { recv, send } => Self::inherited(*recv, *send),
            Address::Systemd(_) => {
                let text = "a socket of systemd can be listened at, not connected to";
                Err(io::Error::new(io::ErrorKind::Unsupported, text))
            }
        }
        .map_err(|source| ConnectError::Io { address: address.clone(), source })
    }
}

async fn in_time(attempt: impl Future<Output = io::Result<Stream>>) -> io::Result<Stream> {
    match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer for {CONNECT_TIMEOUT:?}"))),
    }
}

fn command(words: &[String]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().map_or("", String::as_str));
    command.args(words).stderr(Stdio::inherit());
    command
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inner.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.as_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("peer", &self.peer)
            .field("guarded", &self.guard.is_some())
            .finish_non_exhaustive()
    }
}
