//! The task that owns a state and a transport.
//!
//! One turn takes, in this order, a bounded amount of: requests of ours, outcomes of handlers,
//! requests of the peer that wait for a handler, packets from the peer, and then writes what has come of it all
//! with one write. It never waits for one of them while another could go on:
//!
//! * Reading does not wait for writing, for a handler or for a caller. It pauses when the peer has asked
//!   for more than [`Limits`] allow, and then no longer than twice [`SHED_AFTER`] while answers to requests
//!   of ours may be behind it.
//! * Packets are queued whole, and only this task writes: whoever gives up waiting leaves nothing torn.
//! * Responses have a queue of their own; callers' back-pressure does not touch it.
//! * Every wait has a deadline, looked at when there is nothing else to do, and before the task yields.

use super::call::{Submission, Waiter};
use super::error::{CallError, ConnectionError};
use super::handler::{Incoming, Perform, Tasks};
use super::watchdog::{Deadlines, Wait};
use super::writer::Writer;
use super::{Limits, Shared};
use crate::codec::Decoder;
use crate::outcome::{Failure, Outcome};
use crate::packet::Packet;
use crate::state::{Abandoned, ConnectionState, Event, RequestId, Requested};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// Turns before the task yields to others.
const TURNS: usize = 8;
/// Packets that one turn takes from the peer, and requests of ours.
const PER_TURN: usize = 256;
/// Bytes that are made ready for the transport at a time; one packet may exceed it.
const READY_BYTES: usize = 128 << 10;
/// How long reading pauses before excess requests are refused, while answers to us may be behind them.
const SHED_AFTER: Duration = Duration::from_secs(1);
/// Refusals that may wait to be sent before the peer is given up.
const MAX_REFUSALS: usize = 1024;
/// How long a connection that has failed tries to tell the peer, or hears nothing more from it.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long shutting the transport of an ended connection down may take.
const SHUT_DOWN: Duration = Duration::from_secs(5);

/// Drives a connection: reads, writes, performs. Nothing happens unless it runs.
///
/// Dropping it drops the transport and the handlers that still run; calls then fail with
/// [`ConnectionError::Dropped`].
#[must_use = "a connection does nothing unless its driver runs"]
pub struct Driver<S> {
    transport: S,
    decoder: Decoder,
    writer: Writer,
    state: ConnectionState<Waiter>,
    shared: Owner,
    ended: watch::Sender<Option<Result<(), ConnectionError>>>,
    performer: Box<dyn Perform>,
    tasks: Tasks,
    /// Requests of the peer that wait to be performed.
    backlog: VecDeque<Requested>,
    phase: Phase,
    /// What went wrong first.
    cause: Option<ConnectionError>,
    /// Why writing failed, if nothing but our goodbye was lost by it: no harm if the peer still says its own.
    unheard: Option<ConnectionError>,
    /// Whether excess requests are refused instead of left unread.
    shedding: bool,
    bytes_read: u64,
    packets_read: u64,
    deadlines: Deadlines,
}

/// Whether the transport can still be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Both ways.
    Live,
    /// Writing has failed; what the peer has sent before can still be read.
    Mute,
    /// Beyond repair; all that is left is to tell the peer.
    Leaving,
}

/// A connection that has ended, with the transport handed back.
#[derive(Debug)]
pub struct Ended<S> {
    /// What ended it, unless both sides said goodbye.
    pub result: Result<(), ConnectionError>,
    /// The transport, neither shut down nor closed: it can carry another connection.
    pub transport: S,
    /// What was read behind the peer's last packet: the first bytes of whatever comes next.
    pub unread: Bytes,
}

/// The driver's share. When it goes, no caller waits any more.
struct Owner {
    shared: Arc<Shared>,
    /// Requests of ours that are not in the state yet.
    submitted: VecDeque<Submission>,
}

impl Owner {
    /// No more requests from us; also those that were submitted already are not sent.
    fn refuse_submitted(&mut self) {
        self.close();
        self.submitted.append(&mut self.shared.inbox.end());
        for Submission { waiter, .. } in self.submitted.drain(..) {
            self.shared.settle(waiter, Err(self.shared.not_sent().into()));
        }
    }
}

impl Deref for Owner {
    type Target = Arc<Shared>;

    fn deref(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.cancel();
        self.blame(Some(ConnectionError::Dropped));
        self.refuse_submitted();
    }
}

impl<S> Driver<S> {
    pub(super) fn new(
        transport: S,
        shared: Arc<Shared>,
        ended: watch::Sender<Option<Result<(), ConnectionError>>>,
        performer: Box<dyn Perform>,
    ) -> Self {
        let Limits { max_packet, stall_timeout, close_timeout, .. } = shared.limits;
        Self {
            transport,
            decoder: Decoder::new(max_packet),
            writer: Writer::default(),
            state: ConnectionState::default(),
            shared: Owner { shared, submitted: VecDeque::new() },
            ended,
            performer,
            tasks: Tasks::new(),
            backlog: VecDeque::new(),
            phase: Phase::Live,
            cause: None,
            unheard: None,
            shedding: false,
            bytes_read: 0,
            packets_read: 0,
            deadlines: Deadlines::new(|wait| match wait {
                Wait::Reading | Wait::Writing | Wait::Handler => stall_timeout,
                Wait::Room => SHED_AFTER,
                Wait::Closing => close_timeout,
                Wait::Leaving => FAREWELL,
            }),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Runs until the connection has ended, and hands the transport back.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connection and the transport.
    pub async fn run(mut self) -> Ended<S> {
        let result = self.drive().await;
        self.ended.send_replace(Some(result.clone()));
        Ended { result, transport: self.transport, unread: self.decoder.into_unread() }
    }

    /// Runs, then shuts the transport down, and only then says that the connection has ended.
    pub(super) async fn run_and_shut_down(mut self) {
        let result = self.drive().await;
        // The peer has said its last, or is past telling: there is nobody to report an error to.
        let _ = tokio::time::timeout(SHUT_DOWN, self.transport.shutdown()).await;
        self.ended.send_replace(Some(result));
    }

    async fn drive(&mut self) -> Result<(), ConnectionError> {
        let result = poll_fn(|cx| self.poll(cx)).await;
        // Not only when it is dropped: shutting the transport down may take a while.
        self.shared.cancel();
        self.shared.blame(result.clone().err());
        self.shared.refuse_submitted();
        result
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        for _ in 0..TURNS {
            let mut busy = self.poll_submitted(cx);
            busy |= self.poll_tasks(cx);
            busy |= self.start_waiting(cx);
            busy |= self.poll_read(cx);
            busy |= self.poll_write(cx);
            if self.is_over() {
                return Poll::Ready(self.cause.take().map_or(Ok(()), Err));
            }
            if !busy && !self.poll_deadlines(cx) {
                return Poll::Pending;
            }
        }
        // A peer that keeps us busy does not stop the clock.
        self.poll_deadlines(cx);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_over(&self) -> bool {
        match self.phase {
            Phase::Live | Phase::Leaving => self.writer.is_idle() && self.state.is_finished(),
            Phase::Mute => self.state.is_peer_silent(),
        }
    }

    /// Takes requests of ours, and notices when there are to be no more.
    fn poll_submitted(&mut self, cx: &mut Context<'_>) -> bool {
        let Owner { shared, submitted } = &mut self.shared;
        let closed = shared.inbox.poll(submitted, cx);
        let mut taken = 0;
        while taken < PER_TURN && self.may_submit() {
            let Some(Submission { rq_type, flags, payload, waiter }) = self.shared.submitted.pop_front()
            else {
                break;
            };
            taken += 1;
            if let Err((error, waiter)) = self.state.submit(0, rq_type, flags, payload, waiter) {
                self.shared.settle(waiter, Err(self.shared.refused(error).into()));
            }
        }
        if closed && self.shared.submitted.is_empty() && !self.state.is_closing() {
            self.state.close();
            return true;
        }
        taken > 0
    }

    /// Whether the next request of ours fits what may be in flight.
    fn may_submit(&self) -> bool {
        let in_flight = self.state.in_flight_bytes();
        let next = self.shared.submitted.front().map_or(0, |submission| submission.payload.len());
        in_flight == 0 || in_flight.saturating_add(next) <= self.shared.limits.max_call_bytes
    }

    /// Tells all callers that no answers come any more.
    fn abandon(&mut self, Abandoned { sent, unsent }: Abandoned<Waiter>, cause: &ConnectionError) {
        for waiter in sent {
            self.shared.settle(waiter, Err(CallError::Lost(cause.clone())));
        }
        for waiter in unsent {
            self.shared.settle(waiter, Err(self.shared.not_sent().into()));
        }
        self.shared.refuse_submitted();
    }

    fn poll_tasks(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while let Poll::Ready(Some(joined)) = self.tasks.poll_join_next(cx) {
            busy = true;
            // Panics are outcomes; the only error is that the task was aborted, by us.
            if let Ok((id, outcome)) = joined {
                self.respond(id, outcome);
            }
        }
        busy
    }

    fn respond(&mut self, id: RequestId, outcome: Outcome) {
        let limit = self.shared.limits.max_payload();
        let length = match &outcome {
            Ok(reply) => reply.payload.len(),
            Err(failure) => failure.payload.len(),
        };
        let outcome = if length > limit {
            Err(Failure::new(format!("response of {length} bytes exceeds the limit of {limit}")))
        } else {
            outcome
        };
        self.state.respond(id, outcome);
    }

    fn start_waiting(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while self.may_start()
            && let Some(request) = self.backlog.pop_front()
        {
            busy = true;
            self.start(request, cx);
        }
        busy
    }

    fn start(&mut self, request: Requested, cx: &mut Context<'_>) {
        let id = request.id;
        let request = Incoming::new(request, Arc::clone(&self.shared));
        if let Some(outcome) = self.performer.start(request, cx, &mut self.tasks) {
            self.respond(id, outcome);
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

    fn may_read(&self) -> bool {
        self.phase != Phase::Leaving && !self.state.is_peer_silent() && (self.shedding || self.has_room())
    }

    /// Takes what has arrived, with at most one read.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> bool {
        let before = self.packets_read;
        if self.has_room() {
            self.shedding = false;
        }
        let drained = self.take_packets(cx);
        if drained && self.may_read() {
            let read = pin!(self.transport.read_buf(self.decoder.room())).poll(cx);
            match read {
                Poll::Pending => {}
                Poll::Ready(Ok(0)) => {
                    self.handle_end();
                    return true;
                }
                Poll::Ready(Ok(count)) => {
                    self.bytes_read += count as u64;
                    self.take_packets(cx);
                    return true;
                }
                Poll::Ready(Err(error)) => {
                    self.fail(ConnectionError::Read(Arc::new(error)));
                    return true;
                }
            }
        }
        self.packets_read != before
    }

    /// Takes packets that have been read, and says whether none is left.
    fn take_packets(&mut self, cx: &mut Context<'_>) -> bool {
        for _ in 0..PER_TURN {
            if !self.may_read() {
                return false;
            }
            match self.decoder.next_packet() {
                Ok(Some(packet)) => {
                    self.packets_read += 1;
                    self.handle(packet, cx);
                }
                Ok(None) => return true,
                Err(error) => {
                    self.fail(error.into());
                    return false;
                }
            }
        }
        false
    }

    fn handle(&mut self, packet: Packet, cx: &mut Context<'_>) {
        match self.state.handle_packet(packet) {
            Ok(None) => {}
            Ok(Some(Event::Answered { waiter, outcome })) => {
                self.shared.settle(waiter, outcome.map_err(CallError::Failed));
            }
            Ok(Some(Event::Requested(request))) => self.admit(request, cx),
            Ok(Some(Event::Ended(abandoned))) => {
                self.abandon(abandoned, &ConnectionError::ClosedByPeer);
            }
            Err(error) => self.fail(error.into()),
        }
        // Also what the state refuses by itself waits to be sent.
        let unsent = self.state.queued_responses();
        let Limits { max_handlers, max_queued, .. } = self.shared.limits;
        if unsent > max_handlers.saturating_add(max_queued).saturating_add(MAX_REFUSALS) {
            self.fail(ConnectionError::Overload { unsent });
        }
    }

    fn admit(&mut self, request: Requested, cx: &mut Context<'_>) {
        if self.phase == Phase::Mute || (self.shedding && !self.has_room()) {
            self.respond(request.id, Err(Failure::busy("")));
        } else if self.backlog.is_empty() && self.may_start() {
            self.start(request, cx);
        } else {
            self.backlog.push_back(request);
        }
    }

    /// The transport has ended.
    fn handle_end(&mut self) {
        if let Err(error) = self.decoder.finish() {
            return self.fail(error.into());
        }
        // What the peer has asked is still answered: it may have closed one direction only.
        let cause = self.unheard.take().unwrap_or(ConnectionError::NoGoodbye);
        self.shared.blame(Some(cause.clone()));
        let abandoned = self.state.handle_eof();
        self.abandon(abandoned, &cause);
        self.cause.get_or_insert(cause);
    }

    /// Gives the connection up: every caller learns why, and the peer is told that this is the end.
    fn fail(&mut self, cause: ConnectionError) {
        let cause = self.unheard.take().unwrap_or(cause);
        self.shared.blame(Some(cause.clone()));
        let abandoned = self.state.abort();
        self.abandon(abandoned, &cause);
        self.cause.get_or_insert(cause);
        self.backlog.clear();
        self.phase = Phase::Leaving;
        self.shared.cancel();
    }

    /// Writes what there is, with one write.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while self.writer.unsent() < READY_BYTES
            && let Some(packet) = self.state.poll_transmit()
        {
            // What leaves the state makes room there.
            busy = true;
            if self.phase != Phase::Mute {
                self.writer.push(packet);
            }
        }
        if self.phase == Phase::Mute {
            return busy;
        }
        match self.writer.poll(&mut self.transport, cx) {
            Poll::Pending => return busy,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => self.fail_writing(error),
        }
        true
    }

    /// Writing has failed. The peer may have said more before it went, its goodbye even; but nothing more
    /// is asked or performed.
    fn fail_writing(&mut self, error: io::Error) {
        let cause = ConnectionError::Write(Arc::new(error));
        self.shared.blame(Some(cause.clone()));
        let owes = self.state.owed() + self.state.queued_responses() > 0 || self.writer.has_response();
        let place = if owes { &mut self.cause } else { &mut self.unheard };
        place.get_or_insert(cause);
        self.writer = Writer::default();
        self.phase = Phase::Mute;
        self.shared.cancel();
        for waiter in self.state.withdraw() {
            self.shared.settle(waiter, Err(self.shared.not_sent().into()));
        }
        self.shared.refuse_submitted();
        self.state.close();
        self.refuse_backlog();
    }

    fn refuse_backlog(&mut self) {
        for request in std::mem::take(&mut self.backlog) {
            self.respond(request.id, Err(Failure::busy("")));
        }
    }

    /// Looks at what should move and has not, and says whether that changed anything.
    fn poll_deadlines(&mut self, cx: &mut Context<'_>) -> bool {
        let progress = Wait::ALL.map(|wait| self.progress(wait));
        let Poll::Ready(wait) = self.deadlines.poll(progress, cx) else {
            return false;
        };
        let limits = self.shared.limits;
        match wait {
            Wait::Reading => self.fail(ConnectionError::ReadStalled(limits.stall_timeout)),
            Wait::Writing => {
                let unsent = self.writer.unsent().saturating_add(self.state.queued_bytes());
                self.fail(ConnectionError::WriteStalled { limit: limits.stall_timeout, unsent });
            }
            Wait::Room => self.shedding = true,
            Wait::Handler => self.refuse_backlog(),
            Wait::Closing => {
                let (in_flight, owed) = (self.state.in_flight(), self.state.owed());
                self.fail(ConnectionError::CloseTimedOut { limit: limits.close_timeout, in_flight, owed });
            }
            Wait::Leaving => self.give_up(),
        }
        true
    }

    /// How far what is waited for has come; nothing if it is not waited for.
    fn progress(&self, wait: Wait) -> Option<u64> {
        let live = self.phase == Phase::Live;
        let asking = self.state.in_flight() > 0;
        match wait {
            Wait::Reading => {
                let waits = live && self.may_read() && self.decoder.is_mid_packet();
                waits.then_some(self.bytes_read)
            }
            Wait::Writing => (live && !self.writer.is_idle()).then_some(self.writer.written()),
            Wait::Room => {
                let waits = live && asking && !self.shedding && !self.has_room();
                waits.then_some(self.packets_read)
            }
            Wait::Handler => {
                let waits = live && asking && !self.backlog.is_empty() && !self.may_start();
                waits.then_some(self.packets_read.wrapping_add(self.writer.written()))
            }
            Wait::Closing => {
                let closing = self.shared.inbox.is_closed() || self.state.is_closing();
                (self.phase != Phase::Leaving && closing).then_some(0)
            }
            Wait::Leaving => match self.phase {
                Phase::Live => None,
                Phase::Mute => Some(self.bytes_read),
                Phase::Leaving => Some(0),
            },
        }
    }

    /// The peer could not be told, or has not said its last, in time.
    fn give_up(&mut self) {
        self.fail(self.cause.clone().unwrap_or(ConnectionError::NoGoodbye));
        while self.state.poll_transmit().is_some() {}
        self.writer = Writer::default();
    }
}

impl<S> fmt::Debug for Driver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("phase", &self.phase).finish_non_exhaustive()
    }
}
