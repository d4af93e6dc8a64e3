//! Time, in a tokio runtime or without one.
//!
//! Inside a runtime these are its timers, paused clocks included. Elsewhere one thread of the process wakes all that
//! sleep, under any executor; it is started when needed, and ends when nothing has slept for a second.
#![expect(clippy::arithmetic_side_effects, reason = "a year from now, and a count of those that sleep")]

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How long the thread stays when nothing sleeps.
const LINGER: Duration = Duration::from_secs(1);
/// How long whoever sleeps waits before looking again, when this machine has no thread to wake it.
const WITHOUT_THREAD: Duration = Duration::from_millis(10);

/// Waits for `duration`, from now.
///
/// # Panics
///
/// In a tokio runtime without timers.
pub fn sleep(duration: Duration) -> Sleep {
    if Handle::try_current().is_ok() {
        return Sleep(Kind::Runtime(Box::pin(tokio::time::sleep(duration))));
    }
    let now = Instant::now();
    let deadline = now.checked_add(duration).unwrap_or_else(|| now + Duration::from_hours(24 * 365));
    Sleep(Kind::Thread(Alarm { deadline, number: None }))
}

/// Waits for `work`, but no longer than `limit` from the first poll; yields nothing if it took longer.
///
/// # Panics
///
/// As [`sleep`].
///
/// # Cancel safety
///
/// As that of `work`, which is dropped with it.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut over) = (pin!(work), sleep(limit));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Pin::new(&mut over).poll(cx).map(|()| None),
    })
    .await
}

/// Some time; see [`sleep`].
///
/// # Cancel safety
///
/// Dropping it takes the alarm back.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep(Kind);

#[derive(Debug)]
enum Kind {
    Runtime(Pin<Box<tokio::time::Sleep>>),
    Thread(Alarm),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Kind::Runtime(sleep) => sleep.as_mut().poll(cx),
            Kind::Thread(alarm) => alarm.poll(cx),
        }
    }
}

/// A place among those that the thread wakes.
#[derive(Debug)]
struct Alarm {
    deadline: Instant,
    /// Set while it is in the queue.
    number: Option<u64>,
}

impl Alarm {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        let mut queue = queue();
        let number = *self.number.get_or_insert_with(|| queue.number());
        let before = queue.wakers.insert((self.deadline, number), cx.waker().clone());
        if queue.wakers.first_key_value().is_some_and(|(first, _)| *first == (self.deadline, number)) {
            EARLIER.notify_one();
        }
        if !queue.has_thread {
            queue.has_thread = thread::Builder::new().name("packetstream clock".into()).spawn(ring).is_ok();
        }
        let has_thread = queue.has_thread;
        drop(queue);
        // Code of others, which the lock is not held for.
        drop(before);
        if !has_thread {
            thread::sleep(WITHOUT_THREAD.min(self.deadline.saturating_duration_since(Instant::now())));
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = queue().wakers.remove(&(self.deadline, number));
            // As above.
            drop(waker);
        }
    }
}

/// All that sleep without a runtime.
static QUEUE: Mutex<Queue> = Mutex::new(Queue { wakers: BTreeMap::new(), numbers: 0, has_thread: false });
/// There is one that is to be woken before all others.
static EARLIER: Condvar = Condvar::new();

struct Queue {
    /// By deadline, and a number of their own.
    wakers: BTreeMap<(Instant, u64), Waker>,
    numbers: u64,
    has_thread: bool,
}

impl Queue {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

fn queue() -> MutexGuard<'static, Queue> {
    // No code of others runs under the lock but that which clones a waker, before anything is changed.
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes whoever has slept long enough, until nobody sleeps any more.
fn ring() {
    let mut all = queue();
    loop {
        let Some((deadline, _)) = all.wakers.first_key_value().map(|(key, _)| *key) else {
            let (queue, waited) = EARLIER.wait_timeout(all, LINGER).unwrap_or_else(PoisonError::into_inner);
            all = queue;
            if waited.timed_out() && all.wakers.is_empty() {
                all.has_thread = false;
                return;
            }
            continue;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let due = all.wakers.pop_first();
            drop(all);
            if let Some((_, waker)) = due {
                waker.wake();
            }
            all = queue();
        } else {
            all = EARLIER.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::park::block_on;

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn without_a_runtime_work_is_given_up_when_its_time_is_over() {
        let start = Instant::now();
        assert_eq!(block_on(timeout(SHORT, std::future::pending::<()>())), None);
        assert!(start.elapsed() >= SHORT);
        assert_eq!(block_on(timeout(Duration::from_hours(1), async { 7 })), Some(7));
    }

    #[test]
    fn those_that_sleep_less_are_woken_first() {
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for factor in [3, 1, 2] {
                let order = &order;
                scope.spawn(move || {
                    block_on(sleep(SHORT * factor));
                    order.lock().unwrap().push(factor);
                });
            }
        });
        assert_eq!(order.into_inner().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_long_sleep_does_not_hold_up_short_ones() {
        let mut long = sleep(Duration::from_hours(1));
        assert!(Pin::new(&mut long).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let (done, woken) = std::sync::mpsc::channel();
        thread::spawn(move || {
            // After the first, the thread that wakes them has seen the long one.
            (0..20).for_each(|_| block_on(sleep(SHORT / 20)));
            done.send(()).unwrap();
        });
        woken.recv_timeout(Duration::from_secs(30)).unwrap();
    }

    #[test]
    fn a_sleep_that_is_dropped_leaves_nothing_behind() {
        let mut long = sleep(Duration::from_hours(999));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut long).poll(&mut cx).is_pending());
        let Kind::Thread(Alarm { deadline, number: Some(number) }) = &long.0 else { panic!("{long:?}") };
        let key = (*deadline, *number);
        assert!(queue().wakers.contains_key(&key));
        drop(long);
        assert!(!queue().wakers.contains_key(&key));
    }

    #[test]
    fn a_sleep_too_long_for_the_clock_is_a_long_one() {
        let long = sleep(Duration::MAX);
        let Kind::Thread(Alarm { deadline, .. }) = &long.0 else { panic!("{long:?}") };
        assert!(*deadline > Instant::now() + Duration::from_hours(24 * 300));
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_runtime_its_own_clock_counts() {
        let start = tokio::time::Instant::now();
        sleep(Duration::from_hours(24)).await;
        assert_eq!(start.elapsed(), Duration::from_hours(24));
    }
}
