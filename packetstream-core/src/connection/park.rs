//! Waiting for a future on a thread that has nothing else to do.

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, Thread};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use tokio::runtime::Handle;

/// A thread of an async runtime was to be blocked, which could stop all that the runtime does, the connection
/// included. Await the async function of the same name there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this would block a thread of an async runtime")]
pub struct InsideRuntime;

/// Whether this thread may be blocked.
///
/// # Errors
///
/// [`InsideRuntime`], on all threads of a tokio runtime.
pub fn may_block() -> Result<(), InsideRuntime> {
    if Handle::try_current().is_ok() { Err(InsideRuntime) } else { Ok(()) }
}

/// Waits for a future on a thread that may be blocked.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let place = Place::new();
    loop {
        if let Poll::Ready(output) = place.poll(future.as_mut()) {
            return output;
        }
        place.wait();
    }
}

/// Where one thread waits. Several of them may be nested in one thread.
pub(super) struct Place {
    unpark: Arc<Unpark>,
    waker: Waker,
}

struct Unpark {
    thread: Thread,
    /// The thread's own token does not do: whoever waits within may have taken it.
    is_woken: AtomicBool,
}

impl Place {
    pub(super) fn new() -> Self {
        let unpark = Arc::new(Unpark { thread: thread::current(), is_woken: AtomicBool::new(false) });
        let waker = Arc::clone(&unpark).into();
        Self { unpark, waker }
    }

    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(super) fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// Waits until the waker was used since the last wait.
    pub(super) fn wait(&self) {
        while !self.unpark.is_woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

#[cfg(model = "loom")]
pub(in crate::connection) mod models;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn waiting_within_a_wait_does_not_take_its_wake_up() {
        let (done, waited) = mpsc::channel();
        thread::spawn(move || {
            let mut polls = 0;
            block_on(std::future::poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    cx.waker().wake_by_ref();
                    // Takes the thread's token.
                    let inner = Place::new();
                    inner.waker().wake_by_ref();
                    inner.wait();
                    thread::park_timeout(Duration::ZERO);
                    return Poll::Pending;
                }
                Poll::Ready(())
            }));
            done.send(polls).unwrap();
        });
        assert_eq!(waited.recv_timeout(Duration::from_mins(1)), Ok(2));
    }
}
