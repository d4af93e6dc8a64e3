//! Since when the oldest handler of several connections runs.

use metrics::Gauge;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Clocks differ by as much without meaning anything.
const SLACK: Duration = Duration::from_millis(100);

/// The connections with handlers that run, by when the oldest of each was begun.
#[derive(Default)]
pub(super) struct Oldest(Mutex<Begun>);

#[derive(Default)]
struct Begun {
    by_time: BTreeSet<(Duration, u64)>,
    connections: u64,
}

/// One connection among them.
pub(super) struct Entry {
    all: Arc<Oldest>,
    connection: u64,
    /// When its oldest handler was begun, since 1970.
    begun: Option<Duration>,
    gauge: Gauge,
}

impl Entry {
    pub(super) fn new(all: Arc<Oldest>, gauge: Gauge) -> Self {
        let connection = {
            let mut all = all.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.connections += 1;
            all.connections
        };
        Self { all, connection, begun: None, gauge }
    }

    /// The connection's oldest handler has this age.
    pub(super) fn set(&mut self, age: Option<Duration>) {
        let begun = age.map(|age| since_1970().saturating_sub(age));
        let is_same = match (begun, self.begun) {
            (Some(now), Some(before)) => now.abs_diff(before) < SLACK,
            (now, before) => now == before,
        };
        if is_same {
            return;
        }
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = self.begun {
            all.by_time.remove(&(before, self.connection));
        }
        if let Some(now) = begun {
            all.by_time.insert((now, self.connection));
        }
        self.begun = begun;
        self.gauge.set(all.by_time.first().map_or(0.0, |(oldest, _)| oldest.as_secs_f64()));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.set(None);
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn the_gauge_is_the_oldest_of_those_that_are_left() {
        let value = Arc::new(AtomicU64::new(0));
        let gauge = Gauge::from_arc(Arc::clone(&value));
        let age = || {
            let start = f64::from_bits(value.load(Ordering::Relaxed));
            (start > 0.0).then(|| Duration::from_secs_f64((since_1970().as_secs_f64() - start).round()))
        };
        let all = Arc::<Oldest>::default();
        let [mut a, mut b] = [(); 2].map(|()| Entry::new(Arc::clone(&all), gauge.clone()));
        a.set(None);
        assert_eq!(age(), None);
        a.set(Some(MINUTE));
        b.set(Some(2 * MINUTE));
        assert_eq!(age(), Some(2 * MINUTE));
        b.set(Some(Duration::ZERO));
        assert_eq!(age(), Some(MINUTE));
        drop(a);
        assert_eq!(age(), Some(Duration::ZERO));
        drop(b);
        assert_eq!(age(), None);
    }

    #[test]
    fn an_age_that_grows_as_time_goes_by_is_no_news() {
        let value = Arc::new(AtomicU64::new(0));
        let mut entry = Entry::new(Arc::default(), Gauge::from_arc(Arc::clone(&value)));
        entry.set(Some(MINUTE));
        value.store(7, Ordering::Relaxed);
        entry.set(Some(MINUTE + Duration::from_millis(1)));
        assert_eq!(value.load(Ordering::Relaxed), 7, "it was not set");
    }
}
