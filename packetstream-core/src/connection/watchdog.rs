//! Deadlines that cost nothing while all goes well.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Notices that something which should move has not moved for as long as its limit.
///
/// Progress does not touch the timer: it is compared only when the limit has passed.
#[derive(Debug)]
pub(super) struct Watchdog {
    limit: Duration,
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    deadline: Instant,
    progress: u64,
}

impl Watchdog {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, armed: None }
    }

    /// Looks: `progress` is a count that grows when there is some, nothing when there is nothing to
    /// watch. Returns whether the limit has passed without progress.
    pub(super) fn is_overdue(&mut self, progress: Option<u64>) -> bool {
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
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.armed.as_ref().map(|armed| armed.deadline)
    }
}

/// A limit too long for the clock.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(86_400 * 365)
}

/// Wakes a task when the earliest of some deadlines has come.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// Made when first needed: most connections end without one.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Sets the alarm and says whether it has gone off already. It may go off early, for a deadline
    /// that was dropped since.
    pub(super) fn ring_at(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.is_elapsed() || deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}
