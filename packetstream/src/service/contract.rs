//! Who may be performed now.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::unconstrained;

/// What the requests of one connection share to keep their contracts. Nothing is made before a request needs
/// it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// By request type.
    places: Mutex<BTreeMap<u64, Arc<Semaphore>>>,
    order: OnceLock<Arc<Semaphore>>,
}

/// A turn that was asked for. It comes in the order in which they are first polled.
pub(super) struct Turn(Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>);

/// What a request holds while it is performed. Others may go on when it is dropped, however that comes.
#[derive(Debug, Default)]
pub(super) struct Held {
    _place: Option<OwnedSemaphorePermit>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// One of `limit` places for requests of a type, if one is free.
    pub(super) fn place(&self, rq_type: u64, limit: usize) -> Option<Held> {
        let places = {
            // No code of others runs under the lock, so there is nothing half done to be afraid of.
            let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let make = || Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
            Arc::clone(all.entry(rq_type).or_insert_with(make))
        };
        let place = places.try_acquire_owned().ok()?;
        Some(Held { _place: Some(place), _turn: None })
    }

    /// Asks for the turn of an ordered request.
    pub(super) fn ask(&self) -> Turn {
        let order = Arc::clone(self.order.get_or_init(|| Arc::new(Semaphore::new(1))));
        // A task that has used its budget up may be put off before it has queued, and be overtaken.
        // The semaphore is never closed.
        Turn(Box::pin(async { unconstrained(order.acquire_owned()).await.ok() }))
    }
}

impl Turn {
    /// The same, having queued.
    pub(super) fn queued(mut self) -> Self {
        match self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Self(Box::pin(ready(permit))),
            // Whoever awaits it polls it again.
            Poll::Pending => self,
        }
    }

    /// Waits for it.
    pub(super) async fn hold(self, held: Held) -> Held {
        Held { _turn: self.0.await, ..held }
    }
}
