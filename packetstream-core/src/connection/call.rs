//! A request of ours on its way.

use super::error::{CallError, ConnectionError, NotSent};
use super::{Limits, Shared};
use crate::outcome::Reply;
use crate::varint;
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::{TryAcquireError, oneshot};

/// The most that a packet's body has besides its payload: tag, word, channel, request type.
const HEADER: usize = 4 * varint::MAX_LEN;

/// A request on its way; yields its reply. See [`PacketConnection::submit`](super::PacketConnection::submit).
#[must_use = "the answer is in the future"]
pub struct Call {
    step: Step,
}

enum Step {
    /// Waits until fewer requests are in flight.
    Queued(Pin<Box<dyn Future<Output = Result<Answer, NotSent>> + Send>>),
    /// Handed to the driver.
    Sent(Answer),
    /// Never sent.
    Refused(NotSent),
}

/// Where the driver puts what came of a request.
pub(super) type Waiter = oneshot::Sender<Result<Reply, CallError>>;

type Answer = oneshot::Receiver<Result<Reply, CallError>>;

impl Limits {
    /// The longest payload that fits a packet whatever its header.
    pub(super) fn max_payload(&self) -> usize {
        self.max_packet.saturating_sub(HEADER)
    }
}

/// A request for the driver to send.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) rq_type: u64,
    pub(super) flags: u64,
    pub(super) payload: Bytes,
    pub(super) waiter: Waiter,
}

impl Call {
    pub(super) fn new(shared: &Arc<Shared>, rq_type: u64, flags: u64, payload: Bytes) -> Self {
        if let Err(reason) = shared.fits(&payload) {
            return Self { step: Step::Refused(reason) };
        }
        let step = match shared.calls.try_acquire() {
            Ok(permit) => {
                permit.forget();
                shared.send(rq_type, flags, payload).map_or_else(Step::Refused, Step::Sent)
            }
            Err(TryAcquireError::Closed) => Step::Refused(shared.not_sent()),
            Err(TryAcquireError::NoPermits) => {
                let shared = Arc::clone(shared);
                Step::Queued(Box::pin(async move {
                    shared.calls.acquire().await.map_err(|_| shared.not_sent())?.forget();
                    shared.send(rq_type, flags, payload)
                }))
            }
        };
        Self { step }
    }

    /// As [`new`](Self::new), for whoever has a permit, which is still theirs unless this [is
    /// sent](Self::is_sent).
    pub(super) fn in_place(shared: &Arc<Shared>, rq_type: u64, flags: u64, payload: Bytes) -> Self {
        let sent = shared.fits(&payload).and_then(|()| shared.send(rq_type, flags, payload));
        Self { step: sent.map_or_else(Step::Refused, Step::Sent) }
    }

    pub(super) const fn is_sent(&self) -> bool {
        matches!(self.step, Step::Sent(_))
    }
}

impl Call {
    /// Whether it still waits for its turn, so that the peer will never hear of it if it is dropped.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        matches!(self.step, Step::Queued(_))
    }
}

impl Shared {
    fn fits(&self, payload: &Bytes) -> Result<(), NotSent> {
        let (payload, limit) = (payload.len(), self.limits.max_payload());
        if payload > limit { Err(NotSent::TooLong { payload, limit }) } else { Ok(()) }
    }

    fn send(&self, rq_type: u64, flags: u64, payload: Bytes) -> Result<Answer, NotSent> {
        let (waiter, answer) = oneshot::channel();
        let submission = Submission { rq_type, flags, payload, waiter };
        if self.inbox.submit(submission) { Ok(answer) } else { Err(self.not_sent()) }
    }
}

impl Future for Call {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            self.step = match &mut self.step {
                Step::Refused(reason) => return Poll::Ready(Err(reason.clone().into())),
                Step::Queued(turn) => match ready!(turn.as_mut().poll(cx)) {
                    Ok(answer) => Step::Sent(answer),
                    Err(reason) => Step::Refused(reason),
                },
                Step::Sent(answer) => {
                    let answer = ready!(Pin::new(answer).poll(cx));
                    return Poll::Ready(answer.unwrap_or(Err(CallError::Lost(ConnectionError::Dropped))));
                }
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::Queued(_) => "Call(queued)",
            Step::Sent(_) => "Call(sent)",
            Step::Refused(_) => "Call(refused)",
        })
    }
}
