//! Handlers as services, and services as handlers.

use super::BoxError;
use ::tower::load_shed::error::Overloaded;
use ::tower::timeout::error::Elapsed;
use packetstream_core::{Failure, Handler, Incoming, Outcome, Reply};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tower_service::Service;

/// A [`Handler`], that of [`serve`](crate::serve) say, as a service of [`Incoming`] requests: what layers are put
/// around before a [`ServiceHandler`] takes them all. It is always ready.
#[derive(Debug)]
pub struct HandlerService<H> {
    handler: Arc<H>,
}

impl<H: Handler> HandlerService<H> {
    /// Has `handler` perform what the service is asked.
    pub fn new(handler: H) -> Self {
        Self { handler: Arc::new(handler) }
    }
}

impl<H> Clone for HandlerService<H> {
    fn clone(&self) -> Self {
        Self { handler: Arc::clone(&self.handler) }
    }
}

impl<H: Handler> Service<Incoming> for HandlerService<H> {
    type Response = Reply;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Outcome> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Incoming) -> Self::Future {
        let handler = Arc::clone(&self.handler);
        Box::pin(async move { handler.handle(request).await })
    }
}

/// A service of [`Incoming`] requests as a [`Handler`]. Each request has a clone of the service, and waits until
/// that is ready.
///
/// What the peer is told of the errors of services:
///
/// | error | not-ok answer |
/// |---|---|
/// | a [`Failure`] | as it is |
/// | that of `tower`'s load shed | `busy`, which is safe to ask again: put no retry above it in the stack |
/// | that of `tower`'s time-out | `not done in time` |
/// | any other | [`Failure::internal`] |
///
/// Where that does not do, a layer that maps errors to [`Failure`]s goes outermost.
pub struct ServiceHandler<S> {
    /// Locked to be cloned only: a service need not be `Sync`.
    service: Mutex<S>,
}

impl<S> ServiceHandler<S> {
    /// Has `service` perform the peer's requests.
    pub const fn new(service: S) -> Self {
        Self { service: Mutex::new(service) }
    }
}

impl<S> Handler for ServiceHandler<S>
where
    S: Service<Incoming> + Clone + Send + 'static,
    S::Response: Into<Reply>,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    fn handle(&self, request: Incoming) -> impl Future<Output = Outcome> + Send {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        async move {
            let ready = poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into);
            ready.map_err(failure)?;
            let reply = service.call(request);
            match reply.await {
                Ok(reply) => Ok(reply.into()),
                Err(error) => Err(failure(error.into())),
            }
        }
    }
}

/// What the peer is told of an error.
fn failure(error: BoxError) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => *failure,
        Err(error) if error.is::<Overloaded>() => Failure::busy(""),
        Err(error) if error.is::<Elapsed>() => Failure::new("not done in time"),
        Err(_) => Failure::internal(),
    }
}

impl<S> fmt::Debug for ServiceHandler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceHandler").finish_non_exhaustive()
    }
}
