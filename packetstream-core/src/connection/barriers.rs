//! Knowing when all earlier calls are settled.

use std::collections::VecDeque;
use std::mem;
use tokio::sync::oneshot;

/// Counts calls that are not settled, by the barriers they were made between.
///
/// ```text
///   calls   a b c   |     d e   |      f g
///   epoch     0     |      1    |       2
///                barrier     barrier
/// ```
///
/// A barrier is reached when the epoch before it and all earlier ones have no unsettled call. A call costs one
/// addition and one subtraction.
#[derive(Debug, Default)]
pub(super) struct Barriers {
    /// The number of the first of `closed`, or else of `open`.
    first: u64,
    /// Those with a barrier behind them.
    closed: VecDeque<Epoch>,
    open: Epoch,
}

#[derive(Debug, Default)]
struct Epoch {
    unsettled: usize,
    /// Told when this and all earlier epochs are settled.
    waiting: Option<oneshot::Sender<()>>,
}

impl Barriers {
    /// Takes note of a call, and returns the epoch to settle it in.
    #[inline]
    pub(super) fn call(&mut self) -> u64 {
        self.open.unsettled += 1;
        self.first + self.closed.len() as u64
    }

    /// Takes note that a call of this epoch has its answer, or never will.
    #[inline]
    pub(super) fn settled(&mut self, epoch: u64) {
        if self.closed.is_empty() {
            self.open.unsettled -= 1;
            return;
        }
        let index = usize::try_from(epoch - self.first).unwrap_or(usize::MAX);
        self.closed.get_mut(index).unwrap_or(&mut self.open).unsettled -= 1;
        self.advance();
    }

    /// Puts a barrier behind the calls so far. Whoever waits does not care that the sender is dropped instead.
    pub(super) fn add(&mut self, reached: oneshot::Sender<()>) {
        seeded!(BarrierEarly => return drop(reached));
        let closed = Epoch { waiting: Some(reached), ..mem::take(&mut self.open) };
        self.closed.push_back(closed);
        self.advance();
    }

    fn advance(&mut self) {
        while let Some(Epoch { waiting, .. }) = self.closed.pop_front_if(|epoch| epoch.unsettled == 0) {
            self.first += 1;
            if let Some(reached) = waiting {
                // Nobody has to wait for it.
                let _ = reached.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn barrier(barriers: &mut Barriers) -> oneshot::Receiver<()> {
        let (reached, waiting) = oneshot::channel();
        barriers.add(reached);
        waiting
    }

    #[test]
    fn a_barrier_is_reached_when_all_earlier_calls_are_settled_in_any_order() {
        let mut barriers = Barriers::default();
        let (a, b) = (barriers.call(), barriers.call());
        let mut first = barrier(&mut barriers);
        let c = barriers.call();
        let mut second = barrier(&mut barriers);
        let later = barriers.call();

        barriers.settled(c);
        barriers.settled(b);
        assert!(first.try_recv().is_err() && second.try_recv().is_err());
        barriers.settled(a);
        assert_eq!((first.try_recv(), second.try_recv()), (Ok(()), Ok(())));
        assert!(barriers.closed.is_empty(), "nothing is kept of what was reached");
        barriers.settled(later);
        assert_eq!(
            barrier(&mut barriers).try_recv(),
            Ok(()),
            "that call was settled before there was a barrier"
        );
    }

    #[test]
    fn a_barrier_with_nothing_before_it_is_reached_at_once() {
        let mut barriers = Barriers::default();
        assert_eq!(barrier(&mut barriers).try_recv(), Ok(()));
        assert_eq!(barrier(&mut barriers).try_recv(), Ok(()));
    }
}
