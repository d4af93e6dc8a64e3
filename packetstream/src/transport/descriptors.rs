//! Descriptors as streams: pipes, sockets, terminals and files.
//!
//! Pipes and sockets are polled by the runtime. They have to be non-blocking for that, which is a
//! property that all holders of such a descriptor share, the parent's terminal session maybe: it is put
//! back when the stream is dropped. Terminals and files cannot be polled; a thread carries their bytes.

use super::peer::Peer;
use super::stream::Stream;
use super::tcp::TcpOptions;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{AddressFamily, SocketType, getsockname, sockopt};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::TcpStream as StdTcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;

/// One descriptor to read from and another to write to.
pub(super) fn pair(peer: Peer, recv: OwnedFd, send: OwnedFd) -> io::Result<Stream> {
    // Both are looked at before either is changed: they may be one and the same.
    let flags = [Flags::of(&recv)?, Flags::of(&send)?];
    if flags[0].mode() == OFlags::WRONLY {
        return Err(unfit("the descriptor to receive from is not open for reading"));
    }
    if flags[1].mode() == OFlags::RDONLY {
        return Err(unfit("the descriptor to send to is not open for writing"));
    }
    let stream = tokio::io::join(reader(recv)?, writer(send)?);
    Ok(Stream::to(peer, stream).with_guard(flags))
}

/// One descriptor for both directions.
pub(super) fn both_ways(descriptor: OwnedFd) -> io::Result<Stream> {
    if !is_socket(&descriptor)? {
        return pair(Peer::Other, descriptor.try_clone()?, descriptor);
    }
    let flags = Flags::of(&descriptor)?;
    let stream = match getsockname(&descriptor)?.address_family() {
        AddressFamily::UNIX => Stream::unix(socket(descriptor)?),
        AddressFamily::INET | AddressFamily::INET6 => Stream::tcp(tcp(descriptor)?, TcpOptions::default())?,
        _ => Stream::to(Peer::Other, socket(descriptor)?),
    };
    Ok(stream.with_guard(flags))
}

fn is_socket(descriptor: &OwnedFd) -> io::Result<bool> {
    Ok(File::from(descriptor.try_clone()?).metadata()?.file_type().is_socket())
}

fn unfit(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// The status flags of a descriptor, put back on drop.
struct Flags {
    descriptor: OwnedFd,
    flags: OFlags,
}

impl Flags {
    fn of(descriptor: &OwnedFd) -> io::Result<Self> {
        let descriptor = descriptor.try_clone()?;
        let flags = fcntl_getfl(&descriptor)?;
        Ok(Self { descriptor, flags })
    }

    /// Whether it is open for reading, writing or both.
    fn mode(&self) -> OFlags {
        self.flags & OFlags::RWMODE
    }
}

impl Drop for Flags {
    fn drop(&mut self) {
        // The descriptor is open, and the flags are those it had: this cannot fail.
        let _ = fcntl_setfl(&self.descriptor, self.flags);
    }
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

fn reader(descriptor: OwnedFd) -> io::Result<Reader> {
    let file = File::from(descriptor);
    let kind = file.metadata()?.file_type();
    if kind.is_fifo() {
        return Ok(Box::new(pipe::Receiver::from_owned_fd(file.into())?));
    }
    if kind.is_socket() {
        return Ok(Box::new(socket(file.into())?));
    }
    Ok(Box::new(Carried::start("receive", |far| carry(file, far))?))
}

fn writer(descriptor: OwnedFd) -> io::Result<Writer> {
    let file = File::from(descriptor);
    let kind = file.metadata()?.file_type();
    if kind.is_fifo() {
        return Ok(Box::new(pipe::Sender::from_owned_fd(file.into())?));
    }
    if kind.is_socket() {
        return Ok(Box::new(socket(file.into())?));
    }
    Ok(Box::new(Carried::start("send", |far| carry(far, file))?))
}

/// A stream socket of any family: reading and writing do not depend on it.
fn socket(descriptor: OwnedFd) -> io::Result<UnixStream> {
    is_stream(&descriptor)?;
    nonblocking(descriptor.into())
}

fn tcp(descriptor: OwnedFd) -> io::Result<TcpStream> {
    is_stream(&descriptor)?;
    let stream = StdTcpStream::from(descriptor);
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

fn is_stream(descriptor: &OwnedFd) -> io::Result<()> {
    match sockopt::socket_type(descriptor)? {
        SocketType::STREAM => Ok(()),
        _ => Err(unfit("the socket is one of datagrams, not of a stream")),
    }
}

fn nonblocking(stream: StdUnixStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

fn carry(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.flush()
}

/// An input or output whose bytes a thread carries. An output is shut down once the thread has carried everything.
struct Carried {
    near: UnixStream,
    /// Nothing once it was noticed.
    carried: Option<oneshot::Receiver<io::Result<()>>>,
}

impl Carried {
    /// Has a thread of this name carry bytes from or to the far end of a socket.
    fn start(
        name: &str,
        carry: impl FnOnce(&StdUnixStream) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (near, far) = StdUnixStream::pair()?;
        let near = nonblocking(near)?;
        let (done, carried) = oneshot::channel();
        thread::Builder::new().name(name.into()).spawn(move || {
            // Nobody listens if the stream was dropped.
            let _ = done.send(carry(&far));
        })?;
        Ok(Self { near, carried: Some(carried) })
    }

    /// How the thread has ended, which is told once.
    fn poll_carried(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(carried) = &mut self.carried else { return Poll::Ready(Ok(())) };
        let result = ready!(Pin::new(carried).poll(cx));
        self.carried = None;
        Poll::Ready(result.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())))
    }
}

impl AsyncRead for Carried {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.remaining();
        ready!(Pin::new(&mut self.near).poll_read(cx, buf))?;
        if before == 0 || buf.remaining() < before {
            return Poll::Ready(Ok(()));
        }
        // The thread brings no more; it knows whether that is the end of the input.
        self.poll_carried(cx)
    }
}

impl AsyncWrite for Carried {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.near).poll_write(cx, buf)) {
            // The thread takes no more, and knows why.
            Err(error) => Poll::Ready(Err(ready!(self.poll_carried(cx)).err().unwrap_or(error))),
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.near).poll_shutdown(cx))?;
        self.poll_carried(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom};
    use std::os::fd::AsFd;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A stream over duplicates of two descriptors, which stay the test's.
    fn over(recv: impl AsFd, send: impl AsFd) -> io::Result<Stream> {
        let owned = [recv.as_fd(), send.as_fd()].map(|descriptor| descriptor.try_clone_to_owned().unwrap());
        let [recv, send] = owned;
        pair(Peer::Other, recv, send)
    }

    fn is_blocking(descriptor: impl AsFd) -> bool {
        !fcntl_getfl(descriptor).unwrap().contains(OFlags::NONBLOCK)
    }

    #[tokio::test]
    async fn pipes_are_polled_and_given_back_blocking() {
        let (mut write_in, stdin, stdout, mut read_out) = {
            let (stdin, write_in) = io::pipe().unwrap();
            let (read_out, stdout) = io::pipe().unwrap();
            (write_in, stdin, stdout, read_out)
        };
        let mut stream = over(&stdin, &stdout).unwrap();
        assert!(!is_blocking(&stdin) && !is_blocking(&stdout));

        write_in.write_all(b"ping").unwrap();
        let mut got = [0; 4];
        stream.read_exact(&mut got).await.unwrap();
        stream.write_all(&got).await.unwrap();
        let mut back = [0; 4];
        read_out.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"ping");

        drop(stream);
        assert!(is_blocking(&stdin) && is_blocking(&stdout));
    }

    #[tokio::test]
    async fn one_socket_for_both_directions_is_given_back_blocking() {
        let (ours, mut peer) = StdUnixStream::pair().unwrap();
        let mut stream = over(&ours, &ours).unwrap();
        peer.write_all(b"ping").unwrap();
        let mut got = [0; 4];
        stream.read_exact(&mut got).await.unwrap();
        stream.write_all(&got).await.unwrap();
        peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"ping");
        drop(stream);
        assert!(is_blocking(&ours));
    }

    #[tokio::test]
    async fn files_are_carried_whole_before_shutting_down() {
        let mut input = tempfile::tempfile().unwrap();
        input.write_all(b"from a file").unwrap();
        input.seek(SeekFrom::Start(0)).unwrap();
        let mut output = tempfile::tempfile().unwrap();

        let mut stream = over(&input, &output).unwrap();
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.unwrap();
        stream.write_all(&got).await.unwrap();
        stream.shutdown().await.unwrap();
        stream.shutdown().await.unwrap();

        let mut written = String::new();
        output.seek(SeekFrom::Start(0)).unwrap();
        output.read_to_string(&mut written).unwrap();
        assert_eq!(written, "from a file");
    }

    #[tokio::test]
    async fn what_ails_a_file_is_told_in_its_own_words() {
        let bound = std::time::Duration::from_mins(1);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let directory = File::open("/").unwrap();
        let mut stream = over(&directory, &full).unwrap();
        let failing = async {
            let read = stream.read(&mut [0]).await.unwrap_err();
            assert_eq!(read.kind(), io::ErrorKind::IsADirectory);
            let written = loop {
                if let Err(error) = stream.write_all(b"more than there is room for").await {
                    break error;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(written.kind(), io::ErrorKind::StorageFull);
        };
        tokio::time::timeout(bound, failing).await.unwrap();
    }

    #[tokio::test]
    async fn a_socket_tells_who_is_at_its_other_end_and_is_given_back_blocking() {
        let (ours, mut peer) = StdUnixStream::pair().unwrap();
        let mut stream = both_ways(ours.as_fd().try_clone_to_owned().unwrap()).unwrap();
        assert!(matches!(stream.peer(), Peer::Unix(Some(_))), "{stream:?}");
        peer.write_all(b"ping").unwrap();
        let mut got = [0; 4];
        stream.read_exact(&mut got).await.unwrap();
        stream.write_all(&got).await.unwrap();
        peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"ping");
        assert!(!is_blocking(&ours));
        drop(stream);
        assert!(is_blocking(&ours));

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = StdTcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = both_ways(client.into()).unwrap();
        assert_eq!(stream.peer(), Peer::Tcp(listener.local_addr().unwrap()));
    }

    #[tokio::test]
    async fn descriptors_of_the_wrong_direction_or_kind_are_refused() {
        let (recv, send) = io::pipe().unwrap();
        let error = over(&send, &send).unwrap_err();
        assert_eq!(error.to_string(), "the descriptor to receive from is not open for reading");
        let error = over(&recv, &recv).unwrap_err();
        assert_eq!(error.to_string(), "the descriptor to send to is not open for writing");
        assert!(is_blocking(&recv) && is_blocking(&send), "and left as they were");

        let (datagrams, _other) = std::os::unix::net::UnixDatagram::pair().unwrap();
        let error = both_ways(datagrams.into()).unwrap_err();
        assert_eq!(error.to_string(), "the socket is one of datagrams, not of a stream");
    }
}
