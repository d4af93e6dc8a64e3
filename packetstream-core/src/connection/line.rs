//! Places among the requests in flight, and who waits for one.

use super::answers::Seat;
use super::call::Submission;
use std::collections::VecDeque;

/// Those who have gone are looked for when there are more than these, and than half of all,
const FEW: usize = 32;
/// or when they have more bytes than these, and than [`BYTES_EACH`] for all that would be looked at.
const FEW_BYTES: usize = 64 << 10;
const BYTES_EACH: usize = 256;
/// Places in line whose memory is kept when nobody waits.
const KEPT: usize = 1024;

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
    /// Those in `waiting` who have gone, and the bytes of their requests.
    gone: usize,
    gone_bytes: usize,
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

    fn bytes(&self) -> usize {
        match self {
            Self::Request(submission) => submission.payload.len(),
            Self::Reservation(_) => 0,
        }
    }
}

impl Line {
    pub(super) fn new(places: usize) -> Self {
        Self { free: places, waiting: VecDeque::new(), gone: 0, gone_bytes: 0 }
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
        if self.waiting.is_empty() {
            self.free += 1;
            return None;
        }
        self.call_first()
    }

    #[cold]
    fn call_first(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front();
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT {
            self.waiting = VecDeque::new();
        }
        first
    }

    /// One of those who wait has gone, whose request has so many bytes. Says whether it is time to
    /// [remove](Self::remove) those.
    pub(super) fn leave(&mut self, bytes: usize) -> bool {
        self.gone += 1;
        self.gone_bytes += bytes;
        let all = self.waiting.len();
        self.gone > FEW.max(all / 2) || self.gone_bytes > FEW_BYTES.max(all * BYTES_EACH)
    }

    /// Whoever was [called](Self::give_back) had gone.
    pub(super) fn skip(&mut self, waiting: &Waiting) {
        self.gone -= 1;
        self.gone_bytes -= waiting.bytes();
    }

    /// Takes those out who have gone.
    pub(super) fn remove(&mut self, has_gone: impl Fn(&Seat) -> bool) -> VecDeque<Waiting> {
        (self.gone, self.gone_bytes) = (0, 0);
        let (gone, waiting) = self.waiting.drain(..).partition(|waiting| has_gone(waiting.seat()));
        self.waiting = waiting;
        gone
    }

    /// Sends all away who wait.
    pub(super) fn disperse(&mut self) -> VecDeque<Waiting> {
        (self.gone, self.gone_bytes) = (0, 0);
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
        let seats = [(); 2].map(|()| answers.take(Some(0)));
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
    fn those_who_have_gone_are_taken_out_before_they_hold_many_bytes() {
        let mut line = Line::new(0);
        let large = FEW_BYTES / 2;
        assert!(!line.leave(large));
        assert!(!line.leave(large));
        assert!(line.leave(1));
        line.remove(|_| true);
        assert!(!line.leave(large), "they were taken out");
    }

    #[test]
    fn a_long_line_is_no_memory_once_nobody_waits() {
        let (mut line, mut answers) = (Line::new(0), Answers::default());
        for _ in 0..10 * KEPT {
            line.join(Waiting::Reservation(answers.take(Some(0)).1));
        }
        for _ in 0..10 * KEPT {
            assert!(line.waiting.capacity() >= 10 * KEPT);
            line.give_back().unwrap();
        }
        assert!(line.waiting.capacity() <= KEPT);
    }

    #[test]
    fn those_who_have_gone_are_taken_out_before_they_are_many() {
        let (mut line, mut answers) = (Line::new(0), Answers::default());
        let mut longest = 0;
        let (_stays, drivers) = answers.take(Some(0));
        line.join(Waiting::Reservation(drivers));
        for _ in 0..1000 {
            let (ours, drivers) = answers.take(Some(0));
            line.join(Waiting::Reservation(drivers));
            assert!(matches!(answers.give_up(ours), (Left::Queued { .. }, _)));
            if line.leave(0) {
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
