//! What handles want of the driver, and what they get.

use super::answers::{Answer, Answers, Left, Seat};
use super::call::Submission;
use super::error::{CallError, ConnectionError, NotSent};
use super::handler::Perform;
use super::line::{Line, Waiting};
use crate::outcome::Reply;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::mem;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Commands of handles, how much of the connection they still want, who of them has to wait for a turn, and the answers
/// to their requests.
///
/// A channel would not do: what is sent while its receiver goes can stay in it, and its sender wait for
/// ever. Here a command is either handed to the driver or refused, under one lock.
pub(super) struct Inbox {
    contents: Mutex<Contents>,
    /// Requests whose caller has gone before they were settled. It changes under the lock only.
    given_up: AtomicUsize,
    /// Those who wait for a place. It changes under the lock only.
    queued: AtomicUsize,
}

struct Contents {
    commands: VecDeque<Command>,
    settings: Vec<Setting>,
    answers: Answers,
    line: Line,
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

/// A place among the requests in flight.
pub(super) enum Reserved {
    /// Is there.
    Now,
    /// Will be there when there is an answer here.
    Later(Seat),
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
    /// With so many places among the requests in flight.
    pub(super) fn new(places: usize) -> Self {
        Self {
            contents: Mutex::new(Contents {
                commands: VecDeque::new(),
                settings: Vec::new(),
                answers: Answers::default(),
                line: Line::new(places),
                wish: Wish::Live,
                driver: None,
                is_left: false,
            }),
            given_up: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
        }
    }

    /// Hands a request to the driver, or has it wait until there is a place, unless it comes too late; returns where its
    /// answer will be. `make` gets the driver's name for that; `bytes` is how long its payload is.
    #[inline]
    pub(super) fn submit(&self, bytes: usize, make: impl FnOnce(Seat) -> Submission) -> Option<Seat> {
        let mut contents = self.lock();
        if !contents.is_open() {
            return None;
        }
        let has_place = contents.line.take();
        let (ours, drivers) = contents.answers.take((!has_place).then_some(bytes));
        let submission = make(drivers);
        if has_place {
            contents.commands.push_back(Command::Submit(submission));
            wake(contents);
        } else {
            self.join(contents, Waiting::Request(submission));
        }
        Some(ours)
    }

    /// As [`submit`](Self::submit), for whoever has a place, which is the request's if it was handed over.
    pub(super) fn submit_in_place(&self, make: impl FnOnce(Seat) -> Submission) -> Option<Seat> {
        let mut contents = self.lock();
        if !contents.is_open() {
            return None;
        }
        let (ours, drivers) = contents.answers.take(None);
        contents.commands.push_back(Command::Submit(make(drivers)));
        wake(contents);
        Some(ours)
    }

    /// Takes a place, at once or when there is one. Nothing if it comes too late.
    pub(super) fn reserve(&self) -> Option<Reserved> {
        let mut contents = self.lock();
        if !contents.is_open() {
            return None;
        }
        if contents.line.take() {
            return Some(Reserved::Now);
        }
        let (ours, drivers) = contents.answers.take(Some(0));
        self.join(contents, Waiting::Reservation(drivers));
        Some(Reserved::Later(ours))
    }

    #[cold]
    fn join(&self, mut contents: MutexGuard<'_, Contents>, waiting: Waiting) {
        let is_first = contents.line.len() == 0;
        contents.line.join(waiting);
        self.count(&contents);
        if is_first {
            // What drives the connection sees to it that this has an end.
            wake(contents);
        }
    }

    fn count(&self, contents: &Contents) {
        self.queued.store(contents.line.len(), Ordering::Relaxed);
    }

    /// Gives a place back that no request has.
    pub(super) fn give_back(&self) {
        let mut contents = self.lock();
        let passed = contents.pass_on();
        self.count(&contents);
        drop(contents);
        passed.finish();
    }

    /// Those who wait for a place.
    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Whether this request waits for a place.
    pub(super) fn is_queued(&self, seat: &Seat) -> bool {
        self.queued() > 0 && self.lock().answers.is_queued(seat)
    }

    /// Sends all away who wait for a place, and tells them why.
    pub(super) fn disperse(&self, reason: impl Fn() -> NotSent) {
        let mut contents = self.lock();
        let waiting = contents.line.disperse();
        let mut callers = Vec::new();
        for seat in waiting.iter().map(Waiting::seat) {
            callers.extend(contents.answers.settle(seat, Err(reason().into())).ok().flatten());
        }
        self.count(&contents);
        drop(contents);
        callers.into_iter().for_each(Waker::wake);
    }

    /// Whether requests are taken.
    pub(super) fn is_open(&self) -> bool {
        self.lock().is_open()
    }

    /// What came of a request, once.
    #[inline]
    pub(super) fn poll_answer(&self, seat: &Seat, cx: &Context<'_>) -> Poll<Answer> {
        let mut contents = self.lock();
        let polled = contents.answers.poll(seat, cx);
        drop(contents);
        polled.map_or(Poll::Pending, Poll::Ready)
    }

    /// Nobody waits for the answer any more. A request that waits for a place will not be sent.
    pub(super) fn give_up(&self, seat: Seat) -> Left {
        let mut contents = self.lock();
        let (left, _waker) = contents.answers.give_up(seat);
        let mut gone = VecDeque::new();
        match left {
            Left::Answered(_) => {}
            Left::Queued { bytes } => {
                if contents.line.leave(bytes) {
                    gone = contents.remove_gone();
                }
                self.count(&contents);
            }
            Left::Sent => {
                self.given_up.fetch_add(1, Ordering::Relaxed);
                seeded!(PermitWithFuture => { drop(contents); self.give_back(); return left });
            }
        }
        drop(contents);
        drop(gone);
        left
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

    /// Delivers an answer to whoever waits for it, and gives the place back.
    #[inline]
    pub(super) fn settle(&self, seat: &Seat, answer: Answer) {
        let mut contents = self.lock();
        let settled = contents.answers.settle(seat, answer);
        if settled.is_err() {
            self.given_up.fetch_sub(1, Ordering::Relaxed);
        }
        let passed = contents.pass_on();
        if self.queued() > 0 {
            self.count(&contents);
        }
        drop(contents);
        if let Ok(Some(caller)) = settled {
            caller.wake();
        }
        passed.finish();
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
        if contents.wish < wish {
            contents.wish = wish;
            seeded!(LostWakeUp => return);
            wake(contents);
        }
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
        let wish = contents.wish;
        if !contents.driver.as_ref().is_some_and(|driver| driver.will_wake(waker)) {
            let former = contents.driver.replace(waker.clone());
            drop(contents);
            // It may be the last of a task, with handles of its own.
            drop(former);
        }
        wish
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
        let driver = contents.driver.take();
        let left = (mem::take(&mut contents.commands), mem::take(&mut contents.settings));
        let waiting = contents.line.disperse();
        seeded!(CallForgotten => return);
        // Where all has gone well nobody is left.
        let callers = contents.answers.settle_all(|| Err(CallError::Lost(ConnectionError::Dropped)));
        self.given_up.store(0, Ordering::Relaxed);
        drop(contents);
        // Before what may be code of others, which may panic, is dropped.
        callers.into_iter().for_each(Waker::wake);
        drop((left, waiting, driver));
    }

    #[cfg(model = "shuttle")]
    pub(super) fn free_places(&self) -> usize {
        self.lock().line.free()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // No code of others runs under the lock, so there is nothing half done to be afraid of.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn is_open(&self) -> bool {
        self.wish == Wish::Live && !self.is_left
    }

    /// A place is somebody else's.
    #[inline]
    fn pass_on(&mut self) -> Passed {
        match self.line.give_back() {
            Some(first) => self.pass_on_to(first),
            None => Passed::default(),
        }
    }

    #[cold]
    fn pass_on_to(&mut self, first: Waiting) -> Passed {
        let mut passed = Passed::default();
        let mut next = Some(first);
        while let Some(waiting) = next {
            match waiting {
                Waiting::Request(mut submission) if self.answers.has_turn(&submission.answer) => {
                    if let Some(observed) = &mut submission.observed {
                        // So far it has waited for others.
                        observed.1 = Instant::now();
                    }
                    self.commands.push_back(Command::Submit(submission));
                    passed.driver = self.driver.take();
                    break;
                }
                Waiting::Reservation(ref seat) => {
                    if let Ok(caller) = self.answers.settle(seat, Ok(Reply::default())) {
                        passed.caller = caller;
                        break;
                    }
                }
                Waiting::Request(ref submission) => self.answers.clear(&submission.answer),
            }
            self.line.skip(&waiting);
            passed.gone.push(waiting);
            next = self.line.give_back();
        }
        passed
    }

    fn remove_gone(&mut self) -> VecDeque<Waiting> {
        let Self { line, answers, .. } = self;
        let gone = line.remove(|seat| answers.is_given_up(seat));
        for waiting in &gone {
            answers.clear(waiting.seat());
        }
        gone
    }
}

/// What is to be done when a place was passed on and the lock is free.
#[derive(Debug, Default)]
#[must_use]
struct Passed {
    /// Who has the place.
    caller: Option<Waker>,
    /// If that is a request.
    driver: Option<Waker>,
    /// Those who would have had it, and have gone.
    gone: Vec<Waiting>,
}

impl Passed {
    fn finish(self) {
        self.caller.into_iter().chain(self.driver).for_each(Waker::wake);
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
