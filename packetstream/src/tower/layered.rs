//! Typed calls through layers.

use super::BoxError;
use crate::client::{Outgoing, RequestError};
use crate::protocol::Carries;
use packetstream_core::{BaseRequest, CallError, ErrorResponse, Failure, Reply};
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use tower_service::Service;

/// Asks the requests of protocol `P` through a service `S` of [`Outgoing`]s, which is a stack of layers over a
/// [`Link`](crate::Link), a [`Client`](crate::Client), or a pool of them.
///
/// Each call has a clone of the service, as services of `tower` are meant to be shared.
pub struct Layered<P, S> {
    service: S,
    protocol: PhantomData<fn() -> P>,
}

/// Why a request through layers has no reply. `E` is the failure that the request declares.
#[derive(Debug, thiserror::Error)]
pub enum LayeredError<E = Failure> {
    /// The layers have passed on what came of it.
    #[error(transparent)]
    Request(RequestError<E>),
    /// A layer has failed it, for the time it took say, or for lack of room. Whether it was sent only the layer
    /// knows.
    #[error("a layer has failed the request")]
    Layer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl<P, S> Layered<P, S> {
    /// Asks through `service`.
    pub const fn new(service: S) -> Self {
        Self { service, protocol: PhantomData }
    }
}

impl<P, S> Layered<P, S>
where
    S: Service<Outgoing, Response = Reply> + Clone,
    S::Error: Into<BoxError>,
{
    /// Waits until the service is ready, and asks. Nothing is done before the future is polled.
    ///
    /// Layers bound the time that a request takes; being ready may take any, unless the outermost layer sheds load.
    ///
    /// # Errors
    ///
    /// See [`LayeredError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; the peer may still perform the request.
    pub fn call<R>(
        &self,
        request: R,
    ) -> impl Future<Output = Result<R::Reply, LayeredError<R::Error>>> + use<P, S, R>
    where
        P: Carries<R>,
        R: BaseRequest,
    {
        let mut service = self.service.clone();
        let outgoing = Outgoing::of::<P, R>(&request).map_err(RequestError::NotSent);
        async move {
            let outgoing = outgoing?;
            let reply = match poll_fn(|cx| service.poll_ready(cx)).await {
                Ok(()) => service.call(outgoing).await,
                Err(error) => Err(error),
            };
            let reply = reply.map_err(|error| LayeredError::of(error.into()))?;
            Ok(request.decode_response(reply).map_err(RequestError::Undecodable)?)
        }
    }
}

impl<E: ErrorResponse> LayeredError<E> {
    /// What an error of a service tells.
    fn of(error: BoxError) -> Self {
        match error.downcast::<CallError>() {
            Ok(error) => Self::Request((*error).into()),
            Err(error) => Self::Layer(error),
        }
    }
}

impl<E> From<RequestError<E>> for LayeredError<E> {
    fn from(error: RequestError<E>) -> Self {
        Self::Request(error)
    }
}

impl<P, S: Clone> Clone for Layered<P, S> {
    fn clone(&self) -> Self {
        Self::new(self.service.clone())
    }
}

impl<P, S: fmt::Debug> fmt::Debug for Layered<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layered").field(&self.service).finish()
    }
}
