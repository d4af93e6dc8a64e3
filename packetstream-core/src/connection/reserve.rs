//! A place for a request that is yet to come.

use super::call::Call;
use super::error::NotSent;
use super::{PacketConnection, Shared};
use crate::sync::atomic::{AtomicUsize, Ordering};
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Notify, SemaphorePermit};

/// Those who wait for a place among the requests in flight.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: AtomicUsize,
    hopeless: Notify,
}

impl Turns {
    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Sends all away who wait.
    pub(super) fn give_up(&self) {
        self.hopeless.notify_waiters();
    }
}

/// Counts one of those who wait.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        if shared.turns.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            // What drives the connection sees to it that this has an end.
            shared.inbox.nudge();
        }
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.turns.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Waits for a place among the requests in flight.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, NotSent> {
        let hopeless = self.turns.hopeless.notified();
        let _waiting = Waiting::new(self);
        tokio::select! {
            biased;
            permit = self.calls.acquire() => permit.map_err(|_| self.not_sent()),
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
        !self.shared.calls.is_closed()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_taken {
            self.shared.calls.add_permits(1);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}
