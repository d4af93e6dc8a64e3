//! The protocol over a transport: a task that owns both, and handles to it.
//!
//! ```text
//!   PacketConnection ──commands──▶ Driver ──▶ transport ──▶ peer
//!     submit, close                  │  ▲
//!   Call ◀──answer─── waiter ◀───────┘  │
//!   Handler ◀──request── polled in place, or a task when it does not finish at once
//! ```

mod builder;
mod call;
mod driver;
mod error;
mod extensions;
mod handler;
mod inbox;
mod reserve;
mod watchdog;
mod writer;

use crate::outcome::Reply;
use crate::state::SubmitError;
use bytes::Bytes;
use call::Waiter;
use inbox::Inbox;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Semaphore, watch};

pub use builder::Builder;
pub use builder::Limits;
pub use call::Call;
pub use driver::Driver;
pub use driver::Ended;
pub use error::CallError;
pub use error::ConnectionError;
pub use error::NotSent;
pub use extensions::Extensions;
pub use handler::Handler;
pub use handler::Incoming;
pub use reserve::Place;

/// A handle to one connection, to ask the peer and to say goodbye. Clones are handles to the same
/// connection; when the last is dropped the connection closes as if by [`close`](Self::close).
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
/// connection.closed().await?;
/// # Ok(())
/// # }
/// ```
pub struct PacketConnection {
    shared: Arc<Shared>,
}

/// What handles, handlers and the driver have in common.
struct Shared {
    inbox: Inbox,
    /// A permit for each request of ours that may be in flight. It follows the tag: the driver gives it
    /// back with the answer, whether or not anybody still waits for that, so that asking and giving up
    /// cannot flood the peer.
    calls: Semaphore,
    handles: AtomicUsize,
    /// What is to blame for requests that are not sent any more: set before any is refused for it. Nothing
    /// inside if the connection has ended in good order.
    blame: OnceLock<Option<ConnectionError>>,
    /// How the connection ended, once it has.
    closed: watch::Receiver<Option<Result<(), ConnectionError>>>,
    /// Whether the peer can no longer be answered.
    cancelled: watch::Sender<bool>,
    extensions: Extensions,
    limits: Limits,
}

impl PacketConnection {
    /// How to make a connection.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(shared: Arc<Shared>) -> Self {
        shared.handles.fetch_add(1, Ordering::Relaxed);
        Self { shared }
    }

    /// Sends a request of type `rq_type`, at most [`MAX_REQUEST_TYPE`](crate::MAX_REQUEST_TYPE), with
    /// `flags`, at most [`MAX_REQUEST_FLAGS`](crate::MAX_REQUEST_FLAGS).
    ///
    /// The request is on its way when this returns, before the future is polled, unless as many as
    /// [`Limits::max_calls`] are in flight: then the future sends it when its turn comes, in the order
    /// in which those futures are first polled. Otherwise requests are sent in the order in which they
    /// are submitted; the peer may perform and answer them in any.
    ///
    /// # Errors
    ///
    /// The future yields [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; a request that is on its way stays so, and counts as in
    /// flight until it is answered.
    pub fn submit(&self, rq_type: u64, flags: u64, payload: impl Into<Bytes>) -> Call {
        Call::new(&self.shared, rq_type, flags, payload.into())
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

    /// Says goodbye: no more requests from this side, and when everything that was asked is answered,
    /// in both directions, the end of the stream. Returns at once; see [`closed`](Self::closed).
    ///
    /// Requests on their way still go out, those that wait their turn do not. The peer has
    /// [`Limits::close_timeout`] to answer and say goodbye too.
    pub fn close(&self) {
        self.shared.close();
    }

    /// What the application keeps with the connection.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.shared.extensions
    }

    /// Waits until the connection has ended, by whichever side.
    ///
    /// # Errors
    ///
    /// What ended it, unless both sides said goodbye.
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn closed(&self) -> Result<(), ConnectionError> {
        let mut closed = self.shared.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(Err(ConnectionError::Dropped)),
            Err(_) => Err(ConnectionError::Dropped),
        }
    }
}

impl Shared {
    /// Takes no more requests.
    fn close(&self) {
        self.inbox.close();
        self.calls.close();
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

    /// Tells a caller what came of its request, and lets another one in.
    fn settle(&self, waiter: Waiter, result: Result<Reply, CallError>) {
        self.calls.add_permits(1);
        // A caller that has given up is none of our business.
        let _ = waiter.send(result);
    }

    /// Tells what still performs requests of the peer that no answer can be delivered.
    fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Says what is to blame for requests that are not sent from now on; what was said first stays.
    fn blame(&self, cause: Option<ConnectionError>) {
        let _ = self.blame.set(cause);
    }
}

impl Clone for PacketConnection {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
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
        let permits = self.shared.calls.available_permits();
        let in_flight = self.shared.limits.max_calls.saturating_sub(permits);
        f.debug_struct("PacketConnection").field("in_flight", &in_flight).finish_non_exhaustive()
    }
}
