//! Answering: a protocol's requests dispatched to a service.

mod context;
mod contract;
mod served;

use crate::protocol::Protocol;
use packetstream_core::{BaseRequest, Outcome};
use std::future::Future;

pub use context::Context;
pub use served::Arrival;
pub use served::Served;
pub use served::serve;

/// Performs requests of type `R`. A service implements it once for each request of its protocol.
#[diagnostic::on_unimplemented(
    message = "service `{Self}` does not perform request `{R}`",
    label = "missing `impl Fulfil<{R}> for {Self}`",
    note = "the protocol served carries `{R}`"
)]
pub trait Fulfil<R: BaseRequest>: Send + Sync + 'static {
    /// Performs one request.
    ///
    /// Write it as `async fn fulfil(&self, request: R, cx: Context) -> Result<R::Reply, R::Error>`.
    /// The future is polled once by the connection's own task, which reads nothing meanwhile: do not
    /// block in it, unless the request is [`blocking`](packetstream_core::Contract::blocking). If it does
    /// not finish at once it goes on as a task of its own. On [threads](crate::blocking) it has one to itself, and may
    /// block it.
    ///
    /// # Errors
    ///
    /// What the request declares reaches the caller as it is; a [`Failure`](crate::Failure) does word for
    /// word. A panic reaches it as [`Failure::internal`](crate::Failure::internal).
    fn fulfil(&self, request: R, cx: Context) -> impl Future<Output = Result<R::Reply, R::Error>> + Send;
}

/// A protocol all of whose requests `S` performs. `#[derive(Protocol)]` writes it, for every `S` that
/// implements [`Fulfil`] for each request.
pub trait Dispatch<S>: Protocol {
    /// Has the service perform a request that has arrived: a match of [`Arrival::rq_type`] with an
    /// [`Arrival::fulfil`] for each request and an [`Arrival::unknown`] for the rest.
    fn dispatch(arrival: Arrival<'_, Self, S>) -> impl Future<Output = Outcome> + Send;
}
