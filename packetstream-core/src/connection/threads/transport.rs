//! Byte streams that one thread reads while another writes.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A byte stream that one thread reads while another writes, with blocking calls.
///
/// It is one of
///
/// * `TcpStream` and `UnixStream` of the standard library,
/// * a pair of anything to read from and anything to write to: pipes, files, a child's standard output and input,
///   [`std::io::stdin`] and [`std::io::stdout`], two sockets,
/// * a type of your own.
///
/// Descriptors have to be in blocking mode, which is how the standard library makes them; sockets are put into it.
///
/// A thread that waits in a read or a write can only be called back by the stream itself. Sockets are shut down when
/// their connection has failed, which does that. With a pair nothing does: if its connection ends before the peer has
/// said its last, the thread that still waits is left behind with its half, until the peer sends something or goes;
/// the connection has ended all the same.
pub trait Transport: Send + Sized + 'static {
    /// What is read from.
    type Reader: Read + Send + 'static;
    /// What is written to, and flushed whenever no more is to be written at once.
    type Writer: Write + Send + 'static;

    /// Takes it apart.
    fn split(self) -> (Self::Reader, Self::Writer);

    /// Puts it together again; nothing if these two do not belong together.
    fn join(reader: Self::Reader, writer: Self::Writer) -> Option<Self>;

    /// What makes reads and writes that wait return, or fail, for good. It is called from another thread than they,
    /// once and only when the connection has failed, and may take some seconds. Nothing where that cannot be done.
    fn interrupt(reader: &Self::Reader, writer: &Self::Writer) -> Option<Box<dyn FnOnce() + Send>> {
        let _ = (reader, writer);
        None
    }

    /// Shuts it down when a connection that was spawned has ended.
    ///
    /// # Errors
    ///
    /// What went wrong: see [`CloseReport::shut_down`](crate::CloseReport::shut_down).
    fn shut_down(self) -> io::Result<()> {
        Ok(())
    }
}

impl<R, W> Transport for (R, W)
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    type Reader = R;
    type Writer = W;

    fn split(self) -> (R, W) {
        self
    }

    fn join(reader: R, writer: W) -> Option<Self> {
        Some((reader, writer))
    }
}

/// One direction of a socket. Both share one descriptor.
pub struct Half<S>(Arc<S>);

impl<S> Half<S> {
    fn pair(socket: S) -> (Self, Self) {
        let socket = Arc::new(socket);
        (Self(Arc::clone(&socket)), Self(socket))
    }

    fn join(self, other: Self) -> Option<S> {
        drop(other);
        Arc::into_inner(self.0)
    }
}

impl<S> Read for Half<S>
where
    for<'a> &'a S: Read,
{
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buf)
    }
}

impl<S> Write for Half<S>
where
    for<'a> &'a S: Write,
{
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self.0).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self.0).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

impl<S> fmt::Debug for Half<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Half")
    }
}

macro_rules! sockets {
    ($($(#[$attribute:meta])* $socket:ty),*) => {$(
        $(#[$attribute])*
        impl Transport for $socket {
            type Reader = Half<Self>;
            type Writer = Half<Self>;

            fn split(self) -> (Self::Reader, Self::Writer) {
                // One that cannot be is broken, which reading tells.
                let _ = self.set_nonblocking(false);
                Half::pair(self)
            }

            fn join(reader: Self::Reader, writer: Self::Writer) -> Option<Self> {
                reader.join(writer)
            }

            fn interrupt(reader: &Self::Reader, _: &Self::Writer) -> Option<Box<dyn FnOnce() + Send>> {
                let socket = Arc::clone(&reader.0);
                // A socket that cannot be shut down has ended, and keeps nobody waiting.
                Some(Box::new(move || drop(socket.shutdown(Shutdown::Both))))
            }

            fn shut_down(self) -> io::Result<()> {
                match self.shutdown(Shutdown::Write) {
                    // The peer was faster.
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
                    result => result,
                }
            }
        }
    )*};
}

sockets! {
    TcpStream,
    #[cfg(unix)]
    UnixStream
}
