//! What one connection decides: how much it takes, in what order, what is refused, when it is given up.
//!
//! It holds the protocol's state, and stands between the handles and whoever drives the transport. It does no
//! I/O, knows no task and reads no clock: packets, bytes that moved and the time are told to it.

use super::Shared;
use super::barriers::Barriers;
use super::builder::Limits;
use super::call::{Observed, Submission, Waiter};
use super::error::{CallError, ConnectionError, NotSent};
use super::handler::{Incoming, NoHandler, Panicked, Ticket, perform};
use super::handlers::Handlers;
use super::inbox::{Command, Setting, Wish};
use super::report::{CloseReport, EndedBy};
use super::stats::Stats;
use super::watchdog::{Deadlines, Wait};
use super::{PeerStage, Published};
use crate::codec::DecodeError;
use crate::outcome::{Failure, Outcome, Reply};
use crate::packet::{Kind, Packet};
use crate::state::{Abandoned, ConnectionState, Event, RequestId, Requested};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Requests of ours that one turn takes.
const PER_TURN: usize = 256;
/// Bytes that are made ready for the transport at a time; one packet may exceed it.
const READY_BYTES: usize = 128 << 10;
/// How long reading pauses before excess requests are refused, while answers to us may be behind them.
const SHED_AFTER: Duration = Duration::from_secs(1);
/// Refusals that may wait to be sent before the peer is given up.
const MAX_REFUSALS: usize = 1024;
/// How long a connection that has failed tries to tell the peer, or hears nothing more from it.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Session {
    shared: Arc<Shared>,
    state: ConnectionState<Waiter>,
    handlers: Handlers,
    /// What handles have commanded, and was not obeyed yet.
    commands: VecDeque<Command>,
    settings: Vec<Setting>,
    wish: Wish,
    barriers: Barriers,
    /// Requests of the peer that wait to be performed.
    backlog: VecDeque<Requested>,
    /// When the handlers were begun that did not finish at once, or all if somebody wants to know, by the numbers of
    /// their tickets.
    running: BTreeMap<u64, Running>,
    tickets: u64,
    phase: Phase,
    /// What went wrong first.
    cause: Option<ConnectionError>,
    /// Why writing failed, if nothing but our goodbye was lost by it: no harm if the peer still says its own.
    unheard: Option<ConnectionError>,
    /// Whether excess requests are refused instead of left unread.
    is_shedding: bool,
    deadlines: Deadlines,
    /// The totals; what it holds now is filled in when it is published.
    stats: Stats,
    /// As it was told last.
    transit: Transit,
    ended_by: Option<EndedBy>,
    calls_lost: u64,
    calls_unsent: u64,
    requests_unanswered: u64,
    /// How it has ended, until that is told.
    report: Option<CloseReport>,
}

/// A handler at work.
#[derive(Clone, Copy, Debug)]
struct Running {
    begun: Instant,
    rq_type: u64,
}

/// Whether the transport can still be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Both ways.
    Live,
    /// Writing has failed; what the peer has sent before can still be read.
    Mute,
    /// Beyond repair; all that is left is to tell the peer.
    Leaving,
}

/// What is between the session and the peer, as whoever drives the transport knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transit {
    /// Bytes that have come.
    pub(super) read: u64,
    /// Whether a packet has come in part.
    pub(super) is_mid_packet: bool,
    /// Bytes that the transport has taken.
    pub(super) written: u64,
    /// Bytes that it has not taken.
    pub(super) unsent: usize,
    /// Responses that it may not have passed on.
    pub(super) responses: u64,
    /// Whether it has taken everything and holds nothing back.
    pub(super) is_flushed: bool,
    /// Whether what it has not taken is not for it to take yet.
    pub(super) is_gathering: bool,
    /// How often it was flushed.
    pub(super) flushes: u64,
}

/// What a look at the deadlines has come to.
pub(super) enum Overdue {
    /// Nothing; look again at this time, if at all.
    Nothing(Option<Instant>),
    /// Something, and it has changed the session.
    Handled,
    /// The end of the connection: whatever was not written is to be discarded.
    GaveUp,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, handlers: Handlers) -> Self {
        let Limits { stall_timeout, answer_timeout, close_timeout, .. } = shared.limits;
        let mut state = ConnectionState::default();
        handlers.channels().for_each(|channel| state.open_channel(channel));
        Self {
            shared,
            state,
            handlers,
            commands: VecDeque::new(),
            settings: Vec::new(),
            wish: Wish::Live,
            barriers: Barriers::default(),
            backlog: VecDeque::new(),
            running: BTreeMap::new(),
            tickets: 0,
            phase: Phase::Live,
            cause: None,
            unheard: None,
            is_shedding: false,
            deadlines: Deadlines::new(|wait| match wait {
                Wait::Reading | Wait::Writing | Wait::Handler => stall_timeout,
                Wait::Room => SHED_AFTER,
                Wait::Answers => answer_timeout,
                Wait::Goodbye => close_timeout,
                Wait::Leaving => FAREWELL,
            }),
            stats: Stats::default(),
            transit: Transit::default(),
            ended_by: None,
            calls_lost: 0,
            calls_unsent: 0,
            requests_unanswered: 0,
            report: None,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn handlers(&mut self) -> &mut Handlers {
        &mut self.handlers
    }

    /// Whether the connection closes, so that nothing is worth waiting for any more.
    pub(super) fn is_closing(&self) -> bool {
        self.wish >= Wish::Close || self.state.is_closing()
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self, transit: &Transit) -> bool {
        match self.phase {
            Phase::Live | Phase::Leaving => transit.is_flushed && self.state.is_finished(),
            Phase::Mute => self.state.is_peer_silent(),
        }
    }

    /// Does what handles want, as far as there is room, and says whether that was anything. Whoever wants more
    /// wakes `driver`.
    pub(super) fn obey(&mut self, driver: &Waker) -> bool {
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
            self.fail(ConnectionError::Aborted);
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
    fn submissions(&self) -> usize {
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

    fn submit(&mut self, submission: Submission) {
        let Submission { channel, rq_type, flags, payload, answer, observed, span } = submission;
        if answer.is_closed() {
            self.stats.calls += 1;
            self.stats.calls_withdrawn += 1;
            self.shared.trace.withdrawn();
            return self.settle(answer, Err(NotSent::Closed.into()));
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
    fn settle(&self, answer: oneshot::Sender<Result<Reply, CallError>>, result: Result<Reply, CallError>) {
        self.shared.calls.add_permits(1);
        if answer.send(result).is_err() {
            // The caller has given up, and has counted that.
            self.shared.abandoned.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn settle_call(&mut self, waiter: Waiter, result: Result<Reply, CallError>) {
        self.settle(waiter.answer, result);
        self.barriers.settled(waiter.epoch);
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
    fn abandon(&mut self, Abandoned { sent, unsent }: Abandoned<Waiter>, cause: &ConnectionError) {
        // First, so that nobody who hears of it finds the connection open.
        self.shared.finish(Wish::Close);
        self.calls_lost += sent.len() as u64;
        for waiter in sent {
            self.end_call(waiter, CallError::Lost(cause.clone()));
        }
        self.refuse_calls(unsent);
    }

    /// No more requests from us: neither those that were taken back, nor those that were submitted.
    fn refuse_calls(&mut self, unsent: Vec<Waiter>) {
        self.calls_unsent += unsent.len() as u64;
        for waiter in unsent {
            let reason = self.shared.not_sent();
            self.end_call(waiter, reason.into());
        }
        self.shared.finish(Wish::Close);
        self.shared.inbox.end(&mut self.commands);
        for command in std::mem::take(&mut self.commands) {
            match command {
                Command::Submit(submission) => {
                    self.stats.calls += 1;
                    self.calls_unsent += 1;
                    let error = self.shared.not_sent().into();
                    self.observe_unanswered(&submission.observed, &error);
                    self.settle(submission.answer, Err(error));
                }
                Command::Barrier(reached) => self.barriers.add(reached),
            }
        }
    }

    /// Whether requests of the peer wait to be performed.
    #[inline]
    pub(super) fn has_waiting(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// The next request of the peer to perform, if one may be begun.
    pub(super) fn next_request(&mut self) -> Option<(Ticket, Incoming)> {
        if !self.may_start() {
            return None;
        }
        let request = self.backlog.pop_front()?;
        self.tickets += 1;
        let ticket = Ticket { id: request.id, number: self.tickets };
        if !self.shared.observers.is_empty() {
            self.goes_on(ticket, request.rq_type);
        }
        Some((ticket, Incoming::new(request, Arc::clone(&self.shared))))
    }

    /// Takes note that a request did not finish at once, or that its time is of interest.
    pub(super) fn goes_on(&mut self, ticket: Ticket, rq_type: u64) {
        let begin = || Running { begun: Instant::now(), rq_type };
        self.running.entry(ticket.number).or_insert_with(begin);
    }

    /// Takes note of what came of a request.
    pub(super) fn finished(&mut self, ticket: Ticket, performed: Result<Outcome, Panicked>) {
        if self.phase == Phase::Leaving {
            // It counts as unanswered already.
            return;
        }
        let outcome = performed.unwrap_or_else(|Panicked| {
            self.stats.requests_panicked += 1;
            Err(Failure::internal())
        });
        let outcome = self.fit(outcome);
        if let Some(Running { begun, rq_type }) = self.running.remove(&ticket.number) {
            let took = begun.elapsed();
            self.shared.observe(|observer| observer.request_answered(ticket.id, rq_type, took, &outcome));
        }
        self.stats.requests_answered += 1;
        self.stats.requests_failed += u64::from(outcome.is_err());
        self.state.respond(ticket.id, outcome);
    }

    /// The outcome, or what is said in place of one that is too long.
    fn fit(&self, outcome: Outcome) -> Outcome {
        let limit = self.shared.limits.max_payload();
        let length = match &outcome {
            Ok(reply) => reply.payload.len(),
            Err(failure) => failure.payload.len(),
        };
        if length > limit {
            return Err(Failure::new(format!("response of {length} bytes exceeds the limit of {limit}")));
        }
        outcome
    }

    fn refuse(&mut self, id: RequestId) {
        self.stats.requests_refused += 1;
        self.shared.trace.refused(id, "busy");
        self.state.respond(id, Err(Failure::busy("")));
    }

    fn refuse_backlog(&mut self) {
        for request in std::mem::take(&mut self.backlog) {
            self.refuse(request.id);
        }
    }

    /// Requests of the peer that are performed, or performed and not handed to the transport yet.
    fn running(&self) -> usize {
        self.state.owed() - self.backlog.len() + self.state.queued_responses()
    }

    fn may_start(&self) -> bool {
        let limits = &self.shared.limits;
        self.running() < limits.max_handlers && self.state.queued_response_bytes() < limits.max_unsent_bytes
    }

    /// Whether one more request of the peer can be taken.
    fn has_room(&self) -> bool {
        let limits = &self.shared.limits;
        let most = limits.max_handlers.saturating_add(limits.max_queued);
        self.state.owed() + self.state.queued_responses() < most
            && self.state.owed_bytes() < limits.max_request_bytes
    }

    /// Whether packets of the peer are taken; also lets go of refusing them, once there is room.
    pub(super) fn may_read(&mut self) -> bool {
        if self.is_shedding && self.has_room() {
            self.is_shedding = false;
        }
        self.wants_packets()
    }

    /// Whether nothing that may still come is of interest: whoever reads may stop for good.
    pub(super) fn hears_no_more(&self) -> bool {
        self.phase == Phase::Leaving || self.state.is_peer_silent()
    }

    fn wants_packets(&self) -> bool {
        !self.hears_no_more() && (self.is_shedding || self.has_room())
    }

    /// Takes one packet of the peer.
    pub(super) fn handle(&mut self, packet: Packet) {
        self.stats.packets_received += 1;
        self.shared.observe(|observer| observer.received(&packet));
        self.shared.trace.received(&packet);
        let channel = packet.channel();
        let id = RequestId { channel, tag: packet.tag() };
        let (refused, ignored) = (self.state.refused(), self.state.ignored());
        if channel != 0 && matches!(packet.kind(), Kind::Request(_)) {
            self.accept_channel(channel);
        }
        match self.state.handle_packet(packet) {
            Ok(None) if self.state.refused() > refused => {
                let is_open = self.state.is_open(channel);
                self.shared
                    .trace
                    .refused(id, if is_open { "after its end of requests" } else { "unknown channel" });
            }
            Ok(None) if self.state.ignored() > ignored => self.shared.trace.ignored(id),
            Ok(None) => {}
            Ok(Some(Event::Answered { waiter, outcome })) => self.answered(channel, waiter, outcome),
            Ok(Some(Event::Requested(request))) => self.admit(request),
            Ok(Some(Event::Ended(abandoned))) => {
                self.ended_by.get_or_insert(EndedBy::Peer);
                self.abandon(abandoned, &ConnectionError::ClosedByPeer);
            }
            Err(error) => self.fail(error.into()),
        }
        if self.phase == Phase::Live && self.state.is_closing() {
            // By the peer's end of requests, which comes after ours.
            self.ended_by.get_or_insert(EndedBy::Peer);
        }
        self.tell_peer_stage();
        // Also what the state refuses by itself waits to be sent.
        let unsent = self.state.queued_responses();
        let Limits { max_handlers, max_queued, .. } = self.shared.limits;
        if unsent > max_handlers.saturating_add(max_queued).saturating_add(MAX_REFUSALS) {
            self.fail(ConnectionError::Overload { unsent });
        }
    }

    fn accept_channel(&mut self, channel: u64) {
        if !self.state.is_open(channel) && self.handlers.accepts(channel) {
            self.state.open_channel(channel);
        }
    }

    fn answered(&mut self, channel: u64, waiter: Waiter, outcome: Outcome) {
        if let Some(observed) = &waiter.observed {
            let (rq_type, submitted) = **observed;
            let elapsed = submitted.elapsed();
            self.shared.observe(|observer| observer.call_answered(rq_type, elapsed, &outcome));
        }
        let outcome = match outcome {
            Ok(reply) => {
                self.stats.calls_ok += 1;
                Ok(reply)
            }
            Err(failure) => {
                self.stats.calls_failed += 1;
                // Python leaves the number out.
                let is_refused = channel != 0 && failure.is_unknown_channel();
                Err(if is_refused { Failure::unknown_channel(channel) } else { failure })
            }
        };
        self.settle_call(waiter, outcome.map_err(CallError::Failed));
    }

    fn admit(&mut self, request: Requested) {
        if self.phase == Phase::Mute || (self.is_shedding && !self.has_room()) {
            self.refuse(request.id);
        } else {
            self.stats.requests += 1;
            self.backlog.push_back(request);
        }
    }

    fn tell_peer_stage(&self) {
        let stage = if self.state.is_peer_silent() {
            PeerStage::Silent
        } else if self.state.is_peer_draining() {
            PeerStage::Drained
        } else {
            return;
        };
        self.shared.peer.send_if_modified(|told| {
            let is_news = *told < stage;
            *told = stage.max(*told);
            is_news
        });
    }

    /// The transport has ended, in the midst of a packet if there is an error.
    pub(super) fn handle_end(&mut self, end: Result<(), DecodeError>) {
        self.ended_by.get_or_insert(EndedBy::Transport);
        if let Err(error) = end {
            return self.fail(error.into());
        }
        // What the peer has asked is still answered: it may have closed one direction only.
        let cause = self.unheard.take().unwrap_or(ConnectionError::NoGoodbye);
        self.shared.blame(Some(cause.clone()));
        let abandoned = self.state.handle_eof();
        self.tell_peer_stage();
        self.abandon(abandoned, &cause);
        self.cause.get_or_insert(cause);
    }

    /// Gives the connection up: every caller learns why, and the peer is told that this is the end.
    pub(super) fn fail(&mut self, cause: ConnectionError) {
        let cause = self.unheard.take().unwrap_or(cause);
        self.ended_by.get_or_insert(ended_by(&cause));
        self.shared.blame(Some(cause.clone()));
        self.count_unanswered();
        let abandoned = self.state.abort();
        self.tell_peer_stage();
        self.abandon(abandoned, &cause);
        self.cause.get_or_insert(cause);
        self.backlog.clear();
        self.phase = Phase::Leaving;
        self.shared.cancel();
    }

    /// Nothing that the peer still waits for reaches it.
    fn count_unanswered(&mut self) {
        self.requests_unanswered += (self.state.owed() + self.state.queued_responses()) as u64;
    }

    /// As many responses will not reach the peer.
    pub(super) fn lose_responses(&mut self, count: u64) {
        self.requests_unanswered += count;
        if count > 0
            && let Some(unheard) = self.unheard.take()
        {
            // More is lost by it than our goodbye.
            if self.ended_by != Some(EndedBy::Us) {
                // Also when the peer has said its last since.
                self.ended_by = Some(EndedBy::Transport);
            }
            self.cause.get_or_insert(unheard);
        }
    }

    /// The next packet to be written, while less than enough waits for the transport.
    pub(super) fn poll_transmit(&mut self, unsent: usize) -> Option<Packet> {
        if unsent >= READY_BYTES {
            return None;
        }
        while let Some(waiter) = self.state.withdraw_next_if(|waiter| waiter.answer.is_closed()) {
            self.stats.calls_withdrawn += 1;
            self.shared.trace.withdrawn();
            self.settle_call(waiter, Err(NotSent::Closed.into()));
        }
        let packet = self.state.poll_transmit()?;
        if self.phase == Phase::Mute {
            self.lose_responses(u64::from(matches!(packet.kind(), Kind::Response { .. })));
        } else {
            self.stats.packets_sent += 1;
            self.shared.observe(|observer| observer.sent(&packet));
            self.shared.trace.sent(&packet);
        }
        Some(packet)
    }

    /// Writing has failed, and this many responses may be lost by it. The peer may have said more before it went, its
    /// goodbye even; but nothing more is asked or performed.
    pub(super) fn fail_writing(&mut self, error: io::Error, lost: u64) {
        let cause = ConnectionError::Write(Arc::new(error));
        self.shared.blame(Some(cause.clone()));
        self.requests_unanswered += lost;
        if lost > 0 || self.state.owed() + self.state.queued_responses() > 0 {
            self.ended_by.get_or_insert(EndedBy::Transport);
            self.cause.get_or_insert(cause);
        } else {
            self.unheard.get_or_insert(cause);
        }
        self.phase = Phase::Mute;
        self.shared.cancel();
        let unsent = self.state.withdraw();
        self.refuse_calls(unsent);
        self.state.close();
        self.refuse_backlog();
    }

    /// Looks at what should move and has not.
    pub(super) fn look(&mut self, transit: &Transit, now: Instant) -> Overdue {
        let progress = Wait::ALL.map(|wait| self.progress(wait, transit));
        let wait = match self.deadlines.look(progress, now) {
            Ok(next) => return Overdue::Nothing(next),
            Err(wait) => wait,
        };
        let Limits { stall_timeout, answer_timeout, close_timeout, .. } = self.shared.limits;
        match wait {
            Wait::Reading => self.fail(ConnectionError::ReadStalled(stall_timeout)),
            Wait::Writing => {
                let unsent = transit.unsent.saturating_add(self.state.queued_bytes());
                self.fail(ConnectionError::WriteStalled { limit: stall_timeout, unsent });
            }
            Wait::Room => self.is_shedding = true,
            Wait::Handler => self.refuse_backlog(),
            Wait::Answers => {
                let (in_flight, owed) = (self.state.in_flight(), self.state.owed());
                self.fail(ConnectionError::CloseTimedOut { limit: answer_timeout, in_flight, owed });
            }
            Wait::Goodbye => self.fail(ConnectionError::GoodbyeTimedOut(close_timeout)),
            Wait::Leaving => {
                self.give_up();
                return Overdue::GaveUp;
            }
        }
        Overdue::Handled
    }

    /// How far what is waited for has come; nothing if it is not waited for.
    fn progress(&self, wait: Wait, transit: &Transit) -> Option<u64> {
        let is_live = self.phase == Phase::Live;
        let is_asking = self.state.in_flight() > 0;
        let packets = self.stats.packets_received;
        match wait {
            Wait::Reading => {
                let waits = is_live && self.wants_packets() && transit.is_mid_packet;
                waits.then_some(transit.read)
            }
            Wait::Writing => {
                let waits = is_live && !transit.is_flushed && !transit.is_gathering;
                waits.then_some(transit.written)
            }
            Wait::Room => {
                let waits = is_live && is_asking && !self.is_shedding && !self.has_room();
                waits.then_some(packets)
            }
            Wait::Handler => {
                let waits = is_live && is_asking && !self.backlog.is_empty() && !self.may_start();
                waits.then_some(packets.wrapping_add(transit.written))
            }
            Wait::Answers => {
                let waits = self.phase != Phase::Leaving && self.is_closing() && !self.state.is_silent();
                waits.then_some(0)
            }
            Wait::Goodbye => {
                let waits = self.phase != Phase::Leaving && self.state.is_silent();
                waits.then_some(0)
            }
            Wait::Leaving => match self.phase {
                Phase::Live => None,
                Phase::Mute => Some(transit.read),
                Phase::Leaving => Some(0),
            },
        }
    }

    /// The peer could not be told, or has not said its last, in time.
    fn give_up(&mut self) {
        self.fail(self.cause.clone().unwrap_or(ConnectionError::NoGoodbye));
        while self.state.poll_transmit().is_some() {}
    }

    /// Lets everybody see what was done and is held.
    pub(super) fn publish(&mut self, transit: &Transit) {
        self.transit = *transit;
        let flushed = transit.flushes > self.stats.flushes;
        self.stats.bytes_sent = transit.written;
        self.stats.bytes_received = transit.read;
        self.stats.flushes = transit.flushes;
        let stats = Stats {
            requests_refused: self.stats.requests_refused + self.state.refused(),
            packets_ignored: self.state.ignored(),
            in_flight: self.state.in_flight(),
            queued: self.submissions() + self.state.queued_requests(),
            in_flight_bytes: self.state.in_flight_bytes(),
            performing: self.state.owed() - self.backlog.len(),
            waiting: self.backlog.len(),
            request_bytes: self.state.owed_bytes(),
            unsent_responses: self.state.queued_responses(),
            unsent_bytes: transit.unsent.saturating_add(self.state.queued_bytes()),
            ..self.stats
        };
        let oldest_handler = self.running.first_key_value().map(|(_, running)| running.begun);
        let mut published = self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let sent_before = published.stats.packets_sent;
        *published = Published { stats, oldest_handler };
        drop(published);
        if !self.shared.observers.is_empty() {
            let stats = self.shared.stats();
            if flushed {
                let packets = stats.packets_sent.saturating_sub(sent_before);
                self.shared.observe(|observer| observer.flushed(packets));
            }
            self.shared.observe(|observer| observer.turned(&stats));
        }
    }

    /// The connection has ended: nobody waits for anything from here on, but to hear how, which
    /// [`tell`](Self::tell) does.
    pub(super) fn end(&mut self, transit: &Transit) -> CloseReport {
        self.shared.cancel();
        self.shared.blame(self.cause.clone());
        self.refuse_calls(Vec::new());
        // Those are dropped that were still at it.
        self.running.clear();
        self.lose_responses(transit.responses);
        self.count_unanswered();
        self.backlog.clear();
        self.state.abort();
        self.shared.peer.send_replace(PeerStage::Silent);
        self.publish(&Transit { unsent: 0, responses: 0, ..*transit });
        let report = CloseReport {
            result: self.cause.clone().map_or(Ok(()), Err),
            ended_by: self.ended_by.unwrap_or(EndedBy::Us),
            calls_lost: self.calls_lost,
            calls_unsent: self.calls_unsent,
            requests_unanswered: self.requests_unanswered,
            shut_down: None,
            stats: self.shared.stats(),
        };
        self.report.insert(report).clone()
    }

    /// Tells once how the connection has ended, and how shutting the transport down went.
    pub(super) fn tell(&mut self, shut_down: io::Result<()>) {
        let Some(report) = self.report.take() else { return };
        let report = CloseReport { shut_down: shut_down.err().map(Arc::new), ..report };
        // A panic has nothing left to end, and others wait to be told.
        let _ = catch_unwind(AssertUnwindSafe(|| self.shared.observe(|observer| observer.ended(&report))));
        self.shared.trace.ended(&report);
        self.shared.ended.send_replace(Some(report));
    }

    /// Lets go of what handles and handlers hold, when all was told.
    pub(super) fn leave(&mut self) {
        self.handlers = Handlers::new(perform(NoHandler));
        self.shared.inbox.leave();
    }
}

/// Who is to blame.
fn ended_by(cause: &ConnectionError) -> EndedBy {
    match cause {
        ConnectionError::Aborted | ConnectionError::Dropped => EndedBy::Us,
        ConnectionError::Read(_) | ConnectionError::Write(_) | ConnectionError::NoGoodbye => {
            EndedBy::Transport
        }
        _ => EndedBy::Peer,
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.report.is_none() && self.shared.ended.borrow().is_none() {
            self.fail(ConnectionError::Dropped);
            let transit = self.transit;
            self.end(&transit);
        }
        self.tell(Ok(()));
        self.leave();
    }
}
