//! A request of ours on its way.

use super::Shared;
use super::answers::{Left, Seat};
use super::error::{CallError, NotSent};
use super::park::{block_on, may_block};
use super::trace::CallSpan;
use crate::clock::{self, Sleep};
use crate::outcome::Reply;
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
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
    /// Handed over; the answer will be there. Nothing, when that was handed on.
    Sent(Option<Seat>),
    /// Never sent.
    Refused(NotSent),
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
    pub(super) fn new(
        shared: &Arc<Shared>,
        channel: u64,
        rq_type: u64,
        flags: u64,
        payload: Bytes,
        has_place: bool,
    ) -> Self {
        let span = shared.trace.call(channel, rq_type, payload.len());
        let fits = shared.fits(&payload);
        let sent = fits.and_then(|()| shared.send(channel, rq_type, flags, payload, span.clone(), has_place));
        let step = sent.map_or_else(Step::Refused, |seat| Step::Sent(Some(seat)));
        Self { step, shared: Arc::clone(shared), extras: None, span }
    }

    /// Whether it was handed over, with the place that it has, if any.
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
    /// See [`CallError`]. On a thread of an async runtime it is refused, unless the answer is there already: with
    /// [`NotSent::InsideRuntime`] if it was not sent yet, and never will be, else with [`CallError::InsideRuntime`].
    pub fn wait(mut self) -> Result<Reply, CallError> {
        if may_block().is_ok() {
            return block_on(self);
        }
        match (self.give_up(), &self.step) {
            (Some(Left::Answered(answer)), _) => answer,
            (Some(Left::Queued { .. }), _) => Err(NotSent::InsideRuntime.into()),
            (None, Step::Refused(reason)) => Err(reason.clone().into()),
            (Some(Left::Sent) | None, _) => Err(CallError::InsideRuntime),
        }
    }

    /// Whether it still waits for its turn, because as many requests are in flight as there may be.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        matches!(&self.step, Step::Sent(Some(seat)) if self.shared.inbox.is_queued(seat))
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, CallError>> {
        match &mut self.step {
            Step::Sent(place) => {
                // As with any future: whoever polls it again waits for ever.
                let Some(seat) = place else { return Poll::Pending };
                let answer = ready!(self.shared.inbox.poll_answer(seat, cx));
                *place = None;
                Poll::Ready(answer)
            }
            Step::Refused(reason) => Poll::Ready(Err(reason.clone().into())),
        }
    }

    /// Nobody waits any longer than this.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, CallError>> {
        let limit = self.extras.as_mut().and_then(|extras| extras.limit.as_mut());
        let Some(Limit { limit, alarm }) = limit else { return Poll::Pending };
        let limit = *limit;
        ready!(Pin::new(alarm).poll(cx));
        Poll::Ready(match self.give_up() {
            Some(Left::Answered(answer)) => answer,
            Some(Left::Sent) => Err(CallError::Unanswered(limit)),
            Some(Left::Queued { .. }) => Err(NotSent::NoTurn(limit).into()),
            None => return Poll::Pending,
        })
    }

    /// Waits no more, for good: what was not sent will not be.
    fn give_up(&mut self) -> Option<Left> {
        match &mut self.step {
            Step::Sent(seat) => seat.take().map(|seat| self.shared.inbox.give_up(seat)),
            Step::Refused(_) => None,
        }
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
        has_place: bool,
    ) -> Result<Seat, NotSent> {
        let observed = (!self.observers.is_empty()).then(|| Box::new((rq_type, Instant::now())));
        let bytes = payload.len();
        let make = |answer| Submission { channel, rq_type, flags, payload, answer, observed, span };
        let seat = if has_place { self.inbox.submit_in_place(make) } else { self.inbox.submit(bytes, make) };
        seat.ok_or_else(|| self.not_sent())
    }
}

impl Future for Call {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match self.poll_answer(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => ready!(self.poll_limit(cx)),
        };
        self.span.settle(&result);
        Poll::Ready(result)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.span.give_up();
        drop(self.give_up());
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Sent(Some(_)) if self.is_queued() => "queued",
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
