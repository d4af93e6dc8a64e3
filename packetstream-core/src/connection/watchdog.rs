//! Deadlines that cost nothing while all goes well.

use std::time::Duration;
use tokio::time::Instant;

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
    fn is_overdue(&mut self, progress: Option<u64>, now: Instant) -> bool {
        let Some(progress) = progress else {
            self.armed = None;
            return false;
        };
        if let Some(armed) = &self.armed {
            if now < armed.deadline {
                return false;
            }
            if armed.progress == progress {
                // What comes of it takes a while to be seen.
                self.armed = None;
                return true;
            }
        }
        let deadline = now.checked_add(self.limit).unwrap_or_else(|| far_from(now));
        self.armed = Some(Armed { deadline, progress });
        false
    }

    /// When to look again.
    fn deadline(&self) -> Option<Instant> {
        self.armed.as_ref().map(|armed| armed.deadline)
    }
}

/// A limit too long for the clock.
fn far_from(now: Instant) -> Instant {
    now + Duration::from_hours(24 * 365)
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
    /// The same, where that has lasted too long a short while ago.
    Knot,
    /// A place among our requests in flight, while those may wait for handlers of ours that wait for one.
    Turn,
    /// Answers, in either direction, once one side has said goodbye.
    Answers,
    /// The peer's last packet, after ours.
    Goodbye,
    /// The end of a connection that has failed.
    Leaving,
}

const WAITS: usize = 9;

impl Wait {
    pub(super) const ALL: [Self; WAITS] = [
        Self::Reading,
        Self::Writing,
        Self::Room,
        Self::Handler,
        Self::Knot,
        Self::Turn,
        Self::Answers,
        Self::Goodbye,
        Self::Leaving,
    ];
}

/// The watchdogs of one connection, in the order of [`Wait::ALL`].
#[derive(Debug)]
pub(super) struct Deadlines([Watchdog; WAITS]);

impl Deadlines {
    pub(super) fn new(limit: impl Fn(Wait) -> Duration) -> Self {
        Self(Wait::ALL.map(|wait| Watchdog::new(limit(wait))))
    }

    /// What is overdue, or when to look again, if there is anything to wait for. `progress`, in the order of
    /// [`Wait::ALL`], tells how far each has come, as a count, and nothing where there is nothing to wait for.
    pub(super) fn look(
        &mut self,
        progress: [Option<u64>; WAITS],
        now: Instant,
    ) -> Result<Option<Instant>, Wait> {
        let mut earliest = None;
        for ((wait, watchdog), progress) in Wait::ALL.into_iter().zip(&mut self.0).zip(progress) {
            if watchdog.is_overdue(progress, now) {
                return Err(wait);
            }
            earliest = earliest.into_iter().chain(watchdog.deadline()).min();
        }
        Ok(earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn what_does_not_move_for_its_limit_is_overdue_once() {
        let (start, mut watchdog) = (Instant::now(), Watchdog::new(LIMIT));
        assert!(!watchdog.is_overdue(Some(7), start));
        assert_eq!(watchdog.deadline(), Some(start + LIMIT));
        assert!(!watchdog.is_overdue(Some(7), start + LIMIT - Duration::from_nanos(1)));
        assert!(watchdog.is_overdue(Some(7), start + LIMIT));
        assert!(!watchdog.is_overdue(Some(7), start + LIMIT), "what comes of it may take as long again");
        assert!(watchdog.is_overdue(Some(7), start + LIMIT * 2));
    }

    #[test]
    fn progress_is_seen_when_the_limit_has_passed() {
        let (start, mut watchdog) = (Instant::now(), Watchdog::new(LIMIT));
        assert!(!watchdog.is_overdue(Some(7), start));
        assert!(!watchdog.is_overdue(Some(8), start + LIMIT / 2));
        assert_eq!(watchdog.deadline(), Some(start + LIMIT), "the timer is not touched");
        assert!(!watchdog.is_overdue(Some(8), start + LIMIT));
        assert_eq!(watchdog.deadline(), Some(start + LIMIT * 2));
    }

    #[test]
    fn where_there_is_nothing_to_watch_nothing_is_overdue() {
        let (start, mut watchdog) = (Instant::now(), Watchdog::new(LIMIT));
        assert!(!watchdog.is_overdue(Some(7), start));
        assert!(!watchdog.is_overdue(None, start + LIMIT));
        assert_eq!(watchdog.deadline(), None);
        assert!(!watchdog.is_overdue(Some(7), start + LIMIT * 2));
    }

    #[test]
    fn a_limit_too_long_for_the_clock_is_far_away() {
        let (start, mut watchdog) = (Instant::now(), Watchdog::new(Duration::MAX));
        assert!(!watchdog.is_overdue(Some(7), start));
        assert!(watchdog.deadline() > Some(start + Duration::from_hours(24 * 300)));
    }

    #[test]
    fn the_earliest_deadline_is_looked_at_next_and_the_first_wait_that_is_overdue_told() {
        let start = Instant::now();
        let limit = |wait| if wait == Wait::Turn { LIMIT } else { LIMIT * 2 };
        let mut deadlines = Deadlines::new(limit);
        let only = |waits: &[Wait]| Wait::ALL.map(|wait| waits.contains(&wait).then_some(7));
        assert_eq!(deadlines.look(only(&[]), start), Ok(None));
        assert_eq!(deadlines.look(only(&[Wait::Writing, Wait::Turn]), start), Ok(Some(start + LIMIT)));
        assert_eq!(deadlines.look(only(&[Wait::Writing]), start + LIMIT), Ok(Some(start + LIMIT * 2)));
        assert_eq!(deadlines.look(only(&[Wait::Writing]), start + LIMIT * 2), Err(Wait::Writing));
    }
}
