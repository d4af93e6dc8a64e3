//! Making a connection.

use super::driver::{Driver, Ended};
use super::handler::{Handler, NoHandler, perform};
use super::handlers::Handlers;
use super::inbox::Inbox;
use super::observer::{Direction, Observer, OnPacket};
use super::session::Session;
use super::trace;
use super::{Extensions, PacketConnection, PeerStage, Shared};
use crate::codec::DEFAULT_MAX_PACKET;
use crate::packet::Packet;
use bytes::Bytes;
use std::fmt;
use std::sync::atomic::{AtomicIsize, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};

/// What a connection holds and how long it waits. The defaults are meant for a peer that is not trusted.
///
/// Two default peers never reach each other's limits: 256 calls with 16 MiB in flight are less than the
/// 1,280 requests with 32 MiB that the other side performs and queues. The exception is handlers that ask
/// back, level upon level: they hold their place until the innermost is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The longest packet body in bytes, in either direction. A longer one is refused before any of it
    /// is stored; sending one fails. Default: 16 MiB.
    pub max_packet: usize,
    /// Requests of ours in flight; more wait their turn. At least 1. Default: 256.
    pub max_calls: usize,
    /// Payload bytes of our requests in flight; one that is larger goes alone. Default: 16 MiB.
    pub max_call_bytes: usize,
    /// Requests of the peer that are performed at once, counted until their response is handed to the
    /// transport. At least 1. Default: 256. On threads also no more than [`Builder::handler_threads`].
    pub max_handlers: usize,
    /// Requests of the peer that wait to be performed. When there are more, reading pauses; if that
    /// could keep answers to our own requests from us, requests are answered not-ok `busy` instead
    /// after 1 to 2 s. Default: 1,024.
    pub max_queued: usize,
    /// Payload bytes of the peer's requests that wait or are performed; beyond it as `max_queued`.
    /// Default: 32 MiB.
    pub max_request_bytes: usize,
    /// Payload bytes of responses that wait to be written before no further request of the peer is
    /// begun. Those that are performed already may still add theirs. Default: 4 MiB.
    pub max_unsent_bytes: usize,
    /// How long the transport may take no byte of what is to be written, or bring no byte of a packet
    /// that has begun. It is noticed before twice this time. Between packets a connection may idle for
    /// ever.
    ///
    /// Also how long requests of the peer may wait while all handlers are taken, nothing at all moves,
    /// and we wait for the peer: handlers that ask back deeper than there are handlers wait for each
    /// other. Those requests are then answered not-ok `busy`. Default: 30 s.
    pub stall_timeout: Duration,
    /// Once either side has said goodbye, how long what was asked may take to be answered, in both directions.
    /// Default: 30 s.
    pub answer_timeout: Duration,
    /// How long the peer may take to send its last packet after ours. Default: 30 s.
    pub close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_packet: DEFAULT_MAX_PACKET,
            max_calls: 256,
            max_call_bytes: 16 << 20,
            max_handlers: 256,
            max_queued: 1024,
            max_request_bytes: 32 << 20,
            max_unsent_bytes: 4 << 20,
            stall_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The same, with 1 in place of a 0 with which nothing would ever move.
    fn sane(self) -> Self {
        Self {
            max_calls: self.max_calls.clamp(1, Semaphore::MAX_PERMITS),
            max_handlers: self.max_handlers.max(1),
            max_request_bytes: self.max_request_bytes.max(1),
            max_unsent_bytes: self.max_unsent_bytes.max(1),
            ..self
        }
    }
}

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
            inbox: Inbox::default(),
            calls: Semaphore::new(limits.max_calls),
            handles: AtomicUsize::new(0),
            abandoned: AtomicIsize::new(0),
            queued: AtomicUsize::new(0),
            blame: OnceLock::new(),
            ended: watch::Sender::new(None),
            peer: watch::Sender::new(PeerStage::Open),
            cancelled: watch::Sender::new(false),
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
