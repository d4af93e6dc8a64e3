//! Deadlines that cost nothing while all goes well.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Notices that something which should move has not moved for as long as its limit.
///
/// Progress does not touch the timer: it is compared only when the limit has passed. It may therefore
/// take up to twice the limit, and never takes less.
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

/// What a connection waits for, each with a limit of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wait {
    /// The rest of a packet.
    Reading,
    /// The transport taking what is to be written.
    Writing,
    /// Room to read on, while answers to our requests may be behind what is left unread.
    Room,
    /// A handler to be free for the peer's next request, while the running ones may wait for the peer.
    Handler,
    /// The end of both sides' goodbye.
    Closing,
    /// The end of a connection that has failed.
    Leaving,
}

const WAITS: usize = 6;

impl Wait {
    pub(super) const ALL: [Self; WAITS] =
        [Self::Reading, Self::Writing, Self::Room, Self::Handler, Self::Closing, Self::Leaving];
}

/// The watchdogs of one connection, and the alarm that wakes its driver for them.
#[derive(Debug)]
pub(super) struct Deadlines {
    /// In the order of [`Wait::ALL`].
    watchdogs: [Watchdog; WAITS],
    /// Made when first needed: most connections end without one.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Deadlines {
    pub(super) fn new(limit: impl Fn(Wait) -> Duration) -> Self {
        Self { watchdogs: Wait::ALL.map(|wait| Watchdog::new(limit(wait))), alarm: None }
    }

    /// Waits until something that is waited for is overdue. `progress`, in the order of [`Wait::ALL`],
    /// tells how far each has come, as a count, and nothing where there is nothing to wait for.
    pub(super) fn poll(&mut self, progress: [Option<u64>; WAITS], cx: &mut Context<'_>) -> Poll<Wait> {
        loop {
            let mut earliest = None;
            for ((wait, watchdog), progress) in Wait::ALL.into_iter().zip(&mut self.watchdogs).zip(progress) {
                if watchdog.is_overdue(progress) {
                    return Poll::Ready(wait);
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
