//! A typed request on its way.

use super::RequestError;
use crate::trace;
use packetstream_core::{BaseRequest, Call, NotSent};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A request on its way; yields its reply, or a [`RequestError`]. See [`Client::call`](crate::Client::call).
#[derive(Debug)]
#[must_use = "the answer is in the future"]
pub struct TypedCall<R> {
    /// Nothing was sent if there is a reason for it.
    call: Result<Call, NotSent>,
    /// Decodes the reply.
    request: R,
}

impl<R> TypedCall<R> {
    pub(crate) fn new(call: Call, request: R) -> Self
    where
        R: BaseRequest,
    {
        trace::asks::<R>(&call);
        Self { call: Ok(call), request }
    }

    pub(crate) fn refused(reason: NotSent, request: R) -> Self {
        Self { call: Err(reason), request }
    }

    /// Waits no longer than `limit`, from now, and then yields [`RequestError::Unanswered`], or
    /// [`NotSent::NoTurn`] if it was not even sent: see [`Call::timeout`].
    ///
    /// # Panics
    ///
    /// In a tokio runtime without timers.
    pub fn timeout(self, limit: Duration) -> Self {
        Self { call: self.call.map(|call| call.timeout(limit)), ..self }
    }

    /// Names the request for people who look for faults: see [`Call::label`].
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Self {
        Self { call: self.call.map(|call| call.label(label)), ..self }
    }
}

impl<R: BaseRequest> TypedCall<R> {
    /// Blocks this thread until it is answered, whatever drives the connection: see [`Call::wait`].
    ///
    /// # Errors
    ///
    /// See [`RequestError`]. On a thread of an async runtime it is refused: with
    /// [`NotSent::InsideRuntime`] if it was not sent yet, else with [`RequestError::InsideRuntime`].
    pub fn wait(self) -> Result<R::Reply, RequestError<R::Error>> {
        let Self { call, request } = self;
        let reply = call.map_err(RequestError::NotSent)?.wait()?;
        request.decode_response(reply).map_err(RequestError::Undecodable)
    }
}

/// Nothing is pinned in it: the request is only kept to decode the reply.
impl<R> Unpin for TypedCall<R> {}

impl<R: BaseRequest> Future for TypedCall<R> {
    type Output = Result<R::Reply, RequestError<R::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, request } = &mut *self;
        Poll::Ready(match call {
            Ok(call) => match ready!(Pin::new(call).poll(cx)) {
                Ok(reply) => request.decode_response(reply).map_err(RequestError::Undecodable),
                Err(error) => Err(error.into()),
            },
            Err(reason) => Err(RequestError::NotSent(reason.clone())),
        })
    }
}
