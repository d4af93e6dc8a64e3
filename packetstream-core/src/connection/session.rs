//! What one connection decides: how much it takes, in what order, what is refused, when it is given up.
//!
//! It holds the protocol's state, and stands between the handles and whoever drives the transport. It does no
//! I/O, knows no task and reads no clock: packets, bytes that moved and the time are told to it.

mod account;
mod calls;
mod deadlines;
mod requests;

use super::barriers::Barriers;
use super::call::Waiter;
use super::error::ConnectionError;
use super::handler::{Incoming, Ticket};
use super::handlers::Handlers;
use super::inbox::{Command, Setting, Wish};
use super::limits::{FAREWELL, Limits, MAX_REFUSALS, SHED_AFTER};
use super::report::{CloseReport, EndedBy};
use super::stats::Stats;
use super::watchdog::{Deadlines, Wait};
use super::writer::Writer;
use super::{PeerStage, Shared};
use crate::codec::DecodeError;
use crate::packet::{Kind, Packet};
use crate::state::{ConnectionState, Digest, RequestId, Requested};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use tokio::time::Instant;

/// Requests of ours that one turn takes.
const PER_TURN: usize = 256;
/// Bytes that are made ready for the transport at a time; one packet may exceed it.
const READY_BYTES: usize = 128 << 10;

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
    /// Until when handlers that seem to wait for each other are not left alone for long.
    knotted_until: Option<Instant>,
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
            knotted_until: None,
            deadlines: Deadlines::new(|wait| match wait {
                Wait::Reading | Wait::Writing | Wait::Handler | Wait::Turn => stall_timeout,
                Wait::Room | Wait::Knot => SHED_AFTER,
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

    #[inline]
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

    /// Whether packets of the peer are taken; also lets go of refusing them, once there is room.
    #[inline]
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
        seeded!(ReaderWaitsForHandlers => if self.state.owed() > 0 { return false });
        !self.hears_no_more() && (self.is_shedding || self.has_room())
    }

    /// Takes one packet of the peer, and returns the request in it if that is to be performed at once.
    #[inline]
    pub(super) fn handle(&mut self, packet: Packet) -> Option<(Ticket, Incoming)> {
        self.stats.packets_received += 1;
        self.shared.observe(|observer| observer.received(&packet));
        self.shared.trace.received(&packet);
        let id = RequestId { channel: packet.channel(), tag: packet.tag() };
        if id.channel != 0 && matches!(packet.kind(), Kind::Request(_)) {
            self.accept_channel(id.channel);
        }
        let before = (self.state.refused(), self.state.ignored());
        match self.state.digest(&packet) {
            Ok(Digest::Answered(waiter)) => self.answered(waiter, packet),
            Ok(Digest::Requested(rq_type)) => {
                let (flags, payload) = (packet.flags(), packet.into_payload());
                return self.admit(Requested { id, rq_type, flags, payload });
            }
            Ok(Digest::Ended(abandoned)) => {
                self.ended_by.get_or_insert(EndedBy::Peer);
                self.abandon(abandoned, &ConnectionError::ClosedByPeer);
                self.look_at_peer();
            }
            Ok(Digest::Nothing) => self.dealt_with(id, before),
            Err(error) => {
                self.fail(error.into());
                self.look_at_peer();
            }
        }
        None
    }

    /// The state has dealt with a packet itself: the counts of what it refuses and ignores were these `before`.
    #[cold]
    fn dealt_with(&mut self, id: RequestId, (refused, ignored): (u64, u64)) {
        if self.state.refused() > refused {
            let is_open = self.state.is_open(id.channel);
            let reason = if is_open { "after its end of requests" } else { "unknown channel" };
            self.shared.trace.refused(id, reason);
        } else if self.state.ignored() > ignored {
            self.shared.trace.ignored(id);
        }
        self.look_at_peer();
        self.bound_refusals();
    }

    /// Looks at how far the peer's goodbye has come.
    #[cold]
    fn look_at_peer(&mut self) {
        if self.phase == Phase::Live && self.state.is_closing() {
            // By the peer's end of requests, which comes after ours.
            self.ended_by.get_or_insert(EndedBy::Peer);
        }
        self.tell_peer_stage();
    }

    /// Refusals wait to be sent, too.
    #[cold]
    fn bound_refusals(&mut self) {
        let unsent = self.state.queued_responses();
        let limit = self.shared.limits.max_requests().saturating_add(MAX_REFUSALS);
        if unsent > limit {
            self.fail(ConnectionError::Overload { unsent, limit });
        }
    }

    #[cold]
    fn accept_channel(&mut self, channel: u64) {
        if !self.state.is_open(channel) && self.handlers.accepts(channel) {
            self.state.open_channel(channel);
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
        self.shared.tell_peer_stage(stage);
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
    #[cold]
    pub(super) fn fail(&mut self, cause: ConnectionError) {
        let cause = self.unheard.take().unwrap_or(cause);
        self.ended_by.get_or_insert(ended_by(&cause));
        self.shared.blame(Some(cause.clone()));
        self.cause.get_or_insert_with(|| cause.clone());
        self.phase = Phase::Leaving;
        self.count_unanswered();
        let abandoned = self.state.abort();
        self.tell_peer_stage();
        // What is dropped or woken by this may panic.
        self.abandon(abandoned, &cause);
        self.backlog.clear();
        self.shared.cancel();
    }

    /// Has `writer` take what there is to be written, while less than enough waits for the transport, and says whether
    /// that was anything. `ahead` is what waits besides.
    #[inline]
    pub(super) fn transmit(&mut self, writer: &mut Writer, ahead: usize) -> bool {
        let mut any = false;
        while writer.unsent().saturating_add(ahead) < READY_BYTES && self.transmit_one(writer) {
            any = true;
        }
        any
    }

    /// As [`transmit`](Self::transmit), while responses wait: so that they need not be kept until the end of a turn.
    #[inline]
    pub(super) fn transmit_responses(&mut self, writer: &mut Writer) {
        while self.state.queued_responses() > 0 && writer.unsent() < READY_BYTES {
            self.transmit_one(writer);
        }
    }

    #[inline]
    fn transmit_one(&mut self, writer: &mut Writer) -> bool {
        if self.shared.inbox.given_up() > 0 {
            self.withdraw_unwanted();
        }
        let mut lost = 0;
        let Self { state, shared, stats, phase, .. } = self;
        let any = state.transmit(|packet| {
            if *phase == Phase::Mute {
                // What leaves the session makes room there.
                lost = u64::from(matches!(packet.kind(), Kind::Response { .. }));
                return;
            }
            stats.packets_sent += 1;
            shared.observe(|observer| observer.sent(packet));
            shared.trace.sent(packet);
            writer.push(packet);
        });
        if lost > 0 {
            self.lose_responses(lost);
        }
        any
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
}

/// Who is to blame.
fn ended_by(cause: &ConnectionError) -> EndedBy {
    match cause {
        ConnectionError::Aborted | ConnectionError::ObserverPanicked | ConnectionError::Dropped => {
            EndedBy::Us
        }
        ConnectionError::Read(_) | ConnectionError::Write(_) | ConnectionError::NoGoodbye => {
            EndedBy::Transport
        }
        _ => EndedBy::Peer,
    }
}
