//! Deadlines that cost nothing while all goes well.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Notices that something which should move has not moved for as long as its limit.
///
/// Progress does not touch the timer: it is compared only when the limit has passed.
#[derive(Debug)]
struct Watchdog {
    limit: Duration,
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    deadline: Instant,
    progress: u64,
}

impl Watchdog {
    fn new(limit: Duration) -> Self {
        Self { limit, armed: None }
    }

    /// Looks: `progress` is a count that grows when there is some, nothing when there is nothing to
    /// watch. Returns whether the limit has passed without progress.
    fn is_overdue(&mut self, progress: Option<u64>) -> bool {
        let Some(progress) = progress else {
            self.armed = None;
            return false;
        };
        let now = Instant::now();
        if let Some(armed) = &self.armed {
            if now < armed.deadline {
                return false;
            }
            if armed.progress == progress {
                return true;
            }
        }
        let deadline = now.checked_add(self.limit).unwrap_or_else(far_future);
        self.armed = Some(Armed { deadline, progress });
        false
    }

    /// When to look again.
    fn deadline(&self) -> Option<Instant> {
        self.armed.as_ref().map(|armed| armed.deadline)
    }
}

/// A limit too long for the clock.
fn far_future() -> Instant {
    Instant::now() + Duration::from_hours(24 * 365)
}

/// What a connection's driver watches while it has nothing else to do: counts that grow with progress,
/// or nothing where there is nothing to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Awaited {
    /// The rest of a packet.
    pub(super) reading: Option<u64>,
    /// The transport taking what is to be written.
    pub(super) writing: Option<u64>,
    /// Room for more requests of the peer, while answers to us may be behind them.
    pub(super) room: Option<u64>,
    /// The end of both sides' goodbye.
    pub(super) closing: Option<u64>,
    /// The end of a connection that has failed.
    pub(super) leaving: Option<u64>,
}

/// Which wait has passed its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overdue {
    Reading,
    Writing,
    Room,
    Closing,
    Leaving,
}

/// The watchdogs of one connection, and the alarm that wakes its driver for them.
#[derive(Debug)]
pub(super) struct Deadlines {
    reading: Watchdog,
    writing: Watchdog,
    room: Watchdog,
    closing: Watchdog,
    leaving: Watchdog,
    /// Made when first needed: most connections end without one.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Deadlines {
    pub(super) fn new(stall: Duration, room: Duration, close: Duration, leave: Duration) -> Self {
        Self {
            reading: Watchdog::new(stall),
            writing: Watchdog::new(stall),
            room: Watchdog::new(room),
            closing: Watchdog::new(close),
            leaving: Watchdog::new(leave),
            alarm: None,
        }
    }

    /// Waits for the first of what is awaited to be overdue.
    pub(super) fn poll(&mut self, awaited: Awaited, cx: &mut Context<'_>) -> Poll<Overdue> {
        loop {
            let watched = [
                (&mut self.leaving, awaited.leaving, Overdue::Leaving),
                (&mut self.reading, awaited.reading, Overdue::Reading),
                (&mut self.writing, awaited.writing, Overdue::Writing),
                (&mut self.closing, awaited.closing, Overdue::Closing),
                (&mut self.room, awaited.room, Overdue::Room),
            ];
            let mut earliest = None;
            for (watchdog, progress, overdue) in watched {
                if watchdog.is_overdue(progress) {
                    return Poll::Ready(overdue);
                }
                earliest = earliest.into_iter().chain(watchdog.deadline()).min();
            }
            match earliest {
                None => return Poll::Pending,
                Some(deadline) => ready!(self.ring_at(deadline, cx)),
            }
        }
    }

    /// Sets the alarm. It may go off early, for a deadline that was dropped since.
    fn ring_at(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if alarm.is_elapsed() || deadline < alarm.deadline() {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(cx)
    }
}
