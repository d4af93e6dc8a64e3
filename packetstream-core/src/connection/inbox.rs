//! What handles want of the driver.

use super::call::Submission;
use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Requests that were submitted, and whether that is over.
///
/// A channel would not do: what is sent while its receiver goes can stay in it, and its sender wait for
/// ever. Here a request is either handed to the driver or refused, under one lock.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    submitted: VecDeque<Submission>,
    is_closed: bool,
    driver: Option<Waker>,
}

impl Inbox {
    /// Hands a request to the driver, unless the inbox is closed.
    pub(super) fn submit(&self, submission: Submission) -> bool {
        let mut contents = self.lock();
        if contents.is_closed {
            return false;
        }
        contents.submitted.push_back(submission);
        wake(contents);
        true
    }

    /// Takes no more requests. What was submitted before stays.
    pub(super) fn close(&self) {
        let mut contents = self.lock();
        contents.is_closed = true;
        wake(contents);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Moves what was submitted behind what `taken` holds, and says whether the inbox is closed. Whoever
    /// changes that next wakes the task.
    pub(super) fn poll(&self, taken: &mut VecDeque<Submission>, cx: &mut Context<'_>) -> bool {
        let mut contents = self.lock();
        if taken.is_empty() {
            mem::swap(taken, &mut contents.submitted);
        } else {
            taken.append(&mut contents.submitted);
        }
        match &mut contents.driver {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        contents.is_closed
    }

    /// Closes, and returns what nobody will send.
    pub(super) fn end(&self) -> VecDeque<Submission> {
        let mut contents = self.lock();
        contents.is_closed = true;
        contents.driver = None;
        mem::take(&mut contents.submitted)
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // No code of others runs under the lock, so there is nothing half done to be afraid of.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the driver, once the lock is free.
fn wake(mut contents: MutexGuard<'_, Contents>) {
    let driver = contents.driver.take();
    drop(contents);
    if let Some(waker) = driver {
        waker.wake();
    }
}
