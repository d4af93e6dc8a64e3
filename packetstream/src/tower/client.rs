//! A client as a service.

use crate::client::{Client, Outgoing, RequestError, TypedCall};
use crate::protocol::Carries;
use packetstream_core::{BaseRequest, Call, CallError, NotSent, Place, Reply};
use std::task::{Context, Poll};
use tower_service::Service;

impl<P> Client<P> {
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NotSent>> {
        let Self { connection, turn, .. } = self;
        turn.poll(cx, |place: &Place| place.is_open(), || connection.reserve())
    }

    /// Sends a request in its turn; at the end of the queue, if nobody has waited for that.
    fn send(&mut self, Outgoing { rq_type, flags, payload, .. }: Outgoing) -> Call {
        match self.turn.take() {
            Some(place) => place.submit(rq_type, flags, payload),
            None => self.connection.submit(rq_type, flags, payload),
        }
    }
}

/// Ready when there is a place for the request among those in flight; fails when the connection is closed.
impl<P> Service<Outgoing> for Client<P> {
    type Response = Reply;
    type Error = CallError;
    type Future = Call;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.poll_turn(cx).map_err(CallError::NotSent)
    }

    fn call(&mut self, request: Outgoing) -> Call {
        self.send(request)
    }
}

/// Ready when there is a place for the request among those in flight; fails when the connection is closed.
impl<P, R> Service<R> for Client<P>
where
    P: Carries<R>,
    R: BaseRequest,
{
    type Response = R::Reply;
    type Error = RequestError<R::Error>;
    type Future = TypedCall<R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RequestError<R::Error>>> {
        self.poll_turn(cx).map_err(RequestError::NotSent)
    }

    fn call(&mut self, request: R) -> TypedCall<R> {
        match Outgoing::of::<P, R>(&request) {
            Ok(outgoing) => TypedCall::new(self.send(outgoing), request),
            Err(reason) => TypedCall::refused(reason, request),
        }
    }
}
