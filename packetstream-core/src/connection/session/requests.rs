//! Requests of the peer: which are performed, which wait, which are refused.

use super::super::handler::{Incoming, Panicked, Ticket};
use super::{Phase, Running, Session};
use crate::outcome::{Failure, Outcome};
use crate::state::{RequestId, Requested};
use std::sync::Arc;
use tokio::time::Instant;

impl Session {
    /// Whether requests of the peer wait to be performed.
    #[inline]
    pub(in crate::connection) fn has_waiting(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// The next request of the peer to perform, if one may be begun.
    #[inline]
    pub(in crate::connection) fn next_request(&mut self) -> Option<(Ticket, Incoming)> {
        if self.backlog.is_empty() || !self.may_start(self.running()) {
            return None;
        }
        let request = self.backlog.pop_front()?;
        Some(self.begin(request))
    }

    #[inline]
    fn begin(&mut self, request: Requested) -> (Ticket, Incoming) {
        self.tickets += 1;
        seeded!(PerformedTwice => if self.tickets % 16 == 9 { self.backlog.push_back(request.clone()) });
        let ticket = Ticket { id: request.id, number: self.tickets };
        if !self.shared.observers.is_empty() {
            self.goes_on(ticket, request.rq_type);
        }
        (ticket, Incoming::new(request, Arc::clone(&self.shared)))
    }

    /// Takes note that a request did not finish at once, or that its time is of interest.
    pub(in crate::connection) fn goes_on(&mut self, ticket: Ticket, rq_type: u64) {
        let begin = || Running { begun: Instant::now(), rq_type };
        self.running.entry(ticket.number).or_insert_with(begin);
    }

    /// Takes note of what came of a request.
    #[inline]
    pub(in crate::connection) fn finished(&mut self, ticket: Ticket, performed: Result<Outcome, Panicked>) {
        if self.phase == Phase::Leaving {
            // It counts as unanswered already.
            return;
        }
        seeded!(PanicUnanswered => if performed.is_err() { return });
        let mut outcome = performed.unwrap_or_else(|Panicked| {
            self.stats.requests_panicked += 1;
            Err(Failure::internal())
        });
        if let Some(failure) = self.misfit(&outcome) {
            outcome = Err(failure);
        }
        if !self.running.is_empty()
            && let Some(Running { begun, rq_type }) = self.running.remove(&ticket.number)
        {
            let took = begun.elapsed();
            self.shared.observe(|observer| observer.request_answered(ticket.id, rq_type, took, &outcome));
        }
        self.stats.requests_answered += 1;
        self.stats.requests_failed += u64::from(outcome.is_err());
        self.state.respond(ticket.id, outcome);
    }

    /// What is said in place of an outcome that is too long.
    #[inline]
    fn misfit(&self, outcome: &Outcome) -> Option<Failure> {
        let limit = self.shared.limits.max_payload();
        let length = match outcome {
            Ok(reply) => reply.payload.len(),
            Err(failure) => failure.payload.len(),
        };
        let too_long = || Failure::new(format!("response of {length} bytes exceeds the limit of {limit}"));
        (length > limit).then(too_long)
    }

    #[cold]
    fn refuse(&mut self, id: RequestId) {
        self.stats.requests_refused += 1;
        self.shared.trace.refused(id, "busy");
        self.state.respond(id, Err(Failure::busy("")));
    }

    pub(super) fn refuse_backlog(&mut self) {
        for request in std::mem::take(&mut self.backlog) {
            self.refuse(request.id);
        }
    }

    /// Requests of the peer that are performed, or performed and not handed to the transport yet.
    pub(super) fn running(&self) -> usize {
        self.state.owed() - self.backlog.len() + self.state.queued_responses()
    }

    /// Whether one more may be begun beside as many.
    #[inline]
    pub(super) fn may_start(&self, running: usize) -> bool {
        seeded!(HandlersUnbounded => return true);
        let limits = &self.shared.limits;
        running < limits.max_handlers && self.state.queued_response_bytes() < limits.max_unsent_bytes
    }

    /// Whether one more request of the peer can be taken.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        seeded!(BacklogUnbounded => return true);
        let limits = &self.shared.limits;
        self.state.owed() + self.state.queued_responses() < limits.max_requests()
            && self.state.owed_bytes() < limits.max_request_bytes
    }

    /// Takes a request of the peer, and returns it if it is to be performed at once.
    #[inline]
    pub(super) fn admit(&mut self, request: Requested) -> Option<(Ticket, Incoming)> {
        if self.phase == Phase::Mute || (self.is_shedding && !self.has_room()) {
            self.refuse(request.id);
            self.bound_refusals();
            return None;
        }
        self.stats.requests += 1;
        // It is among those that run, as far as the state knows.
        if self.backlog.is_empty() && self.may_start(self.running().saturating_sub(1)) {
            return Some(self.begin(request));
        }
        self.backlog.push_back(request);
        None
    }
}
