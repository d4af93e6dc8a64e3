//! The driver for programs without a runtime: threads around one session.
//!
//! ```text
//!              ┌──────────────────────┐
//!   reader ──▶ │ Monitor              │ ──▶ writer          each waits for the transport alone
//!              │   Session            │
//!   driver ──▶ │   requests, packets  │ ──▶ performers      one for each handler that runs
//!              └──────────────────────┘
//! ```
//!
//! Whoever has news takes the lock and then a turn, which does all that can be done without waiting: the reader
//! when it has read, the writer when it has written or when a handle has rung, a performer with an outcome. The
//! driver is there for the rest: deadlines, handles that ring while the writer is held up, and the end.
//!
//! The laws are those of the task that drives (`driver.rs`). The lock is never held while a thread waits for the
//! transport or a handler, so that neither holds up the others; observers are called under it.

pub(super) mod bell;
mod driver;
mod performer;
mod reader;
mod transport;
mod writer;

use super::builder::Carriage;
use super::error::ConnectionError;
use super::session::{Overdue, Phase, Session, Transit};
use super::writer::Writer;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, MutexGuard};
use bell::Bell;
use performer::Performers;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

pub use driver::{Driver, Ended, SpawnError};
pub use transport::{Half, Transport};

/// Steps of one turn before it looks at the clock.
const STEPS: usize = 8;

/// What the threads of one connection share.
struct Monitor {
    inner: Mutex<Inner>,
    /// The reader waits for it while no more may be read.
    room: Condvar,
    /// Performers wait for it.
    requests: Condvar,
    /// The reader or the writer has come back from the transport, after the end.
    returned: Condvar,
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
    /// As in `inner`, for those who only look.
    is_over: AtomicBool,
    packet_grace: Duration,
}

struct Inner {
    session: Session,
    wire: Wire,
    performers: Performers,
    /// Whether nothing is left to do but for the driver.
    is_over: bool,
    /// Whether a thread has panicked.
    is_broken: bool,
    /// When to look at the session in any case.
    deadline: Option<Instant>,
    /// When the driver will.
    alarm: Option<Instant>,
    reader: Whereabouts,
    writer: Whereabouts,
}

/// Where the reader or the writer is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Whereabouts {
    /// About to look at the session, or gone.
    Near,
    /// To be called: the reader when there is room, the writer when there is something to write.
    Waiting,
    /// In a read or a write, which may take any time.
    InTransport,
}

/// What is between the session and the peer.
#[derive(Default)]
struct Wire {
    /// What the reader and the writer have told; of the packets only those that the writer has taken.
    told: Transit,
    /// Packets for the writer to take.
    queued: Writer,
    /// Whether what was not written does not matter any more.
    is_given_up: bool,
}

impl Wire {
    fn transit(&self) -> Transit {
        if self.is_given_up {
            return Transit { unsent: 0, responses: 0, is_flushed: true, ..self.told };
        }
        Transit {
            unsent: self.unsent(),
            responses: self.told.responses + self.queued.responses(),
            is_flushed: self.told.is_flushed && self.queued.is_idle(),
            ..self.told
        }
    }

    /// Bytes that the transport has not taken.
    fn unsent(&self) -> usize {
        self.told.unsent.saturating_add(self.queued.unsent())
    }

    /// Takes note of how far the writer has come.
    fn wrote(&mut self, writer: &Writer) {
        self.told.written = writer.written();
        self.told.flushes = writer.flushes();
        self.told.unsent = writer.unsent();
        self.told.responses = writer.responses();
        self.told.is_flushed = writer.is_idle();
    }

    /// What was not written will not be. Says how many responses may be lost by it.
    fn give_up(&mut self) -> u64 {
        self.is_given_up = true;
        self.told.responses + self.queued.discard()
    }
}

impl Monitor {
    fn new(session: Session, carriage: &Carriage) -> Self {
        let bell = Arc::new(Bell::default());
        let read = carriage.unread.len() as u64;
        Self {
            inner: Mutex::new(Inner {
                session,
                wire: Wire {
                    told: Transit { read, is_flushed: true, ..Transit::default() },
                    ..Wire::default()
                },
                performers: Performers::default(),
                is_over: false,
                is_broken: false,
                deadline: None,
                alarm: None,
                reader: Whereabouts::Near,
                writer: Whereabouts::Near,
            }),
            room: Condvar::new(),
            requests: Condvar::new(),
            returned: Condvar::new(),
            waker: Arc::clone(&bell).into(),
            bell,
            is_over: AtomicBool::new(false),
            packet_grace: carriage.packet_grace,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever panics under the lock breaks the connection off: see `watch`.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Does all that can be done without waiting, and calls those who can go on.
    fn turn(self: &Arc<Self>, inner: &mut Inner) {
        if inner.is_over {
            return;
        }
        let is_unfinished = inner.advance(&self.waker);
        if inner.is_over {
            return self.dismiss(inner);
        }
        if let Some(deadline) = inner.deadline
            && inner.alarm.is_none_or(|alarm| deadline < alarm)
        {
            inner.alarm = Some(deadline);
            self.bell.ring_at(deadline);
        }
        if is_unfinished {
            self.bell.ring();
        } else if inner.writer == Whereabouts::Waiting && inner.wire.queued.unsent() > 0 {
            inner.writer = Whereabouts::Near;
            self.bell.ring();
        }
        let Inner { session, reader, .. } = &mut *inner;
        if *reader == Whereabouts::Waiting && (session.may_read() || session.hears_no_more()) {
            *reader = Whereabouts::Near;
            self.room.notify_one();
        }
        self.call_performers(inner);
    }

    /// Sends everybody home.
    fn dismiss(&self, inner: &mut Inner) {
        inner.is_over = true;
        self.is_over.store(true, Ordering::Release);
        inner.performers.dismiss();
        self.room.notify_all();
        self.requests.notify_all();
        self.returned.notify_all();
        self.bell.ring_for_good();
    }

    /// Does the work of a thread. If that panics, as code of others may, the connection is broken off.
    fn watch<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|_| self.break_off()).ok()
    }

    fn break_off(&self) {
        let mut inner = self.lock();
        inner.is_broken = true;
        self.dismiss(&mut inner);
    }
}

impl Inner {
    /// The session, until the end.
    fn session(&mut self) -> Option<&mut Session> {
        if self.is_over { None } else { Some(&mut self.session) }
    }

    /// Does all that can be done without waiting, and says whether there may be more.
    fn advance(&mut self, waker: &Waker) -> bool {
        let Self { session, wire, performers, .. } = self;
        let mut steps = 0;
        loop {
            let mut busy = session.obey(waker);
            busy |= performers.take_requests(session);
            busy |= session.transmit(&mut wire.queued, wire.told.unsent);
            if session.is_over(&wire.transit()) {
                self.is_over = true;
                return false;
            }
            steps += 1;
            if busy && steps < STEPS {
                continue;
            }
            // Whoever keeps us busy does not stop the clock.
            match session.look(&wire.transit(), Instant::now()) {
                Overdue::Nothing(deadline) => {
                    self.deadline = deadline;
                    session.publish(&wire.transit());
                    return busy;
                }
                Overdue::Handled => {}
                Overdue::GaveUp => {
                    let lost = wire.give_up();
                    session.lose_responses(lost);
                }
            }
        }
    }
}

#[cfg(model = "shuttle")]
pub(in crate::connection) mod models;
