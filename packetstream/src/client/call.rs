//! A typed request on its way.

use super::RequestError;
use packetstream_core::{BaseRequest, Call, NotSent};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// A request on its way; yields its reply, or a [`RequestError`]. See [`Client::call`](crate::Client::call).
#[derive(Debug)]
#[must_use = "the answer is in the future"]
pub struct TypedCall<R> {
    /// Nothing was sent if there is a reason for it.
    call: Result<Call, NotSent>,
    /// Decodes the reply.
    request: R,
    limit: Option<Limit>,
}

/// How long to wait.
#[derive(Debug)]
struct Limit {
    limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl<R> TypedCall<R> {
    pub(crate) fn new(call: Call, request: R) -> Self {
        Self { call: Ok(call), request, limit: None }
    }

    pub(crate) fn refused(reason: NotSent, request: R) -> Self {
        Self { call: Err(reason), request, limit: None }
    }

    /// Waits no longer than `limit`, from now, and then yields [`RequestError::Unanswered`], or
    /// [`NotSent::NoTurn`] if it was not even sent.
    ///
    /// The peer is not told: it may perform the request all the same, and until it answers, the request counts
    /// as in flight. A peer that never answers is left without calls after
    /// [`Limits::max_calls`](packetstream_core::Limits::max_calls) of them.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one without timers.
    pub fn timeout(self, limit: Duration) -> Self {
        let alarm = Box::pin(tokio::time::sleep(limit));
        Self { limit: Some(Limit { limit, alarm }), ..self }
    }
}

/// Nothing is pinned in it: the request is only kept to decode the reply.
impl<R> Unpin for TypedCall<R> {}

impl<R: BaseRequest> Future for TypedCall<R> {
    type Output = Result<R::Reply, RequestError<R::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, request, limit } = &mut *self;
        let call = match call {
            Ok(call) => call,
            Err(reason) => return Poll::Ready(Err(RequestError::NotSent(reason.clone()))),
        };
        if let Poll::Ready(result) = Pin::new(&mut *call).poll(cx) {
            let reply = result.map_err(RequestError::from);
            return Poll::Ready(
                reply.and_then(|reply| request.decode_response(reply).map_err(RequestError::Undecodable)),
            );
        }
        match limit {
            Some(Limit { limit, alarm }) => {
                ready!(alarm.as_mut().poll(cx));
                let waited = *limit;
                if !call.is_queued() {
                    return Poll::Ready(Err(RequestError::Unanswered(waited)));
                }
                // Given up for good: what is said not to be sent must not be.
                self.call = Err(NotSent::NoTurn(waited));
                Poll::Ready(Err(RequestError::NotSent(NotSent::NoTurn(waited))))
            }
            None => Poll::Pending,
        }
    }
}
