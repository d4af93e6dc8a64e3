//! What handles want of the driver, and what they get.

use super::answers::{Answer, Answers, Seat};
use super::call::Submission;
use super::error::{CallError, ConnectionError};
use super::handler::Perform;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::mem;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

/// Commands of handles, how much of the connection they still want, and the answers to their requests.
///
/// A channel would not do: what is sent while its receiver goes can stay in it, and its sender wait for
/// ever. Here a command is either handed to the driver or refused, under one lock.
#[derive(Default)]
pub(super) struct Inbox {
    contents: Mutex<Contents>,
    /// Requests whose caller has gone before they were settled. It changes under the lock only.
    given_up: AtomicUsize,
}

#[derive(Default)]
struct Contents {
    commands: VecDeque<Command>,
    settings: Vec<Setting>,
    answers: Answers,
    wish: Wish,
    driver: Option<Waker>,
    /// Whether the driver has gone, so that nothing is obeyed any more.
    is_left: bool,
}

/// What a handle wants done, in this order.
pub(super) enum Command {
    /// Ask the peer.
    Submit(Submission),
    /// Tell when everything that was submitted before is settled.
    Barrier(oneshot::Sender<()>),
}

/// What a handle wants otherwise from now on. It overtakes commands, which may wait for an answer that depends on it.
pub(super) enum Setting {
    /// Open a channel, if it is not open.
    Open(u64),
    /// Open a channel, if it is not open, and have its requests performed so.
    Serve(u64, Box<dyn Perform>),
}

/// How much of a connection its handles want; they never want more again.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Wish {
    /// All of it.
    #[default]
    Live,
    /// To answer, and ask no more.
    Drain,
    /// To end it when everything is answered.
    Close,
    /// To end it now.
    Abort,
}

impl Inbox {
    /// Hands a request to the driver, unless it comes too late, and returns where its answer will be. `make` gets the
    /// driver's name for that.
    #[inline]
    pub(super) fn submit(&self, make: impl FnOnce(Seat) -> Submission) -> Option<Seat> {
        let mut contents = self.lock();
        if contents.is_left || contents.wish != Wish::Live {
            return None;
        }
        let (ours, drivers) = contents.answers.take();
        contents.commands.push_back(Command::Submit(make(drivers)));
        wake(contents);
        Some(ours)
    }

    /// What came of a request, once.
    #[inline]
    pub(super) fn poll_answer(&self, seat: &Seat, cx: &Context<'_>) -> Poll<Answer> {
        let mut contents = self.lock();
        let polled = contents.answers.poll(seat, cx);
        drop(contents);
        polled.map_or(Poll::Pending, Poll::Ready)
    }

    /// Nobody waits for the answer any more. Returns it if it was there.
    pub(super) fn give_up(&self, seat: Seat) -> Option<Answer> {
        let mut contents = self.lock();
        let left = contents.answers.give_up(seat);
        if left.is_err() {
            self.given_up.fetch_add(1, Ordering::Relaxed);
        }
        drop(contents);
        left.ok()
    }

    /// Requests whose caller has gone, and that are not settled.
    pub(super) fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Whether nobody waits for an answer any more.
    pub(super) fn is_given_up(&self, seat: &Seat) -> bool {
        // Most callers stay.
        self.given_up() > 0 && self.lock().answers.is_given_up(seat)
    }

    /// Delivers an answer to whoever waits for it.
    #[inline]
    pub(super) fn settle(&self, seat: Seat, answer: Answer) {
        let mut contents = self.lock();
        let settled = contents.answers.settle(seat, answer);
        if settled.is_err() {
            self.given_up.fetch_sub(1, Ordering::Relaxed);
        }
        drop(contents);
        if let Ok(Some(caller)) = settled {
            caller.wake();
        }
    }

    /// Has the driver tell when all requests that were submitted before are settled. If there is no driver, or it
    /// goes, `reached` is dropped.
    pub(super) fn bar(&self, reached: oneshot::Sender<()>) {
        let mut contents = self.lock();
        if contents.is_left {
            drop(contents);
            return drop(reached);
        }
        contents.commands.push_back(Command::Barrier(reached));
        wake(contents);
    }

    /// Hands a setting to the driver, for as long as there is one.
    pub(super) fn set(&self, setting: Setting) {
        let mut contents = self.lock();
        if contents.is_left {
            // What may be code of others is dropped when the lock is free.
            drop(contents);
            return drop(setting);
        }
        contents.settings.push(setting);
        wake(contents);
    }

    /// Wants no more than this from now on. What was commanded before stays.
    pub(super) fn wish(&self, wish: Wish) {
        let mut contents = self.lock();
        contents.wish = contents.wish.max(wish);
        seeded!(LostWakeUp => return);
        wake(contents);
    }

    /// Has the driver look at things.
    pub(super) fn nudge(&self) {
        wake(self.lock());
    }

    /// Moves the commands and the settings behind what `taken` and `settings` hold, and says what is wished. Whoever
    /// changes that next wakes the task.
    pub(super) fn poll(
        &self,
        taken: &mut VecDeque<Command>,
        settings: &mut Vec<Setting>,
        waker: &Waker,
    ) -> Wish {
        let mut contents = self.lock();
        settings.append(&mut contents.settings);
        if taken.is_empty() {
            mem::swap(taken, &mut contents.commands);
        } else {
            taken.append(&mut contents.commands);
        }
        match &mut contents.driver {
            Some(driver) => driver.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        contents.wish
    }

    /// Takes no more requests, and moves the commands behind what `taken` holds.
    pub(super) fn end(&self, taken: &mut VecDeque<Command>) {
        let mut contents = self.lock();
        contents.wish = contents.wish.max(Wish::Close);
        taken.append(&mut contents.commands);
    }

    /// Takes no more commands at all, drops those that nobody will obey, and settles what nobody will.
    pub(super) fn leave(&self) {
        let mut contents = self.lock();
        contents.wish = contents.wish.max(Wish::Close);
        contents.is_left = true;
        contents.driver = None;
        let left = (mem::take(&mut contents.commands), mem::take(&mut contents.settings));
        seeded!(CallForgotten => return);
        // Where all has gone well nobody is left.
        let callers = contents.answers.settle_all(|| Err(CallError::Lost(ConnectionError::Dropped)));
        self.given_up.store(0, Ordering::Relaxed);
        drop(contents);
        // Before what may be code of others, which may panic, is dropped.
        callers.into_iter().for_each(Waker::wake);
        drop(left);
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

#[cfg(model = "loom")]
pub(in crate::connection) mod models;
