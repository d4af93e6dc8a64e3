//! How long something may take.

use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;
use tokio::time::error::Elapsed;

/// More than anybody waits for, and not more than clocks can tell.
pub(super) const FOR_EVER: Duration = Duration::from_hours(24 * 365 * 30);

/// How long something may take, and therefore until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) time: Duration,
    deadline: Instant,
}

impl Limit {
    pub(super) fn from_now(time: Duration) -> Self {
        Self { time, deadline: Instant::now() + time.min(FOR_EVER) }
    }

    /// Whichever is over first.
    pub(super) fn sooner(self, other: Option<Self>) -> Self {
        other.filter(|other| other.deadline < self.deadline).unwrap_or(self)
    }

    /// Whether that is over in so much time.
    pub(super) fn is_over_in(self, time: Duration) -> bool {
        self.deadline.saturating_duration_since(Instant::now()) <= time
    }

    /// Waits for something until then.
    pub(super) async fn bound<T>(self, wait: impl Future<Output = T>) -> Result<T, Elapsed> {
        tokio::time::timeout_at(self.deadline, wait).await
    }
}
