//! A place for a request that is yet to come.

use super::call::Call;
use super::error::NotSent;
use super::{PacketConnection, Shared};
use crate::sync::atomic::{AtomicUsize, Ordering};
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, TryAcquireError};

/// The places among the requests in flight: [`Limits::max_calls`](super::Limits::max_calls) of them.
///
/// A place follows the tag: the driver gives it back with the answer, whether or not anybody still waits for that, so
/// that asking and giving up cannot flood the peer.
#[derive(Debug)]
pub(super) struct Places {
    /// Those that nobody has. Whoever gives one back looks for those who wait, and whoever comes to wait looks for what
    /// was given back, each after the deed: so one of them sees the other, and `queue` gets what is free.
    free: AtomicUsize,
    waiting: AtomicUsize,
    /// Where one waits for a place. Closed when no more requests are taken.
    queue: Semaphore,
    hopeless: Notify,
}

impl Places {
    pub(super) fn new(places: usize) -> Self {
        Self {
            free: AtomicUsize::new(places),
            waiting: AtomicUsize::new(0),
            queue: Semaphore::new(0),
            hopeless: Notify::new(),
        }
    }

    /// Takes a place, if there is one that nobody waits for.
    pub(super) fn try_take(&self) -> Result<(), TryAcquireError> {
        let taken = self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| free.checked_sub(1));
        if taken.is_ok() { Ok(()) } else { self.queue.try_acquire().map(SemaphorePermit::forget) }
    }

    pub(super) fn give_back(&self) {
        if self.is_awaited() {
            // Past those who come only now.
            return self.queue.add_permits(1);
        }
        self.free.fetch_add(1, Ordering::SeqCst);
        if self.is_awaited() {
            self.pass_on();
        }
    }

    fn pass_on(&self) {
        self.queue.add_permits(self.free.swap(0, Ordering::SeqCst));
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    pub(super) fn available(&self) -> usize {
        self.free.load(Ordering::SeqCst) + self.queue.available_permits()
    }

    /// Sends all away who wait.
    pub(super) fn give_up(&self) {
        self.hopeless.notify_waiters();
    }

    /// Takes no more requests.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

/// Counts one of those who wait.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        let before = shared.places.waiting.fetch_add(1, Ordering::SeqCst);
        shared.places.pass_on();
        if before == 0 {
            // What drives the connection sees to it that this has an end.
            shared.inbox.nudge();
        }
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.places.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Waits for a place among the requests in flight.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, NotSent> {
        let Places { queue, hopeless, .. } = &self.places;
        let hopeless = hopeless.notified();
        let _waiting = Waiting::new(self);
        tokio::select! {
            biased;
            permit = queue.acquire() => permit.map_err(|_| self.not_sent()),
            () = hopeless => Err(NotSent::NoTurn(self.limits.stall_timeout)),
        }
    }
}

impl PacketConnection {
    /// Waits for a place among the requests in flight, of which there are as many as
    /// [`Limits::max_calls`](super::Limits::max_calls), and keeps it: for whoever has to know that a request
    /// can be sent before there is one.
    ///
    /// # Errors
    ///
    /// Why no request is sent any more, when the connection is closed; [`NotSent::NoTurn`] where handlers may wait for
    /// each other, see [`Limits::stall_timeout`](super::Limits::stall_timeout).
    ///
    /// # Cancel safety
    ///
    /// Safe: no place is lost. Whoever drops the future and asks again goes to the end of the queue.
    pub fn reserve(&self) -> impl Future<Output = Result<Place, NotSent>> + Send + Sync + use<> {
        let (shared, channel) = (Arc::clone(&self.shared), self.channel);
        async move {
            shared.turn().await?.forget();
            Ok(Place { shared, channel, is_taken: false })
        }
    }
}

/// A place among the requests in flight; see [`PacketConnection::reserve`]. Dropped, it is another's.
///
/// It does not keep the connection open.
#[must_use = "the place is another's when this is dropped"]
pub struct Place {
    shared: Arc<Shared>,
    channel: u64,
    /// Whether a request has it, which gives it back with its answer.
    is_taken: bool,
}

impl Place {
    /// Sends a request, which is on its way when this returns; as
    /// [`PacketConnection::submit`](super::PacketConnection::submit), but it waits for no turn.
    pub fn submit(mut self, rq_type: u64, flags: u64, payload: impl Into<Bytes>) -> Call {
        let call = Call::in_place(&self.shared, self.channel, rq_type, flags, payload.into());
        self.is_taken = call.is_sent();
        call
    }

    /// Whether the connection takes requests; else the place is worth nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.shared.places.is_closed()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_taken {
            self.shared.places.give_back();
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}
