//! This program's own standard input and output as a stream.
//!
//! Pipes and sockets are polled by the runtime. They have to be non-blocking for that, which is a
//! property that all holders of such a descriptor share, the parent's terminal session maybe: it is put
//! back when the stream is dropped. Terminals and files cannot be polled; a thread carries their bytes.

use super::peer::Peer;
use super::stream::Stream;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

/// Descriptors 0 and 1 as a stream. What `std::io::stdin` has buffered before is not part of it.
pub(super) fn stream() -> io::Result<Stream> {
    let (input, output) = (io::stdin(), io::stdout());
    over(input.as_fd(), output.as_fd())
}

/// A stream over duplicates of two descriptors, which stay the caller's.
fn over(input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<Stream> {
    // Both are looked at before either is changed: they may be one and the same.
    let flags = [Flags::of(input)?, Flags::of(output)?];
    let stream = tokio::io::join(reader(input.try_clone_to_owned()?)?, writer(output.try_clone_to_owned()?)?);
    Ok(Stream::to(Peer::Stdio, stream).with_guard(flags))
}

/// The status flags of a descriptor, put back on drop.
struct Flags {
    descriptor: OwnedFd,
    flags: OFlags,
}

impl Flags {
    fn of(descriptor: BorrowedFd<'_>) -> io::Result<Self> {
        let descriptor = descriptor.try_clone_to_owned()?;
        let flags = fcntl_getfl(&descriptor)?;
        Ok(Self { descriptor, flags })
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
    let (near, far) = StdUnixStream::pair()?;
    thread::Builder::new().name("stdin".into()).spawn(move || carry(file, &far))?;
    Ok(Box::new(nonblocking(near)?))
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
    let (near, far) = StdUnixStream::pair()?;
    let (done, carried) = oneshot::channel();
    thread::Builder::new().name("stdout".into()).spawn(move || {
        // Nobody listens if the stream was dropped.
        let _ = done.send(carry(far, file));
    })?;
    Ok(Box::new(Carried { near: nonblocking(near)?, carried: Some(carried) }))
}

/// A stream socket of any family: reading and writing do not depend on it.
fn socket(descriptor: OwnedFd) -> io::Result<UnixStream> {
    nonblocking(descriptor.into())
}

fn nonblocking(stream: StdUnixStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

fn carry(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.flush()
}

/// An output that a thread carries on; it is shut down once the thread has carried everything.
struct Carried {
    near: UnixStream,
    /// Nothing once it was noticed.
    carried: Option<oneshot::Receiver<io::Result<()>>>,
}

impl AsyncWrite for Carried {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.near).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.near).poll_shutdown(cx))?;
        let Some(carried) = &mut self.carried else { return Poll::Ready(Ok(())) };
        let result = ready!(Pin::new(carried).poll(cx));
        self.carried = None;
        Poll::Ready(result.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        let mut stream = over(stdin.as_fd(), stdout.as_fd()).unwrap();
        assert!(!is_blocking(&stdin) && !is_blocking(&stdout));
        assert_eq!(stream.peer(), Peer::Stdio);

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
        let mut stream = over(ours.as_fd(), ours.as_fd()).unwrap();
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

        let mut stream = over(input.as_fd(), output.as_fd()).unwrap();
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
}
