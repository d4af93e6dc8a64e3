//! A place for a request that is yet to come.

use super::answers::{Left, Seat};
use super::call::Call;
use super::error::{CallError, NotSent};
use super::inbox::Reserved;
use super::{PacketConnection, Shared};
use bytes::Bytes;
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;

/// Waits for a place.
struct Reservation {
    shared: Arc<Shared>,
    /// Until the answer was there.
    seat: Option<Seat>,
}

impl Reservation {
    async fn wait(mut self) -> Result<(), NotSent> {
        let Self { shared, seat } = &mut self;
        let Some(waiting) = seat else { return Ok(()) };
        let answer = poll_fn(|cx| shared.inbox.poll_answer(waiting, cx)).await;
        *seat = None;
        match answer {
            Ok(_) => Ok(()),
            Err(CallError::NotSent(reason)) => Err(reason),
            Err(_) => Err(shared.not_sent()),
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take()
            && let Left::Answered(Ok(_)) = self.shared.inbox.give_up(seat)
        {
            self.shared.inbox.give_back();
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
            if let Reserved::Later(seat) = shared.inbox.reserve().ok_or_else(|| shared.not_sent())? {
                Reservation { shared: Arc::clone(&shared), seat: Some(seat) }.wait().await?;
            }
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
        let call = Call::new(&self.shared, self.channel, rq_type, flags, payload.into(), true);
        self.is_taken = call.is_sent();
        call
    }

    /// Whether the connection takes requests; else the place is worth nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.inbox.is_open()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_taken {
            self.shared.inbox.give_back();
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}
