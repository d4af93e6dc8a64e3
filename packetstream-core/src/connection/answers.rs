//! Where callers wait for what comes of their requests.

use super::error::CallError;
use crate::outcome::Reply;
use std::mem;
use std::task::{Context, Waker};

/// Seats that are kept when nobody needs them. Beyond four times as many the table is cut back to them as soon as the
/// others are free.
const KEPT: usize = 1024;

/// What came of a request.
pub(super) type Answer = Result<Reply, CallError>;

/// A seat for each request that was handed to the driver: what came of it is put there, and its caller is called.
///
/// A seat is free again when the caller has left it and the driver is done with it. Nothing here calls anybody: it is
/// used under a lock.
#[derive(Debug, Default)]
pub(super) struct Answers {
    seats: Vec<State>,
    /// The first that is free; as many as there are, if none is.
    free: usize,
    /// Those that are taken beyond [`KEPT`].
    beyond: usize,
}

#[derive(Debug)]
enum State {
    /// Nobody's; the next that is free.
    Free(usize),
    /// The caller waits, and is called so if it has asked already. A request that waits for its turn has so many bytes.
    Awaited { waker: Option<Waker>, queued: Option<usize> },
    /// The caller has gone.
    GivenUp,
    /// The driver is done.
    Answered(Answer),
}

/// How a caller has left.
pub(super) enum Left {
    /// With the answer, which was there.
    Answered(Answer),
    /// Before its request had its turn, which has so many bytes.
    Queued { bytes: usize },
    /// Before the answer to it was there.
    Sent,
}

/// Names a seat. There are two of each, the caller's and the driver's; both are given back.
#[derive(Debug)]
pub(super) struct Seat(usize);

#[expect(clippy::indexing_slicing, reason = "whoever names a seat has taken it, and none that is taken goes")]
impl Answers {
    /// Takes a seat, for a caller and for the driver; `queued` says how many bytes a request has
    /// that has to wait for its turn.
    #[inline]
    pub(super) fn take(&mut self, queued: Option<usize>) -> (Seat, Seat) {
        let seat = self.free;
        self.beyond += usize::from(seat >= KEPT);
        if let Some(state) = self.seats.get_mut(seat) {
            if let State::Free(next) = *state {
                self.free = next;
            }
            *state = State::Awaited { waker: None, queued };
        } else {
            self.seats.push(State::Awaited { waker: None, queued });
            self.free = self.seats.len();
        }
        (Seat(seat), Seat(seat))
    }

    /// Nobody has the seat any more.
    #[inline]
    fn free(&mut self, seat: usize) {
        self.seats[seat] = State::Free(self.free);
        self.free = seat;
        if seat >= KEPT {
            self.beyond -= 1;
            if self.beyond == 0 && self.seats.len() > 4 * KEPT {
                self.cut_back();
            }
        }
    }

    /// Gives memory back that many requests at once have taken.
    #[cold]
    fn cut_back(&mut self) {
        self.seats.truncate(KEPT);
        self.seats.shrink_to_fit();
        self.free = KEPT;
        for (seat, state) in self.seats.iter_mut().enumerate() {
            if let State::Free(next) = state {
                *next = mem::replace(&mut self.free, seat);
            }
        }
    }

    /// Yields what came of the request, once; until then, what would have called its caller elsewhere. That may be the
    /// last of a task, with calls of its own, so it is dropped when the lock is free.
    #[inline]
    pub(super) fn poll(&mut self, Seat(seat): &Seat, cx: &Context<'_>) -> Result<Answer, Option<Waker>> {
        let state = &mut self.seats[*seat];
        match state {
            State::Awaited { waker: Some(waker), .. } if waker.will_wake(cx.waker()) => {}
            State::Awaited { waker, .. } => return Err(waker.replace(cx.waker().clone())),
            State::Answered(_) => {
                if let State::Answered(answer) = mem::replace(state, State::GivenUp) {
                    self.free(*seat);
                    return Ok(answer);
                }
            }
            // Whoever asks has left.
            State::Free(_) | State::GivenUp => {}
        }
        Err(None)
    }

    /// The caller leaves. Also returns what would have called it, to be dropped when the lock is free.
    pub(super) fn give_up(&mut self, Seat(seat): Seat) -> (Left, Option<Waker>) {
        let state = &mut self.seats[seat];
        match mem::replace(state, State::GivenUp) {
            State::Answered(answer) => {
                self.free(seat);
                (Left::Answered(answer), None)
            }
            State::Awaited { waker, queued: Some(bytes) } => (Left::Queued { bytes }, waker),
            State::Awaited { waker, queued: None } => (Left::Sent, waker),
            State::Free(_) | State::GivenUp => (Left::Sent, None),
        }
    }

    /// The request has its turn. Says whether anybody still wants it.
    pub(super) fn has_turn(&mut self, Seat(seat): &Seat) -> bool {
        match &mut self.seats[*seat] {
            State::Awaited { queued, .. } => {
                *queued = None;
                true
            }
            _ => false,
        }
    }

    /// Whether the request waits for its turn.
    pub(super) fn is_queued(&self, Seat(seat): &Seat) -> bool {
        matches!(self.seats[*seat], State::Awaited { queued: Some(_), .. })
    }

    /// Whether the caller has left.
    pub(super) fn is_given_up(&self, Seat(seat): &Seat) -> bool {
        matches!(self.seats[*seat], State::GivenUp)
    }

    /// The driver is done: the caller has its answer, and is to be called so, or has left without it.
    #[inline]
    pub(super) fn settle(&mut self, Seat(seat): &Seat, answer: Answer) -> Result<Option<Waker>, Answer> {
        let state = &mut self.seats[*seat];
        match state {
            State::Awaited { waker, .. } => {
                let waker = waker.take();
                *state = State::Answered(answer);
                Ok(waker)
            }
            State::GivenUp => {
                self.free(*seat);
                Err(answer)
            }
            // Settled already, when the driver went.
            State::Free(_) | State::Answered(_) => Ok(None),
        }
    }

    /// The driver is done with a request whose caller has left.
    pub(super) fn clear(&mut self, Seat(seat): &Seat) {
        if let State::GivenUp = self.seats[*seat] {
            self.free(*seat);
        }
    }

    /// The driver has gone: all who still wait have this answer. Returns what calls them.
    pub(super) fn settle_all(&mut self, answer: impl Fn() -> Answer) -> Vec<Waker> {
        let mut wakers = Vec::new();
        for state in &mut self.seats {
            if let State::Awaited { waker, .. } = state {
                wakers.extend(waker.take());
                *state = State::Answered(answer());
            }
        }
        wakers
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::ConnectionError;
    use super::*;

    fn reply(flags: u64) -> Reply {
        Reply::from(flags)
    }

    fn poll(answers: &mut Answers, seat: &Seat) -> Option<u64> {
        answers.poll(seat, &Context::from_waker(Waker::noop())).ok().map(|answer| answer.unwrap().flags)
    }

    #[test]
    fn whoever_asks_elsewhere_has_the_former_waker_back_to_drop() {
        let mut answers = Answers::default();
        let (ours, drivers) = answers.take(None);
        let [former, latter] = [(); 2].map(|()| std::sync::Arc::new(Woken));
        let replaced = |answers: &mut Answers, waker: &std::sync::Arc<Woken>| {
            answers.poll(&ours, &Context::from_waker(&waker.clone().into())).unwrap_err()
        };
        assert!(replaced(&mut answers, &former).is_none());
        assert!(replaced(&mut answers, &former).is_none(), "it is the same");
        let dropped = replaced(&mut answers, &latter).unwrap();
        assert!(dropped.will_wake(&former.clone().into()));
        let called = answers.settle(&drivers, Ok(reply(1))).unwrap().unwrap();
        assert!(called.will_wake(&latter.clone().into()));
    }

    struct Woken;

    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    #[test]
    fn an_answer_is_where_its_caller_waits_and_the_seat_is_free_again() {
        let mut answers = Answers::default();
        let (ours, drivers) = answers.take(None);
        let (others, other_drivers) = answers.take(None);
        assert_eq!(poll(&mut answers, &ours), None);
        assert!(matches!(answers.settle(&drivers, Ok(reply(1))), Ok(Some(_))), "it is called");
        assert!(matches!(answers.settle(&other_drivers, Ok(reply(2))), Ok(None)), "it has not asked yet");
        assert_eq!(poll(&mut answers, &ours), Some(1));
        assert_eq!(poll(&mut answers, &others), Some(2));
        for _ in 0..100 {
            let (ours, drivers) = answers.take(None);
            answers.settle(&drivers, Ok(reply(3))).unwrap();
            assert_eq!(poll(&mut answers, &ours), Some(3));
        }
        assert_eq!(answers.seats.len(), 2);
    }

    #[test]
    fn a_seat_is_taken_until_both_have_left_it_whoever_is_first() {
        let mut answers = Answers::default();
        let (ours, drivers) = answers.take(None);
        assert!(matches!(answers.give_up(ours), (Left::Sent, None)));
        assert!(answers.is_given_up(&drivers));
        let (others, other_drivers) = answers.take(None);
        assert!(answers.settle(&drivers, Ok(reply(1))).is_err(), "the answer comes back");
        answers.settle(&other_drivers, Ok(reply(2))).unwrap();
        let (Left::Answered(Ok(answer)), _) = answers.give_up(others) else { panic!("it was there") };
        assert_eq!(answer.flags, 2);
        answers.take(None);
        answers.take(None);
        assert_eq!(answers.seats.len(), 2);
    }

    #[test]
    fn many_seats_at_once_are_given_back_when_those_beyond_the_first_are_free() {
        let mut answers = Answers::default();
        let leave = |answers: &mut Answers, (ours, drivers): (Seat, Seat)| {
            answers.settle(&drivers, Ok(reply(1))).unwrap();
            assert_eq!(poll(answers, &ours), Some(1));
        };
        let mut pairs = std::collections::VecDeque::from([(); 10 * KEPT].map(|()| answers.take(None)));
        let stays = pairs.pop_front().unwrap();
        let last = pairs.pop_back().unwrap();
        for pair in pairs {
            leave(&mut answers, pair);
        }
        assert_eq!(answers.seats.len(), 10 * KEPT, "one of the last is taken");
        leave(&mut answers, last);
        assert_eq!(answers.seats.len(), KEPT);
        assert!(answers.seats.capacity() < 2 * KEPT);

        let pairs = [(); 2 * KEPT].map(|()| answers.take(None));
        assert_eq!(answers.seats.len(), 2 * KEPT + 1, "each is another's");
        for pair in pairs {
            leave(&mut answers, pair);
        }
        leave(&mut answers, stays);
        assert_eq!(answers.seats.len(), 2 * KEPT + 1, "nor are they cut back again and again");
    }

    #[test]
    fn when_the_driver_has_gone_nobody_waits() {
        let mut answers = Answers::default();
        let ((ours, _), (_, drivers)) = (answers.take(None), answers.take(None));
        answers.settle(&drivers, Ok(reply(1))).unwrap();
        assert_eq!(poll(&mut answers, &ours), None);
        let callers = answers.settle_all(|| Err(CallError::Lost(ConnectionError::Dropped)));
        assert_eq!(callers.len(), 1);
        let answer = answers.poll(&ours, &Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Ok(Err(CallError::Lost(ConnectionError::Dropped)))), "{answer:?}");
    }
}
