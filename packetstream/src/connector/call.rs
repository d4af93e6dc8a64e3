//! A request over whatever connection there is.

use super::limit::Limit;
use super::link::Shared;
use crate::client::{Outgoing, RequestError};
use crate::trace;
use packetstream_core::{BaseRequest, Call, CallError, NotSent, Reply};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A request that a [`Link`](super::Link) asks; yields its reply, or a [`RequestError`]. See
/// [`Link::call`](super::Link::call).
#[must_use = "nothing is asked before the future is polled"]
pub struct LinkCall<R> {
    step: Step,
    /// Decodes the reply.
    request: R,
}

enum Step {
    /// Not polled yet.
    New { shared: Arc<Shared>, outgoing: Result<Outgoing, NotSent>, limit: Option<Limit> },
    /// On its way, whatever that takes.
    Asked(Pin<Box<dyn Future<Output = Result<Reply, CallError>> + Send>>),
}

impl<R> LinkCall<R> {
    pub(super) fn new(shared: Arc<Shared>, outgoing: Result<Outgoing, NotSent>, request: R) -> Self {
        Self { step: Step::New { shared, outgoing, limit: None }, request }
    }

    /// Waits no longer than `limit`, from now, for connections and for answers, over all tries. What it then yields
    /// tells whether the request is on its way: [`RequestError::Unanswered`] if so, else
    /// [`NotSent`](RequestError::NotSent).
    ///
    /// Without it a peer that lives and does not answer is waited for; connections are not, for longer than
    /// [`Connector::patience`](super::Connector::patience).
    ///
    /// It is to be set before the future is first polled; later it changes nothing.
    pub fn timeout(mut self, time: Duration) -> Self {
        if let Step::New { limit, .. } = &mut self.step {
            *limit = Some(Limit::from_now(time));
        }
        self
    }
}

/// Nothing is pinned in it: the request is only kept to decode the reply.
impl<R> Unpin for LinkCall<R> {}

impl<R: BaseRequest> Future for LinkCall<R> {
    type Output = Result<R::Reply, RequestError<R::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            self.step = match &mut self.step {
                Step::New { outgoing: Err(reason), .. } => {
                    return Poll::Ready(Err(RequestError::NotSent(reason.clone())));
                }
                Step::New { shared, outgoing: Ok(outgoing), limit } => {
                    let (shared, outgoing, limit) = (Arc::clone(shared), outgoing.clone(), *limit);
                    Step::Asked(Box::pin(async move { shared.ask(&outgoing, trace::asks::<R>, limit).await }))
                }
                Step::Asked(asked) => {
                    return Poll::Ready(match ready!(asked.as_mut().poll(cx)) {
                        Ok(reply) => self.request.decode_response(reply).map_err(RequestError::Undecodable),
                        Err(error) => Err(error.into()),
                    });
                }
            }
        }
    }
}

impl Shared {
    /// Asks, and asks again where that does no harm. Each try is given to `name`, as soon as it is on its way.
    async fn ask(
        &self,
        outgoing: &Outgoing,
        name: fn(&Call),
        limit: Option<Limit>,
    ) -> Result<Reply, CallError> {
        let (mut tries, mut newer_than, mut lost) = (0, 0, None);
        loop {
            tries += 1;
            let lease = match self.lease(newer_than, Limit::from_now(self.patience).sooner(limit)).await {
                Ok(lease) => lease,
                Err(error) => return Err(told(CallError::NotSent(error.into()), lost)),
            };
            let _use = lease.begin();
            let Outgoing { rq_type, flags, payload, .. } = outgoing;
            let call = lease.connection.submit(*rq_type, *flags, payload.clone());
            name(&call);
            let error = match answer(call, limit).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(error)) => error,
                Err(time_is_over) => return Err(told(time_is_over, lost)),
            };
            if tries >= self.tries || !outgoing.may_be_asked_again(&error) {
                return Err(told(error, lost));
            }
            match &error {
                CallError::Failed(_) => {
                    let wait = self.backoff.wait(tries);
                    // Not slept through to no end.
                    if limit.is_some_and(|limit| limit.is_over_in(wait)) {
                        return Err(told(error, lost));
                    }
                    tokio::time::sleep(wait).await;
                }
                CallError::NotSent(_) => newer_than = lease.generation,
                CallError::Lost(_) | CallError::Unanswered(_) | CallError::InsideRuntime => {
                    newer_than = lease.generation;
                    lost = Some(error);
                }
            }
        }
    }
}

/// What is told after all tries. That the last one has performed nothing does not tell of one that was lost.
fn told(error: CallError, lost: Option<CallError>) -> CallError {
    let has_performed_nothing = match &error {
        CallError::NotSent(_) => true,
        CallError::Failed(failure) => failure.is_busy(),
        CallError::Lost(_) | CallError::Unanswered(_) | CallError::InsideRuntime => false,
    };
    lost.filter(|_| has_performed_nothing).unwrap_or(error)
}

/// What comes of a call, or an error that is not to be mended since the time is over.
async fn answer(mut call: Call, limit: Option<Limit>) -> Result<Result<Reply, CallError>, CallError> {
    let Some(limit) = limit else { return Ok(call.await) };
    match limit.bound(&mut call).await {
        Ok(result) => Ok(result),
        Err(_) if call.is_queued() => Err(CallError::NotSent(NotSent::NoTurn(limit.time))),
        Err(_) => Err(CallError::Unanswered(limit.time)),
    }
}

impl<R> fmt::Debug for LinkCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::New { .. } => "LinkCall(new)",
            Step::Asked(_) => "LinkCall(asked)",
        })
    }
}
