//! A request of ours on its way.

use super::answers::Seat;
use super::error::{CallError, NotSent};
use super::park::{block_on, may_block};
use super::trace::CallSpan;
use super::{PacketConnection, Shared};
use crate::clock::{self, Sleep};
use crate::outcome::Reply;
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::TryAcquireError;
use tokio::time::Instant;

/// A request on its way; yields its reply. See [`PacketConnection::submit`].
///
/// Dropping it takes the request back if it was not sent yet. If it was, its answer will be dropped, and it counts as
/// in flight until then: see [`Stats::abandoned`](super::Stats::abandoned).
#[must_use = "the answer is in the future"]
pub struct Call {
    step: Step,
    shared: Arc<Shared>,
    /// Apart, since most calls have none of it.
    extras: Option<Box<Extras>>,
    pub(super) span: CallSpan,
}

#[derive(Default)]
struct Extras {
    limit: Option<Limit>,
    label: Option<Cow<'static, str>>,
}

enum Step {
    /// Waits until fewer requests are in flight.
    Queued(Pin<Box<dyn Future<Output = Result<Seat, NotSent>> + Send>>),
    /// Handed to the driver, which leaves the answer there; nothing, when that was handed on.
    Sent(Option<Seat>),
    /// Never sent.
    Refused(NotSent),
}

/// Counts a request that waits for its turn.
struct Queued(Arc<Shared>);

impl Queued {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.queued.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long to wait.
struct Limit {
    limit: Duration,
    alarm: Sleep,
}

/// A request for the driver to send.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) channel: u64,
    pub(super) rq_type: u64,
    pub(super) flags: u64,
    pub(super) payload: Bytes,
    pub(super) answer: Seat,
    pub(super) observed: Observed,
    pub(super) span: CallSpan,
}

/// What the state keeps of a request of ours.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) answer: Seat,
    /// Of [`Barriers`](super::barriers::Barriers).
    pub(super) epoch: u64,
    pub(super) observed: Observed,
}

/// What observers are told of a request at its end, if there are any: its type, and when it was submitted.
pub(super) type Observed = Option<Box<(u64, Instant)>>;

impl Call {
    pub(super) fn new(connection: &PacketConnection, rq_type: u64, flags: u64, payload: Bytes) -> Self {
        let PacketConnection { shared, channel } = connection;
        let channel = *channel;
        let span = shared.trace.call(channel, rq_type, payload.len());
        if let Err(reason) = shared.fits(&payload) {
            return Self { step: Step::Refused(reason), shared: Arc::clone(shared), extras: None, span };
        }
        // Before there is a place to give back: subscribers may panic.
        let theirs = span.clone();
        let step = match shared.places.try_take() {
            Ok(()) => match shared.send(channel, rq_type, flags, payload, theirs) {
                Ok(seat) => Step::Sent(Some(seat)),
                Err(reason) => {
                    shared.places.give_back();
                    Step::Refused(reason)
                }
            },
            Err(TryAcquireError::Closed) => Step::Refused(shared.not_sent()),
            Err(TryAcquireError::NoPermits) => {
                let queued = Queued::new(shared);
                Step::Queued(Box::pin(async move {
                    let shared = &queued.0;
                    let permit = shared.turn().await?;
                    let seat = shared.send(channel, rq_type, flags, payload, theirs)?;
                    permit.forget();
                    Ok(seat)
                }))
            }
        };
        Self { step, shared: Arc::clone(shared), extras: None, span }
    }

    /// As [`new`](Self::new), for whoever has a place, which is still theirs unless this [is
    /// sent](Self::is_sent).
    pub(super) fn in_place(
        shared: &Arc<Shared>,
        channel: u64,
        rq_type: u64,
        flags: u64,
        payload: Bytes,
    ) -> Self {
        let span = shared.trace.call(channel, rq_type, payload.len());
        let fits = shared.fits(&payload);
        let sent = fits.and_then(|()| shared.send(channel, rq_type, flags, payload, span.clone()));
        let step = sent.map_or_else(Step::Refused, |seat| Step::Sent(Some(seat)));
        Self { step, shared: Arc::clone(shared), extras: None, span }
    }

    pub(super) const fn is_sent(&self) -> bool {
        matches!(self.step, Step::Sent(Some(_)))
    }

    /// Waits no longer than `limit`, from now, and then yields [`CallError::Unanswered`], or
    /// [`NotSent::NoTurn`] if it was not even sent.
    ///
    /// The peer is not told: it may perform the request all the same, and until it answers, the request counts
    /// as in flight. A peer that never answers is left without calls after
    /// [`Limits::max_calls`](super::Limits::max_calls) of them.
    ///
    /// # Panics
    ///
    /// In a tokio runtime without timers.
    pub fn timeout(mut self, limit: Duration) -> Self {
        let alarm = clock::sleep(limit);
        self.extras.get_or_insert_default().limit = Some(Limit { limit, alarm });
        self
    }

    /// Names the request for people who look for faults: its `Debug` and its span show the name.
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        let label = label.into();
        self.span.label(&label);
        self.extras.get_or_insert_default().label = Some(label);
        self
    }

    /// Blocks this thread until it is answered, whatever drives the connection.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. On a thread of an async runtime it is refused: with [`NotSent::InsideRuntime`] if it was
    /// not sent yet, else with [`CallError::InsideRuntime`].
    pub fn wait(self) -> Result<Reply, CallError> {
        if may_block().is_ok() {
            return block_on(self);
        }
        match &self.step {
            Step::Queued(_) => Err(NotSent::InsideRuntime.into()),
            Step::Refused(reason) => Err(reason.clone().into()),
            Step::Sent(_) => Err(CallError::InsideRuntime),
        }
    }

    /// Whether it still waits for its turn, because as many requests are in flight as there may be.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        matches!(self.step, Step::Queued(_))
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, CallError>> {
        if let Step::Queued(turn) = &mut self.step {
            self.step = match ready!(turn.as_mut().poll(cx)) {
                Ok(seat) => Step::Sent(Some(seat)),
                Err(reason) => Step::Refused(reason),
            };
        }
        match &mut self.step {
            Step::Sent(place) => {
                // As with any future: whoever polls it again waits for ever.
                let Some(seat) = place else { return Poll::Pending };
                let answer = ready!(self.shared.inbox.poll_answer(seat, cx));
                *place = None;
                Poll::Ready(answer)
            }
            Step::Refused(reason) => Poll::Ready(Err(reason.clone().into())),
            Step::Queued(_) => Poll::Pending,
        }
    }

    /// Nobody waits any longer than this.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<CallError> {
        let limit = self.extras.as_mut().and_then(|extras| extras.limit.as_mut());
        let Some(Limit { limit, alarm }) = limit else { return Poll::Pending };
        let limit = *limit;
        ready!(Pin::new(alarm).poll(cx));
        if !self.is_queued() {
            return Poll::Ready(CallError::Unanswered(limit));
        }
        // Given up for good: what is said not to be sent must not be.
        self.step = Step::Refused(NotSent::NoTurn(limit));
        Poll::Ready(NotSent::NoTurn(limit).into())
    }
}

impl Shared {
    fn fits(&self, payload: &Bytes) -> Result<(), NotSent> {
        let (payload, limit) = (payload.len(), self.limits.max_payload());
        if payload > limit { Err(NotSent::TooLong { payload, limit }) } else { Ok(()) }
    }

    fn send(
        &self,
        channel: u64,
        rq_type: u64,
        flags: u64,
        payload: Bytes,
        span: CallSpan,
    ) -> Result<Seat, NotSent> {
        let observed = (!self.observers.is_empty()).then(|| Box::new((rq_type, Instant::now())));
        let make = |answer| Submission { channel, rq_type, flags, payload, answer, observed, span };
        self.inbox.submit(make).ok_or_else(|| self.not_sent())
    }
}

impl Future for Call {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match self.poll_answer(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(ready!(self.poll_limit(cx))),
        };
        self.span.settle(&result);
        Poll::Ready(result)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.span.give_up();
        if let Step::Sent(seat) = &mut self.step
            && let Some(seat) = seat.take()
        {
            let answer = self.shared.inbox.give_up(seat);
            seeded!(PermitWithFuture => if answer.is_none() { self.shared.places.give_back() });
            drop(answer);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Queued(_) => "queued",
            Step::Sent(Some(_)) => "sent",
            Step::Sent(None) => "done",
            Step::Refused(_) => "refused",
        };
        match self.extras.as_ref().and_then(|extras| extras.label.as_ref()) {
            Some(label) => write!(f, "Call({step}, {label:?})"),
            None => write!(f, "Call({step})"),
        }
    }
}

#[cfg(model = "shuttle")]
pub(in crate::connection) mod models;
