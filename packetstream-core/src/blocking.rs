//! Connections for programs without a runtime: the same protocol, limits, handlers and verbs, on plain threads.
//!
//! [`spawn`], [`build`] and [`serve`] do what the methods of [`Builder`] of the same names do, over a [`Transport`]:
//! a socket of the standard library, or a pair of something to read from and something to write to.
//!
//! ```
//! use packetstream_core::{Incoming, PacketConnection, Reply, blocking};
//! use std::os::unix::net::UnixStream;
//! use std::thread;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (here, there) = UnixStream::pair()?;
//! let echo = async |request: Incoming| Ok(Reply::from((request.flags, request.payload)));
//! let builder = PacketConnection::builder().handler(echo);
//! let peer = thread::spawn(move || blocking::serve(builder, there));
//!
//! let connection = blocking::spawn(PacketConnection::builder(), here)?;
//! let reply = connection.call(1, 0x11, "ping")?;
//! assert_eq!((reply.flags, &reply.payload[..]), (0x11, &b"ping"[..]));
//!
//! connection.close();
//! connection.closed()?.result?;
//! assert!(peer.join().unwrap()?.report.result.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! # Handlers
//!
//! Handlers are the same [`Handler`]s. Each future has a thread to itself, up to
//! [`Builder::handler_threads`] of them, and may block it. There is no tokio runtime: what needs one panics, which is
//! a failure of that request; the synchronisation primitives of tokio work. When the connection has ended, futures that
//! wait are dropped; one that blocks goes on until it returns, and can look at
//! [`Incoming::is_cancelled`](crate::Incoming::is_cancelled).
//!
//! # Inside a runtime
//!
//! Whatever would block a thread of a tokio runtime, also one of its `spawn_blocking`, is refused with an error: before
//! anything is sent, but for [`Call::wait`] of a request that is on its way already. From other threads one can also
//! wait for a connection that a runtime drives: each handle converts to the other.

use crate::connection::{self, Builder, Call, CallError, CloseReport, Extensions, Handler, NotSent, Stats};
use crate::outcome::Reply;
use crate::sync::thread;
use bytes::Bytes;
use std::future::Future;

pub use crate::connection::park::{InsideRuntime, may_block};
pub use crate::connection::threads::{Driver, Ended, Half, SpawnError, Transport};

/// Makes a connection over `transport`, and the driver that has to run for it to have deadlines.
///
/// # Errors
///
/// On a thread of an async runtime, or when this machine has no threads.
pub fn build<T: Transport>(
    builder: Builder,
    transport: T,
) -> Result<(PacketConnection, Driver<T>), SpawnError> {
    may_block()?;
    let (connection, driver) = Driver::new(builder, transport)?;
    Ok((PacketConnection(connection), driver))
}

/// Makes a connection over `transport` and has a new thread drive it; when it has ended the transport is shut down and
/// dropped.
///
/// # Errors
///
/// As [`build`].
pub fn spawn<T: Transport>(builder: Builder, transport: T) -> Result<PacketConnection, SpawnError> {
    let (connection, driver) = build(builder, transport)?;
    let work = move || driver.run_and_shut_down();
    thread::Builder::new().name("packetstream driver".into()).spawn(work).map_err(SpawnError::Thread)?;
    Ok(connection)
}

/// Performs the requests of the peer at the other end of `transport` until it says goodbye.
///
/// # Errors
///
/// As [`build`].
pub fn serve<T: Transport>(builder: Builder, transport: T) -> Result<Ended<T>, SpawnError> {
    // Held, since the connection closes when its last handle is dropped.
    let (_connection, driver) = build(builder, transport)?;
    Ok(driver.run()?)
}

/// Blocks this thread until a future has finished.
///
/// # Errors
///
/// On a thread of an async runtime; the future is dropped.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, InsideRuntime> {
    may_block()?;
    Ok(connection::park::block_on(future))
}

/// A handle to one connection, as [`PacketConnection`](connection::PacketConnection), whose functions block where those
/// of that one are async. Each converts to the other.
#[derive(Clone, Debug)]
pub struct PacketConnection(connection::PacketConnection);

impl PacketConnection {
    /// A client of the same connection, of any kind: generated, typed, or its async handle.
    #[must_use]
    pub fn client<C: From<connection::PacketConnection>>(&self) -> C {
        self.0.clone().into()
    }

    /// The same connection, asking on another channel: see
    /// [`PacketConnection::channel`](connection::PacketConnection::channel).
    #[must_use]
    pub fn channel(&self, channel: u64) -> Self {
        Self(self.0.channel(channel))
    }

    /// Has the peer's requests on this handle's channel performed by `handler` from now on.
    pub fn handle(&self, handler: impl Handler) {
        self.0.handle(handler);
    }

    /// Sends a request; [`Call::wait`] waits for its reply. See
    /// [`PacketConnection::submit`](connection::PacketConnection::submit).
    pub fn submit(&self, rq_type: u64, flags: u64, payload: impl Into<Bytes>) -> Call {
        self.0.submit(rq_type, flags, payload)
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub fn call(&self, rq_type: u64, flags: u64, payload: impl Into<Bytes>) -> Result<Reply, CallError> {
        may_block().map_err(|InsideRuntime| NotSent::InsideRuntime)?;
        self.submit(rq_type, flags, payload).wait()
    }

    /// Waits until all requests that were submitted before are settled: see
    /// [`PacketConnection::barrier`](connection::PacketConnection::barrier).
    ///
    /// # Errors
    ///
    /// On a thread of an async runtime.
    pub fn barrier(&self) -> Result<(), InsideRuntime> {
        may_block()?;
        block_on(self.0.barrier())
    }

    /// Makes no more requests, and goes on answering those of the peer: see
    /// [`PacketConnection::drain`](connection::PacketConnection::drain). Returns at once.
    pub fn drain(&self) {
        self.0.drain();
    }

    /// Says goodbye: see [`PacketConnection::close`](connection::PacketConnection::close). Returns at once.
    pub fn close(&self) {
        self.0.close();
    }

    /// Gives the connection up: see [`PacketConnection::abort`](connection::PacketConnection::abort). Returns at once.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether requests are taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// Waits until the connection has ended, by whichever side, and tells how.
    ///
    /// # Errors
    ///
    /// On a thread of an async runtime.
    pub fn closed(&self) -> Result<CloseReport, InsideRuntime> {
        block_on(self.0.closed())
    }

    /// Waits until the peer has said that it asks no more, or the connection has ended.
    ///
    /// # Errors
    ///
    /// On a thread of an async runtime.
    pub fn peer_drained(&self) -> Result<(), InsideRuntime> {
        block_on(self.0.peer_drained())
    }

    /// Waits until the peer has sent its last packet, or the connection has ended.
    ///
    /// # Errors
    ///
    /// On a thread of an async runtime.
    pub fn peer_closed(&self) -> Result<(), InsideRuntime> {
        block_on(self.0.peer_closed())
    }

    /// What the connection has done so far, and holds now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// What the application keeps with the connection.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        self.0.extensions()
    }

    /// What [`Builder::name`] has called it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name()
    }
}

impl From<connection::PacketConnection> for PacketConnection {
    fn from(connection: connection::PacketConnection) -> Self {
        Self(connection)
    }
}

impl From<PacketConnection> for connection::PacketConnection {
    fn from(connection: PacketConnection) -> Self {
        connection.0
    }
}

impl AsRef<connection::PacketConnection> for PacketConnection {
    fn as_ref(&self) -> &connection::PacketConnection {
        &self.0
    }
}
