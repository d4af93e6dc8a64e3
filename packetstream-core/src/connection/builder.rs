//! Making a connection.

use super::driver::{Driver, Ended};
use super::handler::{Handler, NoHandler, perform};
use super::handlers::Handlers;
use super::inbox::Inbox;
use super::limits::Limits;
use super::observer::{Direction, Observer, OnPacket};
use super::session::Session;
use super::trace;
use super::{Extensions, PacketConnection, Progress, Shared};
use crate::packet::Packet;
use crate::sync::Mutex;
use crate::sync::atomic::AtomicUsize;
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// Makes connections: what they allow, and who performs the peer's requests.
#[must_use = "a builder does nothing until it is given a transport"]
pub struct Builder {
    limits: Limits,
    handlers: Handlers,
    extensions: Extensions,
    observers: Vec<Box<dyn Observer>>,
    pub(super) trace: trace::Settings,
    name: Option<Box<str>>,
    packet_grace: Duration,
    handler_threads: usize,
    unread: Bytes,
}

/// What a driver has to know besides the session.
#[derive(Debug)]
pub(super) struct Carriage {
    pub(super) max_packet: usize,
    pub(super) packet_grace: Duration,
    /// Bytes that come before what the transport brings.
    pub(super) unread: Bytes,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            handlers: Handlers::new(perform(NoHandler)),
            extensions: Extensions::default(),
            observers: Vec::new(),
            trace: trace::Settings::default(),
            name: None,
            packet_grace: Duration::ZERO,
            handler_threads: Self::HANDLER_THREADS,
            unread: Bytes::new(),
        }
    }
}

impl Builder {
    /// How long the Python original lets packets gather before it flushes them: see
    /// [`packet_grace`](Self::packet_grace).
    pub const PYTHON_PACKET_GRACE: Duration = Duration::from_millis(10);

    const HANDLER_THREADS: usize = 16;

    /// Sets the limits.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Names the connection for people who look for faults: its `Debug` and its spans show the name.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into().into()), ..self }
    }

    /// Sets who performs the peer's requests. Without a handler they are answered not-ok
    /// `no request handler`.
    pub fn handler(self, handler: impl Handler) -> Self {
        self.channel(0, handler)
    }

    /// Opens a channel from the start, and sets who performs the peer's requests on it.
    pub fn channel(mut self, channel: u64, handler: impl Handler) -> Self {
        self.handlers.insert(channel, perform(handler));
        self
    }

    /// Opens a channel when the peer first asks on it, if `accept` has a handler for it; at most `most` of them.
    /// The peer's requests on other channels are refused.
    ///
    /// Each channel that was opened is remembered for as long as the connection lives.
    pub fn accept_channels<H: Handler>(
        mut self,
        most: usize,
        accept: impl Fn(u64) -> Option<H> + Send + 'static,
    ) -> Self {
        self.handlers.accept(most, Box::new(move |channel| accept(channel).map(perform)));
        self
    }

    /// Puts a value into the connection's [`Extensions`], in place of one of the same type.
    pub fn extension<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Has one more observer watch the connection.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Has `see` told of each packet: an [`Observer`] of nothing else. What the Python original calls `trace_log`, and
    /// a `tick` of one's own.
    ///
    /// ```
    /// use packetstream_core::PacketConnection;
    ///
    /// let builder = PacketConnection::builder()
    ///     .on_packet(|direction, packet| eprintln!("{direction} {packet:?}")); // `{packet}` shows payload bytes
    /// ```
    pub fn on_packet(self, see: impl Fn(Direction, &Packet) + Send + Sync + 'static) -> Self {
        self.observer(OnPacket(see))
    }

    /// How long the last packet waits for others to share its flush. Default: zero, packets that are ready at once
    /// share one in any case.
    ///
    /// A grace delays every lone request and its answer by as much. The Python original waits
    /// [`PYTHON_PACKET_GRACE`](Self::PYTHON_PACKET_GRACE). Nothing waits once 64 KiB have gathered or the
    /// connection closes.
    pub fn packet_grace(self, grace: Duration) -> Self {
        Self { packet_grace: grace, ..self }
    }

    /// How many threads may perform the peer's requests at once, if the connection is one on
    /// [threads](crate::blocking); never more than [`Limits::max_handlers`]. Further requests wait. At least 1.
    /// Default: 16.
    ///
    /// They are started when there is something to do, and end when there was nothing for 5 s. A handler that asks
    /// back holds its thread until it is answered.
    pub fn handler_threads(self, threads: usize) -> Self {
        Self { handler_threads: threads, ..self }
    }

    /// What was read from the transport already, and comes before what it brings:
    /// [`Ended::unread`] of the connection that it carried before.
    pub fn unread(self, bytes: impl Into<Bytes>) -> Self {
        Self { unread: bytes.into(), ..self }
    }

    /// Makes a connection over `transport`, and the driver that has to run for anything to happen.
    ///
    /// A reader and a writer that are apart become one transport with [`tokio::io::join`].
    pub fn build<S>(self, transport: S) -> (PacketConnection, Driver<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limits = self.limits.sane();
        let (connection, session, carriage) = self.assemble(limits);
        (connection, Driver::new(transport, session, carriage))
    }

    /// Makes a connection for a driver on threads.
    pub(super) fn build_for_threads(self) -> (PacketConnection, Session, Carriage) {
        let limits = self.limits.sane();
        let max_handlers = limits.max_handlers.min(self.handler_threads.max(1));
        self.assemble(Limits { max_handlers, ..limits })
    }

    fn assemble(self, limits: Limits) -> (PacketConnection, Session, Carriage) {
        let shared = Arc::new(Shared {
            inbox: Inbox::new(limits.max_calls),
            handles: AtomicUsize::new(0),
            blame: OnceLock::new(),
            progress: watch::channel(Progress::default()).0,
            stats: Mutex::default(),
            extensions: self.extensions,
            observers: self.observers,
            trace: self.trace.open(self.name.as_deref()),
            name: self.name,
            limits,
        });
        shared.observe(|observer| observer.opened(shared.name.as_deref()));
        let connection = PacketConnection::new(Arc::clone(&shared), 0);
        let carriage =
            Carriage { max_packet: limits.max_packet, packet_grace: self.packet_grace, unread: self.unread };
        (connection, Session::new(shared, self.handlers), carriage)
    }

    /// Makes a connection over `transport` and has a new task drive it; when it has ended the transport
    /// is shut down, which may take 5 s, and dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one without timers.
    pub fn spawn<S>(self, transport: S) -> PacketConnection
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (connection, driver) = self.build(transport);
        tokio::spawn(driver.run_and_shut_down());
        connection
    }

    /// Performs the requests of the peer at the other end of `transport` until it says goodbye.
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn), when polled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connection; the peer sees the transport end.
    pub async fn serve<S>(self, transport: S) -> Ended<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Held, since the connection closes when its last handle is dropped.
        let (_connection, driver) = self.build(transport);
        driver.run().await
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
