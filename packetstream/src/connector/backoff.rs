//! How long to wait before the next attempt.

use super::limit::FOR_EVER;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// How long to wait before the next attempt after some have failed: longer each time, up to a limit.
///
/// ```
/// use packetstream::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff { first: Duration::from_secs(1), ..Backoff::default() };
/// assert_eq!(backoff.longest(3), Duration::from_secs(4));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff {
    /// The longest wait after the first failure. Default: 100 ms.
    pub first: Duration,
    /// The longest wait of all. Default: 10 s.
    pub most: Duration,
    /// How many times as long the longest wait is after each further failure. 0 is taken for 1. Default: 2.
    pub factor: u32,
    /// Whether each wait is a random part of the longest, so that all who lost the same peer do not come back at
    /// the same moment. Otherwise it is the longest. Default: true.
    pub jitter: bool,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), most: Duration::from_secs(10), factor: 2, jitter: true }
    }
}

impl Backoff {
    /// The longest wait after so many failures in a row.
    #[must_use]
    pub fn longest(&self, failures: u32) -> Duration {
        let Some(further) = failures.checked_sub(1) else { return Duration::ZERO };
        self.first.saturating_mul(self.factor.max(1).saturating_pow(further)).min(self.most)
    }

    /// How long to wait this time.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        let longest = self.longest(failures).min(FOR_EVER);
        if self.jitter { longest.mul_f64(random()) } else { longest }
    }
}

/// A number from 0 to 1. Each hasher has keys of its own, which is random enough to spread waits.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_wait_grows_by_the_factor_up_to_the_most() {
        let backoff = Backoff { first: ms(10), most: ms(1000), factor: 3, jitter: false };
        let waits = [0, 1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|failures| backoff.wait(failures));
        assert_eq!(waits, [0, 10, 30, 90, 270, 810, 1000, 1000, 1000].map(ms));
        let steady = Backoff { factor: 0, ..backoff };
        assert_eq!(steady.wait(9), ms(10));
    }

    #[test]
    fn a_wait_without_a_bound_is_one_that_clocks_can_tell() {
        for jitter in [false, true] {
            let backoff = Backoff { first: Duration::MAX, most: Duration::MAX, factor: 2, jitter };
            assert_eq!(backoff.longest(1), Duration::MAX);
            assert!(tokio::time::Instant::now().checked_add(backoff.wait(1)).is_some());
        }
    }

    #[test]
    fn jitter_spreads_waits_over_all_of_the_time() {
        let backoff = Backoff { first: ms(1000), ..Backoff::default() };
        let waits: Vec<_> = (0..1000).map(|_| backoff.wait(1)).collect();
        assert!(waits.iter().all(|wait| *wait <= ms(1000)));
        // Each of these fails once in 10^45 runs.
        for tenth in 0..10 {
            let part = ms(tenth * 100)..ms(tenth * 100 + 100);
            assert!(waits.iter().any(|wait| part.contains(wait)), "none in {part:?}");
        }
    }
}
