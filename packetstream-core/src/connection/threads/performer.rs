//! The threads that perform the peer's requests.

use super::super::handler::{Begun, Incoming, Performed, Ticket};
use super::super::park::Place;
use super::super::session::Session;
use super::{Inner, Monitor};
use crate::outcome::Failure;
use crate::sync::{MutexGuard, thread};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// How long a thread stays that has nothing to perform.
const LINGER: Duration = Duration::from_secs(5);

/// The requests that are performed, and the threads that do it. There are never more of them than the session lets
/// be performed at once.
#[derive(Default)]
pub(super) struct Performers {
    /// Begun, and waiting for a thread that has been called.
    jobs: VecDeque<Job>,
    /// Those that are performed, by the numbers of their tickets; what wakes whoever does.
    running: BTreeMap<u64, Waker>,
    /// Threads that perform nothing.
    free: usize,
    /// Those of them that have to be called.
    waiting: usize,
}

/// A request to be performed.
struct Job {
    ticket: Ticket,
    future: Begun,
}

impl Performers {
    /// Takes as many of the peer's requests as there may be, and says whether that was any.
    pub(super) fn take_requests(&mut self, session: &mut Session) -> bool {
        let mut busy = false;
        while let Some((ticket, request)) = session.next_request() {
            busy = true;
            self.take(session, ticket, request);
        }
        busy
    }

    /// Takes one of the peer's requests.
    pub(super) fn take(&mut self, session: &mut Session, ticket: Ticket, request: Incoming) {
        session.goes_on(ticket, request.rq_type);
        let future = session.handlers().of(ticket.id.channel).begin(ticket, request);
        self.jobs.push_back(Job { ticket, future });
    }

    /// Has all threads see that nothing is to be performed any more.
    pub(super) fn dismiss(&self) {
        self.running.values().for_each(Waker::wake_by_ref);
    }

    /// Drops what nobody has begun to perform.
    pub(super) fn clear(&mut self) -> impl Sized + use<> {
        std::mem::take(&mut self.jobs)
    }
}

impl Monitor {
    /// Calls a thread for each request that waits for one, and starts those that are missing.
    pub(super) fn call_performers(self: &Arc<Self>, inner: &mut Inner) {
        while inner.performers.jobs.len() > inner.performers.free {
            let monitor = Arc::clone(self);
            let work = move || monitor.watch(|| monitor.perform()).unwrap_or_default();
            if thread::Builder::new().name("packetstream handler".into()).spawn(work).is_ok() {
                inner.performers.free += 1;
            } else if inner.performers.running.is_empty() && inner.performers.free == 0 {
                // Nobody will ever come for it.
                return self.refuse_jobs(inner);
            } else {
                break;
            }
        }
        let Performers { jobs, free, waiting, .. } = &inner.performers;
        for _ in 0..jobs.len().saturating_sub(free - waiting).min(*waiting) {
            self.requests.notify_one();
        }
    }

    /// Refuses what this machine has no threads for.
    fn refuse_jobs(self: &Arc<Self>, inner: &mut Inner) {
        let Inner { session, performers, .. } = inner;
        for Job { ticket, .. } in std::mem::take(&mut performers.jobs) {
            session.finished(ticket, Ok(Err(Failure::busy(""))));
        }
        self.bell.ring();
    }

    /// Performs one request after the other, until there was none for a while.
    fn perform(self: &Arc<Self>) {
        let place = Place::new();
        let mut done = None;
        while let Some(Job { mut future, .. }) = self.next_job(done.take(), &place) {
            done = loop {
                // Panics are caught.
                if let Poll::Ready(performed) = place.poll(future.as_mut()) {
                    break Some(performed);
                }
                place.wait();
                if self.is_over() {
                    // What is dropped may panic.
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
                    return;
                }
            };
        }
    }

    /// Delivers an outcome, and waits for the next request.
    fn next_job(self: &Arc<Self>, done: Option<Performed>, place: &Place) -> Option<Job> {
        let mut inner = self.lock();
        if let Some((ticket, performed)) = done {
            inner.performers.running.remove(&ticket.number);
            inner.performers.free += 1;
            if let Some(session) = inner.session() {
                session.finished(ticket, performed);
                self.turn(&mut inner);
            }
        }
        while !inner.is_over {
            if let Some(job) = inner.performers.jobs.pop_front() {
                inner.performers.free -= 1;
                inner.performers.running.insert(job.ticket.number, place.waker().clone());
                return Some(job);
            }
            let has_waited;
            (inner, has_waited) = self.await_request(inner);
            if has_waited && inner.performers.jobs.is_empty() {
                inner.performers.free -= 1;
                return None;
            }
        }
        None
    }

    /// Waits to be called, and says whether that has taken too long.
    fn await_request<'a>(&'a self, mut inner: MutexGuard<'a, Inner>) -> (MutexGuard<'a, Inner>, bool) {
        inner.performers.waiting += 1;
        let (mut inner, waited) =
            self.requests.wait_timeout(inner, LINGER).unwrap_or_else(PoisonError::into_inner);
        inner.performers.waiting -= 1;
        (inner, waited.timed_out())
    }
}
