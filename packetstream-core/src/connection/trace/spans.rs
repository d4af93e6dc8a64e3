//! Spans and events of a connection.
//!
//! ```text
//!   packetstream::connection     from its making, within the span of whoever makes it, until it has ended and no
//!   │                            handle is left
//!   ├─ packetstream::request     one of the peer's, while it is performed
//!   └─ packetstream::call        one of ours, until whoever waits has its end or gives up; within the caller's
//!                                span, if there is one, and then it follows from the connection
//! ```
//!
//! Spans are of level `DEBUG`. The target of everything is `packetstream`, but for the packets, one event each of level
//! `TRACE`, which have `packetstream::packet`.

use super::super::PacketConnection;
use super::super::builder::Builder;
use super::super::call::Call;
use super::super::error::CallError;
use super::super::handler::{Incoming, Panicked};
use super::super::observer::Direction;
use super::super::report::CloseReport;
use crate::outcome::{Outcome, Reply};
use crate::packet::{Kind, Packet};
use crate::state::RequestId;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use tracing::field::{self, Empty};
use tracing::level_filters::LevelFilter;
use tracing::span::Entered;
use tracing::{Level, Span, debug, debug_span, error, trace, warn};

const TARGET: &str = "packetstream";
const PACKETS: &str = "packetstream::packet";

/// What is told of a connection besides what is told of all.
#[derive(Clone, Debug, Default)]
pub(in crate::connection) struct Settings {
    peer: Option<String>,
    /// Of each payload.
    payload_bytes: usize,
}

impl Builder {
    /// Says in the connection's span who is at the other end. With the feature `tracing`.
    pub fn peer(mut self, peer: impl fmt::Display) -> Self {
        self.trace.peer = Some(peer.to_string());
        self
    }

    /// Has the events of packets, at level `TRACE`, show as many bytes of each payload, escaped as ASCII. Default: 0;
    /// payloads may be no log's business. With the feature `tracing`.
    pub fn trace_payloads(mut self, bytes: usize) -> Self {
        self.trace.payload_bytes = bytes;
        self
    }
}

impl PacketConnection {
    /// The connection's span, for what else belongs to it: tasks around it, events. With the feature `tracing`.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.shared.trace.span
    }
}

impl Call {
    /// The call's span, until it has ended. Its field `request` is free, for the name of what is asked. With the
    /// feature `tracing`.
    #[must_use]
    pub const fn span(&self) -> &Span {
        &self.span.0
    }
}

impl Settings {
    /// A connection was made.
    pub(in crate::connection) fn open(self, name: Option<&str>) -> Tracer {
        let Self { peer, payload_bytes } = self;
        let peer = peer.map(field::display);
        let span = debug_span!(target: TARGET, "packetstream::connection", connection = name, peer);
        debug!(target: TARGET, parent: &span, "connection opened");
        Tracer { span, name: name.map(Arc::from), payload_bytes }
    }
}

/// Tells what happens on one connection.
#[derive(Debug)]
pub(in crate::connection) struct Tracer {
    span: Span,
    name: Option<Arc<str>>,
    payload_bytes: usize,
}

impl Tracer {
    /// We ask.
    pub(in crate::connection) fn call(&self, channel: u64, rq_type: u64, bytes: usize) -> CallSpan {
        // Finding the current span costs more than knowing that nobody listens.
        if LevelFilter::current() < Level::DEBUG {
            return CallSpan::default();
        }
        let caller = Span::current();
        let parent = if caller.is_none() { &self.span } else { &caller };
        let span = debug_span!(
            target: TARGET,
            parent: parent,
            "packetstream::call",
            connection = self.name.as_deref(),
            channel,
            rq_type,
            request = Empty,
            label = Empty,
            tag = Empty,
            bytes,
            outcome = Empty,
        );
        if !caller.is_none() {
            span.follows_from(&self.span);
        }
        CallSpan(span)
    }

    /// A request of the peer is about to be performed.
    pub(in crate::connection) fn request(&self, request: &Incoming) -> RequestSpan {
        let Incoming { id, rq_type, flags, payload, .. } = request;
        let RequestId { channel, tag } = *id;
        let span = debug_span!(
            target: TARGET,
            parent: &self.span,
            "packetstream::request",
            connection = self.name.as_deref(),
            channel,
            tag,
            rq_type,
            request = Empty,
            flags,
            bytes = payload.len(),
            outcome = Empty,
        );
        let is_heard = LevelFilter::current() >= Level::ERROR;
        let connection = if is_heard { self.name.clone() } else { None };
        RequestSpan { span, connection, id: *id, rq_type: *rq_type }
    }

    pub(in crate::connection) fn sent(&self, packet: &Packet) {
        self.packet(Direction::Sent, packet);
    }

    pub(in crate::connection) fn received(&self, packet: &Packet) {
        self.packet(Direction::Received, packet);
    }

    fn packet(&self, direction: Direction, packet: &Packet) {
        if LevelFilter::current() < Level::TRACE {
            return;
        }
        let (kind, rq_type) = match packet.kind() {
            Kind::Request(rq_type) => ("request", Some(rq_type)),
            Kind::Response { ok: true } => ("response ok", None),
            Kind::Response { ok: false } => ("response not ok", None),
            Kind::Control if *packet == Packet::end_of_requests() => ("end of requests", None),
            Kind::Control if *packet == Packet::end_of_stream() => ("end of stream", None),
            Kind::Control => ("unknown control", None),
        };
        let payload = packet.payload();
        let shown = payload.get(..self.payload_bytes).unwrap_or(payload);
        trace!(
            target: PACKETS,
            parent: &self.span,
            direction = display(direction),
            kind,
            channel = packet.channel(),
            tag = packet.tag(),
            rq_type,
            flags = packet.flags(),
            bytes = payload.len(),
            payload = (!shown.is_empty()).then(|| display(shown.escape_ascii())),
            "packet",
        );
    }

    /// A request of the peer is answered without being performed.
    pub(in crate::connection) fn refused(&self, id: RequestId, why: &str) {
        let RequestId { channel, tag } = id;
        debug!(target: TARGET, parent: &self.span, channel, tag, why, "request refused");
    }

    /// A packet of the peer made no sense.
    pub(in crate::connection) fn ignored(&self, id: RequestId) {
        let RequestId { channel, tag } = id;
        debug!(target: TARGET, parent: &self.span, channel, tag, "packet without a meaning");
    }

    /// A call that nobody waits for is not even sent.
    pub(in crate::connection) fn withdrawn(&self) {
        debug!(target: TARGET, parent: &self.span, "call withdrawn");
    }

    pub(in crate::connection) fn ended(&self, report: &CloseReport) {
        if report.result.is_ok() && report.shut_down.is_none() {
            debug!(target: TARGET, parent: &self.span, %report, "connection ended");
        } else {
            // Also where spans are off.
            let connection = self.name.as_deref();
            warn!(target: TARGET, parent: &self.span, connection, %report, "connection failed");
        }
    }
}

/// The span of one of our requests, held by whoever waits for it, and until it is submitted.
#[derive(Clone, Debug)]
pub(in crate::connection) struct CallSpan(Span);

impl Default for CallSpan {
    fn default() -> Self {
        Self(Span::none())
    }
}

impl CallSpan {
    pub(in crate::connection) fn label(&self, label: &str) {
        self.0.record("label", label);
    }

    /// The call has its tag.
    pub(in crate::connection) fn submitted(&self, id: RequestId) {
        self.0.record("tag", id.tag);
    }

    /// Whoever waits has what came of it.
    pub(in crate::connection) fn settle(&mut self, result: &Result<Reply, CallError>) {
        let outcome = match result {
            Ok(_) => "ok",
            // How is the peer's word, and a payload.
            Err(CallError::Failed(_)) => "not ok",
            Err(error) => {
                let outcome = match error {
                    CallError::NotSent(_) => "not sent",
                    CallError::Unanswered(_) => "unanswered",
                    _ => "lost",
                };
                let error: &(dyn Error + 'static) = error;
                debug!(target: TARGET, parent: &self.0, error, "call without an answer");
                outcome
            }
        };
        self.end(outcome);
    }

    /// Nobody waits any more.
    pub(in crate::connection) fn give_up(&mut self) {
        if !self.0.is_none() {
            debug!(target: TARGET, parent: &self.0, "call given up");
            self.end("given up");
        }
    }

    fn end(&mut self, outcome: &str) {
        self.0.record("outcome", outcome);
        self.0 = Span::none();
    }
}

/// The span of one of the peer's requests, and what is said of it where spans are off and errors are not.
#[derive(Debug)]
pub(in crate::connection) struct RequestSpan {
    span: Span,
    connection: Option<Arc<str>>,
    id: RequestId,
    rq_type: u64,
}

impl RequestSpan {
    /// What is logged until the guard is dropped is the handler's.
    pub(in crate::connection) fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// The handler has come to its end.
    pub(in crate::connection) fn performed(&self, performed: Result<&Outcome, Panicked>) {
        let outcome = match performed {
            Ok(Ok(_)) => "ok",
            Ok(Err(_)) => "not ok",
            Err(Panicked) => {
                let Self { span, connection, id: RequestId { channel, tag }, rq_type } = self;
                // Not with its text, which may hold what the peer has sent; the panic's own hook has written it.
                error!(
                    target: TARGET,
                    parent: span,
                    connection = connection.as_deref(),
                    channel,
                    tag,
                    rq_type,
                    "a handler has panicked",
                );
                "panicked"
            }
        };
        self.span.record("outcome", outcome);
    }

    /// The handler is dropped with its connection.
    pub(in crate::connection) fn give_up(&self) {
        self.span.record("outcome", "dropped");
    }
}
