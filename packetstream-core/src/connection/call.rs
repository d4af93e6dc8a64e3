//! A request of ours on its way.

use super::error::{CallError, ConnectionError, NotSent};
use super::inbox::Command;
use super::park::{block_on, may_block};
use super::{Limits, PacketConnection, Shared};
use crate::clock::{self, Sleep};
use crate::outcome::Reply;
use crate::varint;
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{TryAcquireError, oneshot};
use tokio::time::Instant;

/// The most that a packet's body has besides its payload: tag, word, channel, request type.
const HEADER: usize = 4 * varint::MAX_LEN;

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
}

#[derive(Default)]
struct Extras {
    limit: Option<Limit>,
    label: Option<Cow<'static, str>>,
}

enum Step {
    /// Waits until fewer requests are in flight.
    Queued(Pin<Box<dyn Future<Output = Result<Answer, NotSent>> + Send>>),
    /// Handed to the driver.
    Sent(Answer),
    /// Never sent.
    Refused(NotSent),
    /// The answer was handed on.
    Done,
}

/// How long to wait.
struct Limit {
    limit: Duration,
    alarm: Sleep,
}

/// Where what came of a request is waited for.
type Answer = oneshot::Receiver<Result<Reply, CallError>>;

/// A request for the driver to send.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) channel: u64,
    pub(super) rq_type: u64,
    pub(super) flags: u64,
    pub(super) payload: Bytes,
    pub(super) answer: oneshot::Sender<Result<Reply, CallError>>,
    /// When it was submitted, if somebody wants to know.
    pub(super) submitted: Option<Instant>,
}

/// What the state keeps of a request of ours.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) answer: oneshot::Sender<Result<Reply, CallError>>,
    /// Of [`Barriers`](super::barriers::Barriers).
    pub(super) epoch: u64,
    pub(super) channel: u64,
    pub(super) rq_type: u64,
    pub(super) submitted: Option<Instant>,
}

impl Limits {
    /// The longest payload that fits a packet whatever its header.
    pub(super) fn max_payload(&self) -> usize {
        self.max_packet.saturating_sub(HEADER)
    }
}

impl Call {
    pub(super) fn new(connection: &PacketConnection, rq_type: u64, flags: u64, payload: Bytes) -> Self {
        let PacketConnection { shared, channel } = connection;
        let channel = *channel;
        let limit = shared.limits.max_payload();
        let step = if payload.len() > limit {
            Step::Refused(NotSent::TooLong { payload: payload.len(), limit })
        } else {
            match shared.calls.try_acquire() {
                Ok(permit) => {
                    permit.forget();
                    shared.send(channel, rq_type, flags, payload).map_or_else(Step::Refused, Step::Sent)
                }
                Err(TryAcquireError::Closed) => Step::Refused(shared.not_sent()),
                Err(TryAcquireError::NoPermits) => {
                    let shared = Arc::clone(shared);
                    Step::Queued(Box::pin(async move {
                        shared.calls.acquire().await.map_err(|_| shared.not_sent())?.forget();
                        shared.send(channel, rq_type, flags, payload)
                    }))
                }
            }
        };
        Self { step, shared: Arc::clone(shared), extras: None }
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

    /// Names the request for people who look for faults: its `Debug` shows the name.
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.extras.get_or_insert_default().label = Some(label.into());
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
            Step::Sent(_) | Step::Done => Err(CallError::InsideRuntime),
        }
    }

    /// Whether it still waits for its turn, because as many requests are in flight as there may be.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        matches!(self.step, Step::Queued(_))
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, CallError>> {
        loop {
            self.step = match &mut self.step {
                Step::Refused(reason) => return Poll::Ready(Err(reason.clone().into())),
                Step::Queued(turn) => match ready!(turn.as_mut().poll(cx)) {
                    Ok(answer) => Step::Sent(answer),
                    Err(reason) => Step::Refused(reason),
                },
                Step::Sent(answer) => {
                    let answer = ready!(Pin::new(answer).poll(cx));
                    self.step = Step::Done;
                    return Poll::Ready(answer.unwrap_or(Err(CallError::Lost(ConnectionError::Dropped))));
                }
                // As with any future: whoever polls it again waits for ever.
                Step::Done => return Poll::Pending,
            }
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
    fn send(&self, channel: u64, rq_type: u64, flags: u64, payload: Bytes) -> Result<Answer, NotSent> {
        let (answer, waiting) = oneshot::channel();
        let submitted = (!self.observers.is_empty()).then(Instant::now);
        let submission = Submission { channel, rq_type, flags, payload, answer, submitted };
        match self.inbox.push(Command::Submit(submission)) {
            Ok(()) => Ok(waiting),
            Err(_) => Err(self.not_sent()),
        }
    }
}

impl Future for Call {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = self.poll_answer(cx) {
            return Poll::Ready(answer);
        }
        self.poll_limit(cx).map(Err)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Step::Sent(answer) = &mut self.step else { return };
        if matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            answer.close();
            // It may have come just now.
            if answer.try_recv().is_err() {
                self.shared.abandoned.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Queued(_) => "queued",
            Step::Sent(_) => "sent",
            Step::Refused(_) => "refused",
            Step::Done => "done",
        };
        match self.extras.as_ref().and_then(|extras| extras.label.as_ref()) {
            Some(label) => write!(f, "Call({step}, {label:?})"),
            None => write!(f, "Call({step})"),
        }
    }
}
