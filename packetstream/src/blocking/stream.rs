//! One byte stream, whatever it is made of.

use super::child::{Child, Leash};
use crate::transport::{Taken, duplicate};
use crate::{Address, AddressError, Peer, TcpOptions};
use packetstream_core::PacketConnection;
use packetstream_core::blocking::{Half, SpawnError, Transport, may_block, spawn};
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long opening a TCP connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A byte stream to a peer, for connections on threads: as [`Stream`](crate::Stream).
pub struct Stream {
    reader: StreamReader,
    writer: StreamWriter,
}

/// What a [`Stream`] is read from.
pub struct StreamReader {
    source: Source,
    peer: Peer,
}

/// What a [`Stream`] is written to.
pub struct StreamWriter {
    sink: Sink,
}

enum Source {
    Tcp(Half<TcpStream>),
    Unix(Half<UnixStream>),
    Other(Box<dyn Read + Send>),
}

enum Sink {
    Tcp(Half<TcpStream>),
    Unix(Half<UnixStream>),
    Child(Leash),
    Other(Box<dyn Write + Send>),
}

/// Why there is no connection to an address.
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
    /// No connection can be had on this thread, or on this machine.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

/// Connects to the peer at an address, as a side that only asks, and makes the client `C` of it.
///
/// A side that also answers takes its [`Stream::connect`] to [`spawn`].
///
/// # Errors
///
/// When the text is no address, or the peer cannot be reached; on a thread of an async runtime.
pub fn connect<C: From<PacketConnection>>(address: &str) -> Result<C, ConnectError> {
    let stream = Stream::connect(&address.parse()?)?;
    let builder = PacketConnection::builder().extension(stream.peer());
    Ok(PacketConnection::from(spawn(builder, stream)?).into())
}

impl Stream {
    /// Makes one of something to read from and something to write to.
    pub fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Self {
        let writer = StreamWriter { sink: Sink::Other(Box::new(writer)) };
        Self::of(Peer::Other, StreamReader::other(reader), writer)
    }

    pub(super) fn of(peer: Peer, reader: StreamReader, writer: StreamWriter) -> Self {
        Self { reader: StreamReader { peer, ..reader }, writer }
    }

    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        TcpOptions::default().set(&stream)?;
        let peer = Peer::Tcp(stream.peer_addr()?);
        let (reader, writer) = stream.split();
        Ok(Self {
            reader: StreamReader { source: Source::Tcp(reader), peer },
            writer: StreamWriter { sink: Sink::Tcp(writer) },
        })
    }

    pub(super) fn unix(stream: UnixStream) -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let credentials = rustix::net::sockopt::socket_peercred(&stream).ok().map(Into::into);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let credentials = None;
        let (reader, writer) = stream.split();
        Self {
            reader: StreamReader { source: Source::Unix(reader), peer: Peer::Unix(credentials) },
            writer: StreamWriter { sink: Sink::Unix(writer) },
        }
    }

    /// Descriptors 0 and 1 of this program, which have to be in blocking mode. What `std::io::stdin` has buffered
    /// before is not part of it. Nothing else of the program can touch them until the stream is dropped: see
    /// [`Address`].
    ///
    /// # Errors
    ///
    /// When another stream has them, or this machine has no descriptors.
    pub fn stdio() -> io::Result<Self> {
        let taken = Taken::take()?;
        let (input, output) = taken.duplicates()?;
        let writer = Stdout { output: output.into(), _taken: taken };
        let writer = StreamWriter { sink: Sink::Other(Box::new(writer)) };
        Ok(Self::of(Peer::Stdio, StreamReader::other(File::from(input)), writer))
    }

    /// Duplicates of descriptors with these numbers, in blocking mode.
    pub(super) fn inherited(recv: u32, send: u32) -> io::Result<Self> {
        Ok(Self::new(File::from(duplicate(recv)?), File::from(duplicate(send)?)))
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> Peer {
        self.reader.peer
    }

    /// Opens a stream to an address.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, over TCP within 20 s once its name is resolved; on a thread of an async runtime.
    pub fn connect(address: &Address) -> Result<Self, ConnectError> {
        may_block().map_err(SpawnError::from)?;
        match address {
            Address::Tcp(host_and_port) => connect_tcp(host_and_port).and_then(Self::tcp),
            Address::Unix(path) => UnixStream::connect(path).map(Self::unix),
            Address::Stdio => Self::stdio(),
            Address::Exec(words) => {
                let mut words = words.iter();
                let mut command = Command::new(words.next().map_or("", String::as_str));
                command.args(words);
                Child::spawn(command).map(|(stream, _)| stream)
            }
            Address::Ssh(ssh) => {
                let command = ssh.to_command().map(tokio::process::Command::into_std);
                command.and_then(Child::spawn).map(|(stream, _)| stream)
            }
            Address::Fd { recv, send } => Self::inherited(*recv, *send),
            Address::Systemd(_) => {
                let text = "a socket of systemd can be listened at, not connected to";
                Err(io::Error::new(io::ErrorKind::Unsupported, text))
            }
        }
        .map_err(|source| ConnectError::Io { address: address.clone(), source })
    }
}

/// Connects to the first of the host's addresses that answers.
fn connect_tcp(host_and_port: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    for address in host_and_port.to_socket_addrs()? {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Standard output, for as long as it is ours.
struct Stdout {
    output: File,
    _taken: Taken,
}

impl Write for Stdout {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.output.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.output.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Transport for Stream {
    type Reader = StreamReader;
    type Writer = StreamWriter;

    fn split(self) -> (StreamReader, StreamWriter) {
        (self.reader, self.writer)
    }

    fn join(reader: StreamReader, writer: StreamWriter) -> Option<Self> {
        Some(Self { reader, writer })
    }

    fn interrupt(reader: &StreamReader, writer: &StreamWriter) -> Option<Box<dyn FnOnce() + Send>> {
        match (&reader.source, &writer.sink) {
            (Source::Tcp(reader), Sink::Tcp(writer)) => TcpStream::interrupt(reader, writer),
            (Source::Unix(reader), Sink::Unix(writer)) => UnixStream::interrupt(reader, writer),
            (_, Sink::Child(leash)) => {
                let leash = leash.clone();
                Some(Box::new(move || drop(leash.shut_down())))
            }
            _ => None,
        }
    }

    fn shut_down(self) -> io::Result<()> {
        match (self.reader.source, self.writer.sink) {
            (Source::Tcp(reader), Sink::Tcp(writer)) => {
                TcpStream::join(reader, writer).map_or(Ok(()), Transport::shut_down)
            }
            (Source::Unix(reader), Sink::Unix(writer)) => {
                UnixStream::join(reader, writer).map_or(Ok(()), Transport::shut_down)
            }
            (output, Sink::Child(leash)) => {
                // A child that says more than we listen to must not wait for us.
                drop(output);
                leash.shut_down()
            }
            _ => Ok(()),
        }
    }
}

impl StreamReader {
    pub(super) fn other(reader: impl Read + Send + 'static) -> Self {
        Self { source: Source::Other(Box::new(reader)), peer: Peer::Other }
    }
}

impl StreamWriter {
    pub(super) fn child(leash: Leash) -> Self {
        Self { sink: Sink::Child(leash) }
    }

    fn sink(&mut self) -> &mut dyn Write {
        match &mut self.sink {
            Sink::Tcp(half) => half,
            Sink::Unix(half) => half,
            Sink::Child(leash) => leash,
            Sink::Other(writer) => writer,
        }
    }
}

impl Read for StreamReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::Tcp(half) => half.read(buf),
            Source::Unix(half) => half.read(buf),
            Source::Other(reader) => reader.read(buf),
        }
    }
}

impl Write for StreamWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.sink().write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.sink().write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink().flush()
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.writer.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.writer.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("peer", &self.peer()).finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamWriter").finish_non_exhaustive()
    }
}
