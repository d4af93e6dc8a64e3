//! Requests of ours: from the handles to the state, and what came of them.

use super::super::answers::{Answer, Seat};
use super::super::call::{Observed, Submission, Waiter};
use super::super::error::{CallError, ConnectionError, NotSent};
use super::super::inbox::{Command, Setting, Wish};
use super::super::report::EndedBy;
use super::{PER_TURN, Phase, Session};
use crate::outcome::Failure;
use crate::packet::Packet;
use crate::state::Abandoned;
use std::sync::Arc;
use std::task::Waker;

impl Session {
    /// Does what handles want, as far as there is room, and says whether that was anything. Whoever wants more
    /// wakes `driver`.
    pub(in crate::connection) fn obey(&mut self, driver: &Waker) -> bool {
        self.wish = self.shared.inbox.poll(&mut self.commands, &mut self.settings, driver);
        for setting in self.settings.drain(..) {
            match setting {
                Setting::Open(channel) => self.state.open_channel(channel),
                Setting::Serve(channel, handler) => {
                    self.state.open_channel(channel);
                    self.handlers.insert(channel, handler);
                }
            }
        }
        if self.wish == Wish::Abort && self.phase != Phase::Leaving {
            self.fail(match self.shared.blame.get() {
                Some(Some(cause @ ConnectionError::ObserverPanicked)) => cause.clone(),
                _ => ConnectionError::Aborted,
            });
            return true;
        }
        let mut obeyed = 0;
        while obeyed < PER_TURN && self.has_room_for_call() {
            let Some(command) = self.commands.pop_front() else { break };
            obeyed += 1;
            match command {
                Command::Submit(submission) => self.submit(submission),
                Command::Barrier(reached) => self.barriers.add(reached),
            }
        }
        if self.commands.is_empty() && self.wish != Wish::Live {
            return self.say_goodbye() || obeyed > 0;
        }
        obeyed > 0
    }

    /// Says as much of the goodbye as is wished, and whether that was anything.
    fn say_goodbye(&mut self) -> bool {
        let draining = self.state.is_draining();
        let closing = self.state.is_closing();
        if self.wish == Wish::Drain {
            self.state.drain();
            if self.state.is_closing() {
                // The peer has drained, too: this is the end.
                self.ended_by.get_or_insert(EndedBy::Us);
            }
        } else {
            // After a failure it is not this side that ends it.
            if self.phase == Phase::Live {
                self.ended_by.get_or_insert(EndedBy::Us);
            }
            self.state.close();
        }
        (draining, closing) != (self.state.is_draining(), self.state.is_closing())
    }

    /// Requests of ours that were handed over and not taken yet.
    pub(super) fn submissions(&self) -> usize {
        self.commands.iter().filter(|command| matches!(command, Command::Submit(_))).count()
    }

    /// Whether the next command fits what may be in flight.
    fn has_room_for_call(&self) -> bool {
        let in_flight = self.state.in_flight_bytes();
        let next = match self.commands.front() {
            Some(Command::Submit(submission)) => submission.payload.len(),
            _ => 0,
        };
        in_flight == 0 || in_flight.saturating_add(next) <= self.shared.limits.max_call_bytes
    }

    /// Takes those back of the requests that would be sent next whose callers have gone.
    #[cold]
    pub(super) fn withdraw_unwanted(&mut self) {
        let inbox = &Arc::clone(&self.shared).inbox;
        while let Some(waiter) = self.state.withdraw_next_if(|waiter| inbox.is_given_up(&waiter.answer)) {
            self.stats.calls_withdrawn += 1;
            self.shared.trace.withdrawn();
            seeded!(WithdrawnKeepsPermit => { self.barriers.settled(waiter.epoch); continue });
            self.settle_call(waiter, Err(NotSent::Closed.into()));
        }
    }

    #[inline]
    fn submit(&mut self, submission: Submission) {
        let Submission { channel, rq_type, flags, payload, answer, observed, span } = submission;
        if self.shared.inbox.is_given_up(&answer) {
            self.stats.calls += 1;
            self.stats.calls_withdrawn += 1;
            self.shared.trace.withdrawn();
            return self.settle(&answer, Err(NotSent::Closed.into()));
        }
        let epoch = self.barriers.call();
        let waiter = Waiter { answer, epoch, observed };
        match self.state.submit(channel, rq_type, flags, payload, waiter) {
            Ok(id) => {
                self.stats.calls += 1;
                span.submitted(id);
            }
            Err((error, waiter)) => {
                let reason = self.shared.refused(error);
                self.end_call(waiter, reason.into());
            }
        }
    }

    /// Tells a caller what came of its request, and lets another one in.
    #[inline]
    fn settle(&self, seat: &Seat, answer: Answer) {
        seeded!(CallForgotten => if let Err(CallError::Lost(_)) = answer { return });
        self.shared.inbox.settle(seat, answer);
    }

    #[inline]
    pub(super) fn settle_call(&mut self, waiter: Waiter, answer: Answer) {
        let Waiter { answer: seat, epoch, .. } = waiter;
        self.settle(&seat, answer);
        self.barriers.settled(epoch);
    }

    /// Tells a caller that there will be no answer, and why.
    fn end_call(&mut self, waiter: Waiter, error: CallError) {
        self.observe_unanswered(&waiter.observed, &error);
        self.settle_call(waiter, Err(error));
    }

    fn observe_unanswered(&self, observed: &Observed, error: &CallError) {
        if let Some(observed) = observed {
            let (rq_type, submitted) = **observed;
            let waited = submitted.elapsed();
            self.shared.observe(|observer| observer.call_unanswered(rq_type, waited, error));
        }
    }

    /// Tells all callers that no answers come any more.
    pub(super) fn abandon(&mut self, Abandoned { sent, unsent }: Abandoned<Waiter>, cause: &ConnectionError) {
        // First, so that nobody who hears of it finds the connection open.
        self.shared.finish(Wish::Close);
        self.calls_lost += sent.len() as u64;
        for waiter in sent {
            seeded!(NotSentOfSent => { self.end_call(waiter, NotSent::Closed.into()); continue });
            self.end_call(waiter, CallError::Lost(cause.clone()));
        }
        self.refuse_calls(unsent);
    }

    /// No more requests from us: neither those that were taken back, nor those that were submitted.
    pub(super) fn refuse_calls(&mut self, unsent: Vec<Waiter>) {
        // As above.
        self.shared.finish(Wish::Close);
        self.calls_unsent += unsent.len() as u64;
        for waiter in unsent {
            let reason = self.shared.not_sent();
            self.end_call(waiter, reason.into());
        }
        self.shared.inbox.end(&mut self.commands);
        for command in std::mem::take(&mut self.commands) {
            match command {
                Command::Submit(submission) => {
                    self.stats.calls += 1;
                    self.calls_unsent += 1;
                    let error = self.shared.not_sent().into();
                    self.observe_unanswered(&submission.observed, &error);
                    self.settle(&submission.answer, Err(error));
                }
                Command::Barrier(reached) => self.barriers.add(reached),
            }
        }
    }

    /// Sends all away who wait for their turn, which may not come before they have gone.
    pub(super) fn give_up_turns(&mut self) {
        let waited = self.shared.limits.stall_timeout;
        self.shared.inbox.disperse(|| NotSent::NoTurn(waited));
        for command in std::mem::take(&mut self.commands) {
            match command {
                Command::Submit(submission) => {
                    self.settle(&submission.answer, Err(NotSent::NoTurn(waited).into()));
                }
                Command::Barrier(reached) => self.barriers.add(reached),
            }
        }
    }

    /// A request of ours is answered with this packet.
    #[inline]
    pub(super) fn answered(&mut self, waiter: Waiter, packet: Packet) {
        let channel = packet.channel();
        // A response has one.
        let Some(outcome) = packet.into_outcome() else { return };
        if let Some(observed) = &waiter.observed {
            let (rq_type, submitted) = **observed;
            let elapsed = submitted.elapsed();
            self.shared.observe(|observer| observer.call_answered(rq_type, elapsed, &outcome));
        }
        let answer = match outcome {
            Ok(reply) => {
                self.stats.calls_ok += 1;
                Ok(reply)
            }
            Err(failure) => {
                self.stats.calls_failed += 1;
                // Python leaves the number out.
                let is_refused = channel != 0 && failure.is_unknown_channel();
                let failure = if is_refused { Failure::unknown_channel(channel) } else { failure };
                Err(CallError::Failed(failure))
            }
        };
        self.settle_call(waiter, answer);
    }
}
