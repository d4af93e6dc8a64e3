//! Performing the peer's requests.

use super::trace::RequestSpan;
use super::{Extensions, PacketConnection, Shared};
use crate::outcome::{Failure, Outcome};
use crate::state::{RequestId, Requested};
use crate::sync::Mutex;
use bytes::Bytes;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::task::JoinSet;

/// Performs the requests of the peer, one future for each.
///
/// The connection's own task polls the future once, reading nothing meanwhile: do not block in it. If it
/// does not finish at once it goes on as a task of its own, and is dropped when the connection dies. A
/// panic is answered with [`Failure::internal`]; the connection lives on. On [threads](crate::blocking) each future has
/// a thread to itself until it has finished, and may block.
///
/// Async closures that take an [`Incoming`] are handlers:
///
/// ```
/// use packetstream_core::{Incoming, PacketConnection, Reply};
///
/// let builder = PacketConnection::builder().handler(async |request: Incoming| Ok(Reply::from(request.payload)));
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Performs one request.
    fn handle(&self, request: Incoming) -> impl Future<Output = Outcome> + Send;

    /// Takes note that a request has arrived, before [`handle`](Self::handle) is called for it, and may
    /// [attach](Incoming::attach) to it what that will want. It must not block, and does nothing unless it is written.
    ///
    /// Only connections on [threads](crate::blocking) call it, in the order of arrival: several requests are begun at
    /// once there, and `handle` may be called in another order. A handler that passes requests on to another passes
    /// this on, too.
    fn arrived(&self, request: &mut Incoming) {
        let _ = request;
    }
}

impl<F, R> Handler for F
where
    F: Fn(Incoming) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn handle(&self, request: Incoming) -> impl Future<Output = Outcome> + Send {
        self(request)
    }
}

/// A request of the peer.
pub struct Incoming {
    /// Which of the peer's requests it is.
    pub id: RequestId,
    /// What is asked, in the application's numbers.
    pub rq_type: u64,
    /// The application's flags.
    pub flags: u64,
    /// The application's bytes. Whoever keeps few of them for long should copy them: they may share up to 1 KiB with
    /// others that came at the same time.
    pub payload: Bytes,
    shared: Arc<Shared>,
    /// In a mutex only to be shared: nobody ever waits for it. In a box since most requests have none.
    attached: Option<Box<Mutex<Box<dyn Any + Send>>>>,
}

impl Incoming {
    pub(super) fn new(request: Requested, shared: Arc<Shared>) -> Self {
        let Requested { id, rq_type, flags, payload } = request;
        Self { id, rq_type, flags, payload, shared, attached: None }
    }

    /// Keeps a value with the request, in place of the one it has, for [`Handler::arrived`].
    pub fn attach(&mut self, value: impl Any + Send) {
        self.attached = Some(Box::new(Mutex::new(Box::new(value))));
    }

    /// Takes the value that was attached, if it is of this type.
    pub fn detach<T: Any>(&mut self) -> Option<T> {
        let is_of_type = |attached: &mut Box<Mutex<Box<dyn Any + Send>>>| {
            attached.get_mut().unwrap_or_else(PoisonError::into_inner).is::<T>()
        };
        let attached = self.attached.take_if(is_of_type)?;
        let value = attached.into_inner().unwrap_or_else(PoisonError::into_inner);
        value.downcast().ok().map(|value| *value)
    }

    /// The connection and the channel that the request came over, to ask the peer in turn. It is a handle like others:
    /// for as long as a handler keeps it the connection does not close for want of handles.
    #[must_use]
    pub fn peer(&self) -> PacketConnection {
        PacketConnection::new(Arc::clone(&self.shared), self.id.channel)
    }

    /// What the application keeps with the connection.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.shared.extensions
    }

    /// Whether no answer can be delivered any more: the connection has failed or ended.
    ///
    /// A handler's future is dropped soon after. This is for what does not end with it: tasks that it has
    /// spawned, and code that blocks.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.progress.borrow().is_cancelled
    }

    /// Waits until [`is_cancelled`](Self::is_cancelled).
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn cancelled(&self) {
        // There is a sender for as long as there is `self`.
        let _ = self.shared.progress.subscribe().wait_for(|progress| progress.is_cancelled).await;
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("id", &self.id)
            .field("rq_type", &self.rq_type)
            .field("flags", &self.flags)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .finish_non_exhaustive()
    }
}

/// The handler of a side that only asks.
pub(super) struct NoHandler;

impl Handler for NoHandler {
    async fn handle(&self, _: Incoming) -> Outcome {
        Err(Failure::new("no request handler"))
    }
}

/// Which request is performed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) id: RequestId,
    /// Counts the requests that were begun.
    pub(super) number: u64,
}

/// A handler has panicked; the panic's own hook has said how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panicked;

/// What came of performing a request.
pub(super) type Performed = (Ticket, Result<Outcome, Panicked>);

/// The tasks of requests that did not finish at once.
pub(super) type Tasks = JoinSet<Performed>;

/// A request that some thread is to perform.
pub(super) type Begun = Pin<Box<dyn Future<Output = Performed> + Send>>;

/// A [`Handler`] as the driver has it, without its type.
pub(super) trait Perform: Send {
    /// Performs a request: to its end if it gets there at once, else as one of `tasks`.
    fn start(
        &mut self,
        ticket: Ticket,
        request: Incoming,
        cx: &mut Context<'_>,
        tasks: &mut Tasks,
    ) -> Option<Result<Outcome, Panicked>>;

    /// Takes note that a request has arrived, and makes the future that performs it.
    fn begin(&self, ticket: Ticket, request: Incoming) -> Begun;
}

/// Erases the type of a handler.
pub(super) fn perform(handler: impl Handler) -> Box<dyn Perform> {
    let handler = Arc::new(handler);
    let arrived = {
        let handler = Arc::clone(&handler);
        move |request: &mut Incoming| handler.arrived(request)
    };
    let make = move |request| {
        let handler = Arc::clone(&handler);
        async move { handler.handle(request).await }
    };
    Box::new(InPlace { arrived, make, place: Box::pin(None) })
}

/// Polls a handler's future in a place that serves one request after the other, so that a request which
/// finishes at once costs neither an allocation nor a task.
struct InPlace<A, M, F> {
    arrived: A,
    make: M,
    place: Pin<Box<Option<F>>>,
}

impl<A, M, F> Perform for InPlace<A, M, F>
where
    A: Fn(&mut Incoming) + Send,
    M: Fn(Incoming) -> F + Send,
    F: Future<Output = Outcome> + Send + 'static,
{
    fn start(
        &mut self,
        ticket: Ticket,
        request: Incoming,
        cx: &mut Context<'_>,
        tasks: &mut Tasks,
    ) -> Option<Result<Outcome, Panicked>> {
        let span = request.shared.trace.request(&request);
        self.place.set(Some((self.make)(request)));
        if let Poll::Ready(performed) = poll_caught(self.place.as_mut(), &span, cx) {
            return Some(performed);
        }
        let place = std::mem::replace(&mut self.place, Box::pin(None));
        tasks.spawn(Rest { ticket, place, span });
        None
    }

    fn begin(&self, ticket: Ticket, mut request: Incoming) -> Begun {
        (self.arrived)(&mut request);
        let span = request.shared.trace.request(&request);
        let place = Box::pin(Some((self.make)(request)));
        Box::pin(Rest { ticket, place, span })
    }
}

/// A request that is performed elsewhere, if only for the rest of it.
struct Rest<F> {
    ticket: Ticket,
    place: Pin<Box<Option<F>>>,
    span: RequestSpan,
}

impl<F> Drop for Rest<F> {
    fn drop(&mut self) {
        if self.place.is_some() {
            self.span.give_up();
            let _entered = self.span.enter();
            self.place.set(None);
        }
    }
}

impl<F: Future<Output = Outcome>> Future for Rest<F> {
    type Output = Performed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { place, span, .. } = &mut *self;
        let performed = ready!(poll_caught(place.as_mut(), span, cx));
        Poll::Ready((self.ticket, performed))
    }
}

/// Polls what is in the place, and empties it at the end; a panic of either is the end, too.
fn poll_caught<F: Future<Output = Outcome>>(
    mut place: Pin<&mut Option<F>>,
    span: &RequestSpan,
    cx: &mut Context<'_>,
) -> Poll<Result<Outcome, Panicked>> {
    let poll = || {
        let _entered = span.enter();
        let future = place.as_mut().as_pin_mut();
        let outcome = future.map_or(Poll::Ready(Err(Failure::internal())), |future| future.poll(cx));
        if outcome.is_ready() {
            place.set(None);
        }
        outcome
    };
    let Ok(polled) = catch_unwind(AssertUnwindSafe(poll)) else {
        // What has panicked may do so again when it is dropped; the place is empty all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| place.set(None)));
        span.performed(Err(Panicked));
        return Poll::Ready(Err(Panicked));
    };
    if let Poll::Ready(outcome) = &polled {
        span.performed(Ok(outcome));
    }
    polled.map(Ok)
}
