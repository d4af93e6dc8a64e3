//! Places among the requests in flight, and who waits for one.

use super::answers::Seat;
use super::call::Submission;
use std::collections::VecDeque;

/// Those who have gone are looked for when there are more than these, and than half of all.
const FEW: usize = 32;

/// The places among the requests in flight, [`Limits::max_calls`](super::Limits::max_calls) of them, and those who wait
/// for one, in the order in which they came.
///
/// A place follows the tag: it is given back with the answer, whether or not anybody still waits for that, so that
/// asking and giving up cannot flood the peer. Nothing here calls anybody: it is used under a lock.
#[derive(Debug)]
pub(super) struct Line {
    /// Places that nobody has. There are none while somebody waits.
    free: usize,
    waiting: VecDeque<Waiting>,
    /// Those in `waiting` who have gone, at most.
    gone: usize,
}

/// Who waits for a place.
#[derive(Debug)]
pub(super) enum Waiting {
    /// A request, to be sent.
    Request(Submission),
    /// Whoever will have one.
    Reservation(Seat),
}

impl Waiting {
    pub(super) fn seat(&self) -> &Seat {
        match self {
            Self::Request(submission) => &submission.answer,
            Self::Reservation(seat) => seat,
        }
    }
}

impl Line {
    pub(super) fn new(places: usize) -> Self {
        Self { free: places, waiting: VecDeque::new(), gone: 0 }
    }

    /// Takes a place, if there is one.
    #[inline]
    pub(super) fn take(&mut self) -> bool {
        let is_there = self.free > 0;
        self.free -= usize::from(is_there);
        is_there
    }

    /// Waits for a place behind all others.
    pub(super) fn join(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    /// A place is somebody else's: of the first who waits, if anybody does.
    #[inline]
    pub(super) fn give_back(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front();
        self.free += usize::from(first.is_none());
        first
    }

    /// One of those who wait has gone. Says whether it is time to [remove](Self::remove) those.
    pub(super) fn leave(&mut self) -> bool {
        self.gone += 1;
        self.gone > FEW && self.gone > self.waiting.len() / 2
    }

    /// The first of those who wait, whom somebody had a place for, had gone.
    pub(super) fn skip(&mut self) {
        self.gone = self.gone.saturating_sub(1);
    }

    /// Takes those out who have gone.
    pub(super) fn remove(&mut self, has_gone: impl Fn(&Seat) -> bool) -> Vec<Waiting> {
        self.gone = 0;
        let (gone, waiting) = self.waiting.drain(..).partition(|waiting| has_gone(waiting.seat()));
        self.waiting = waiting;
        VecDeque::into(gone)
    }

    /// Sends all away who wait.
    pub(super) fn disperse(&mut self) -> VecDeque<Waiting> {
        self.gone = 0;
        std::mem::take(&mut self.waiting)
    }

    /// Those who wait, and have not gone.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() - self.gone
    }

    #[cfg(model = "shuttle")]
    pub(super) fn free(&self) -> usize {
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::{Answers, Left};
    use super::*;

    #[test]
    fn places_go_to_those_who_wait_in_the_order_in_which_they_came() {
        let (mut line, mut answers) = (Line::new(1), Answers::default());
        assert!(line.take());
        assert!(!line.take());
        let seats = [(); 2].map(|()| answers.take(true));
        let names = seats.map(|(_, drivers)| {
            let name = format!("{drivers:?}");
            line.join(Waiting::Reservation(drivers));
            name
        });
        for name in names {
            let first = line.give_back().unwrap();
            assert_eq!(format!("{:?}", first.seat()), name);
        }
        assert!(line.give_back().is_none());
        assert!(line.take(), "nobody waits");
    }

    #[test]
    fn those_who_have_gone_are_taken_out_before_they_are_many() {
        let (mut line, mut answers) = (Line::new(0), Answers::default());
        let mut longest = 0;
        let (_stays, drivers) = answers.take(true);
        line.join(Waiting::Reservation(drivers));
        for _ in 0..1000 {
            let (ours, drivers) = answers.take(true);
            line.join(Waiting::Reservation(drivers));
            assert!(matches!(answers.give_up(ours), (Left::Queued, _)));
            if line.leave() {
                let gone = line.remove(|seat| answers.is_given_up(seat));
                for gone in gone {
                    answers.clear(gone.seat());
                }
            }
            assert_eq!(line.len(), 1);
            longest = longest.max(line.waiting.len());
        }
        assert!((FEW..2 * FEW).contains(&longest), "{longest}");
        assert!(answers.has_turn(line.give_back().unwrap().seat()), "who has not gone stays");
    }
}
