//! The protocol over a transport: a task that owns both, and handles to it.
//!
//! ```text
//!   PacketConnection ──commands──▶ Session ◀──packets── Driver ◀──▶ transport ◀──▶ peer
//!     submit, close                 │   ▲
//!   Call ◀──answer─── waiter ◀──────┘   │
//!   Handler ◀──request── polled in place, or a task when it does not finish at once
//! ```
//!
//! Without a runtime `threads` drive the same session.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts of what happened and of what is in memory, none of which the peer says; fuzzers and the simulator check them"
)]

mod answers;
mod barriers;
mod builder;
mod call;
mod driver;
mod error;
mod extensions;
mod handler;
mod handlers;
mod inbox;
mod limits;
mod line;
#[cfg(any(model = "loom", model = "shuttle"))]
pub mod models;
mod observer;
pub(crate) mod park;
mod report;
mod reserve;
mod session;
mod stats;
pub(crate) mod threads;
mod trace;
mod watchdog;
mod writer;

use crate::outcome::Reply;
use crate::state::SubmitError;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};
use bytes::Bytes;
use handler::perform;
use inbox::{Inbox, Setting, Wish};
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use trace::Tracer;

pub use builder::Builder;
pub use call::Call;
pub use driver::Driver;
pub use driver::Ended;
pub use error::CallError;
pub use error::ConnectionError;
pub use error::NotSent;
pub use extensions::Extensions;
pub use handler::Handler;
pub use handler::Incoming;
pub use limits::Limits;
pub use observer::Direction;
pub use observer::Observer;
pub use observer::Tick;
pub use report::CloseReport;
pub use report::EndedBy;
pub use reserve::Place;
pub use stats::Stats;

/// A handle to one connection, to ask the peer and to say goodbye. Clones are handles to the same
/// connection; when the last is dropped the connection closes as if by [`close`](Self::close).
///
/// How it ends, in plain verbs (`>` is what this side sends, `<` what the peer does):
///
/// | verb | at once | then |
/// |---|---|---|
/// | [`barrier`](Self::barrier) | | yields when all earlier calls are settled; nothing is sent |
/// | [`drain`](Self::drain) | `> ERQ` | calls are answered, and so is the peer, for as long as it asks; when it says `< ERQ` or `< EOF` too, as `close` |
/// | [`close`](Self::close) | `> ERQ` | when all is answered in both directions `> EOF`, then it waits for `< EOF` |
/// | [`abort`](Self::abort) | `> EOF` | nothing is waited for but the writing of it, 1 s at most |
/// | the peer closes first: `< ERQ`, `< EOF` | its unanswered calls from us end | `> ERQ`, the answers that we owe, `> EOF` |
///
/// All return at once; [`closed`](Self::closed) waits, and tells how it ended. Each wait has its limit:
/// [`Limits::answer_timeout`] for the answers, [`Limits::close_timeout`] for the peer's last packet,
/// [`Limits::stall_timeout`] for bytes that do not move.
///
/// ```
/// use packetstream_core::{Incoming, PacketConnection, Reply};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (here, there) = tokio::io::duplex(4096);
/// let echo = async |request: Incoming| Ok(Reply::from((request.flags, request.payload)));
/// let _peer = PacketConnection::builder().handler(echo).spawn(there);
///
/// let connection = PacketConnection::builder().spawn(here);
/// let reply = connection.submit(1, 0x11, "ping").await?;
/// assert_eq!((reply.flags, &reply.payload[..]), (0x11, &b"ping"[..]));
///
/// connection.close();
/// let report = connection.closed().await;
/// assert!(report.result.is_ok());
/// # Ok(())
/// # }
/// ```
pub struct PacketConnection {
    shared: Arc<Shared>,
    channel: u64,
}

/// What handles, handlers and the driver have in common.
struct Shared {
    inbox: Inbox,
    handles: AtomicUsize,
    /// What is to blame for requests that are not sent any more: set before any is refused for it. Nothing
    /// inside if the connection has ended in good order.
    blame: OnceLock<Option<ConnectionError>>,
    /// One for all that is waited for, since each takes memory of its own.
    progress: watch::Sender<Progress>,
    stats: Mutex<Published>,
    extensions: Extensions,
    observers: Vec<Box<dyn Observer>>,
    trace: Tracer,
    name: Option<Box<str>>,
    limits: Limits,
}

/// How far a connection has come.
#[derive(Debug, Default)]
struct Progress {
    peer: PeerStage,
    /// Whether the peer can no longer be answered.
    is_cancelled: bool,
    /// How it ended, once it has.
    report: Option<Box<CloseReport>>,
}

/// How far the peer has come in saying goodbye.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum PeerStage {
    /// It may ask.
    #[default]
    Open,
    /// It has asked its last.
    Drained,
    /// It has said its last.
    Silent,
}

/// What the driver says of its last turn.
#[derive(Debug, Default)]
struct Published {
    stats: Stats,
    /// When the oldest of the handlers that run was begun.
    oldest_handler: Option<Instant>,
}

impl PacketConnection {
    /// How to make a connection.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(shared: Arc<Shared>, channel: u64) -> Self {
        shared.handles.fetch_add(1, Ordering::Relaxed);
        Self { shared, channel }
    }

    /// The same connection, asking on another channel, which is opened if it is not: a tag space of its own, in
    /// both directions. Requests of the peer on it are refused until there is a [`handler`](Self::handle) for it.
    ///
    /// The peer has to know the channel: one that does not, such as the Python original, answers not-ok, which
    /// [`Failure::is_unknown_channel`](crate::Failure::is_unknown_channel) tells. Channel 0 is always open. Each
    /// channel that was opened is remembered for as long as the connection lives.
    #[must_use]
    pub fn channel(&self, channel: u64) -> Self {
        if channel != 0 {
            self.shared.inbox.set(Setting::Open(channel));
        }
        Self::new(Arc::clone(&self.shared), channel)
    }

    /// Has the peer's requests on this handle's channel performed by `handler` from now on; those that are performed
    /// already go on. Also after [`drain`](Self::drain) and [`close`](Self::close), for as long as the peer asks.
    pub fn handle(&self, handler: impl Handler) {
        self.shared.inbox.set(Setting::Serve(self.channel, perform(handler)));
    }

    /// Sends a request of type `rq_type`, at most [`MAX_REQUEST_TYPE`](crate::MAX_REQUEST_TYPE), with
    /// `flags`, at most [`MAX_REQUEST_FLAGS`](crate::MAX_REQUEST_FLAGS).
    ///
    /// The request is on its way when this returns, before the future is polled, unless as many as
    /// [`Limits::max_calls`] are in flight: then it is sent when its turn comes. Requests are sent in the order in which
    /// they are submitted; the peer may perform and answer them in any.
    ///
    /// # Errors
    ///
    /// The future yields [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes the request back if it was not sent yet; else its answer will be dropped, and it
    /// counts as in flight until then.
    pub fn submit(&self, rq_type: u64, flags: u64, payload: impl Into<Bytes>) -> Call {
        Call::new(&self.shared, self.channel, rq_type, flags, payload.into(), false)
    }

    /// Sends a request and waits for its reply; as [`submit`](Self::submit), but nothing is sent before
    /// the future is polled.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// As [`submit`](Self::submit).
    pub async fn call(
        &self,
        rq_type: u64,
        flags: u64,
        payload: impl Into<Bytes>,
    ) -> Result<Reply, CallError> {
        self.submit(rq_type, flags, payload).await
    }

    /// Waits until all requests that were submitted before are settled: answered, or known to be lost.
    ///
    /// Calls that wait for their turn, since as many as [`Limits::max_calls`] are in flight, were not submitted yet.
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub fn barrier(&self) -> impl Future<Output = ()> + Send + use<> {
        let (reached, waiting) = oneshot::channel();
        // Where nobody obeys any more everything is settled.
        self.shared.inbox.bar(reached);
        async move {
            // As when the sender is dropped, at the end of the connection.
            let _ = waiting.await;
        }
    }

    /// Makes no more requests, and goes on answering those of the peer: sends the end of requests. Returns at once.
    ///
    /// Requests on their way still go out, those that wait their turn do not. When the peer has no more requests
    /// either the connection closes; until then it stays, for as long as the peer likes, or until
    /// [`close`](Self::close). A Python peer reacts to nothing but a close.
    pub fn drain(&self) {
        self.shared.finish(Wish::Drain);
    }

    /// Says goodbye: no more requests from this side, and when everything that was asked is answered,
    /// in both directions, the end of the stream. Returns at once; see [`closed`](Self::closed).
    ///
    /// Requests on their way still go out, those that wait their turn do not. What was asked may take
    /// [`Limits::answer_timeout`] to be answered, then the peer has [`Limits::close_timeout`] to say goodbye too.
    pub fn close(&self) {
        self.shared.finish(Wish::Close);
    }

    /// Gives the connection up: calls end with [`ConnectionError::Aborted`], handlers are dropped, and the peer is told
    /// that this is the end, if that takes no longer than 1 s. Returns at once.
    pub fn abort(&self) {
        self.shared.finish(Wish::Abort);
    }

    /// Whether requests are taken: not after [`drain`](Self::drain) or [`close`](Self::close), the peer's goodbye, or a
    /// failure.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.inbox.is_open()
    }

    /// Waits until the connection has ended, by whichever side, and tells how. With [`Builder::spawn`] that includes
    /// shutting the transport down, for which there are 5 s.
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn closed(&self) -> CloseReport {
        self.shared.closed().await
    }

    /// Waits until the peer has said that it asks no more, or the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn peer_drained(&self) {
        self.shared.peer_at_least(PeerStage::Drained).await;
    }

    /// Waits until the peer has sent its last packet, or the connection has ended. Nothing has to be done then: this
    /// side closes by itself.
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn peer_closed(&self) {
        self.shared.peer_at_least(PeerStage::Silent).await;
    }

    /// What the connection has done so far, and holds now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// What the application keeps with the connection.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.shared.extensions
    }

    /// What [`Builder::name`] has called it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.shared.name.as_deref()
    }
}

impl Shared {
    /// Takes no more requests, those that wait their turn neither.
    fn finish(&self, wish: Wish) {
        self.inbox.wish(wish);
        self.inbox.disperse(|| self.not_sent());
    }

    async fn closed(&self) -> CloseReport {
        let mut progress = self.progress.subscribe();
        loop {
            if let Some(report) = &progress.borrow_and_update().report {
                return CloseReport::clone(report);
            }
            // The sender is here: there is no error.
            let _ = progress.changed().await;
        }
    }

    async fn peer_at_least(&self, stage: PeerStage) {
        // As above.
        let _ = self.progress.subscribe().wait_for(|progress| progress.peer >= stage).await;
    }

    fn stats(&self) -> Stats {
        let published = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest_handler = published.oldest_handler.map(|begun| begun.elapsed());
        let abandoned = self.inbox.given_up();
        let queued = published.stats.queued + self.inbox.queued();
        Stats { queued, abandoned, oldest_handler, ..published.stats }
    }

    /// Why a request is not sent that comes too late.
    fn not_sent(&self) -> NotSent {
        self.blame.get().cloned().flatten().map_or(NotSent::Closed, NotSent::Lost)
    }

    /// Why a request is not sent that the state does not take.
    fn refused(&self, error: SubmitError) -> NotSent {
        match error {
            SubmitError::Closed => self.not_sent(),
            other => NotSent::Submit(other),
        }
    }

    /// The peer has come at least so far in saying goodbye.
    fn tell_peer_stage(&self, stage: PeerStage) {
        self.progress.send_if_modified(|progress| {
            let is_news = progress.peer < stage;
            progress.peer = stage.max(progress.peer);
            is_news
        });
    }

    /// Tells what still performs requests of the peer that no answer can be delivered.
    fn cancel(&self) {
        self.progress.send_if_modified(|progress| !mem::replace(&mut progress.is_cancelled, true));
    }

    /// Says what is to blame for requests that are not sent from now on; what was said first stays.
    fn blame(&self, cause: Option<ConnectionError>) {
        let _ = self.blame.set(cause);
    }

    /// Tells all observers, if there are any.
    #[inline]
    fn observe(&self, see: impl Fn(&dyn Observer)) {
        if !self.observers.is_empty() {
            self.tell_observers(&see);
        }
    }

    /// Tells all observers, also those behind one that panics. That is an end like others: nothing is left half done.
    #[cold]
    fn tell_observers(&self, see: &dyn Fn(&dyn Observer)) {
        for observer in &self.observers {
            if catch_unwind(AssertUnwindSafe(|| see(observer.as_ref()))).is_err() {
                self.blame(Some(ConnectionError::ObserverPanicked));
                self.finish(Wish::Abort);
            }
        }
    }
}

impl Clone for PacketConnection {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared), self.channel)
    }
}

impl Drop for PacketConnection {
    fn drop(&mut self) {
        if self.shared.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }
}

impl fmt::Debug for PacketConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_flight = self.stats().in_flight;
        let mut debug = f.debug_struct("PacketConnection");
        if let Some(name) = self.name() {
            debug.field("name", &name);
        }
        if self.channel != 0 {
            debug.field("channel", &self.channel);
        }
        debug.field("in_flight", &in_flight).finish_non_exhaustive()
    }
}
