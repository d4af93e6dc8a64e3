//! What a connection holds and how long it waits, of whatever can be set and whatever cannot.

use crate::codec::DEFAULT_MAX_PACKET;
use crate::varint;
use std::time::Duration;

/// The most that a packet's body has besides its payload: tag, word, channel, request type.
const HEADER: usize = 4 * varint::MAX_LEN;
/// Room for the end markers and for every answer in this library's own words.
const SMALLEST_PACKET: usize = 100;
/// How long reading pauses before excess requests are refused, while answers to us may be behind them.
pub(super) const SHED_AFTER: Duration = Duration::from_secs(1);
/// Refusals that may wait to be sent before the peer is given up.
pub(super) const MAX_REFUSALS: usize = 1024;
/// How long a connection that has failed tries to tell the peer, or hears nothing more from it.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);
/// How long a transport may take to shut down.
pub(super) const SHUT_DOWN: Duration = Duration::from_secs(5);

/// What a connection holds and how long it waits.
///
#[doc = include_str!("../../docs/limits.md")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The longest packet body in bytes, in either direction. A longer one is refused before any of it
    /// is stored; sending one fails. At least 100. Default: 16 MiB.
    pub max_packet: usize,
    /// Requests of ours in flight; more wait their turn. At least 1. Default: 256.
    pub max_calls: usize,
    /// Payload bytes of our requests in flight; one that is larger goes alone. Default: 16 MiB.
    pub max_call_bytes: usize,
    /// Requests of the peer that are performed at once, counted until their response is handed to the
    /// transport. At least 1. Default: 256. On threads also no more than [`Builder::handler_threads`](super::Builder::handler_threads).
    pub max_handlers: usize,
    /// Requests of the peer that wait to be performed. When there are more, reading pauses; if that
    /// could keep answers to our own requests from us, requests are answered not-ok `busy` instead
    /// after 1 to 2 s. Default: 1,024.
    pub max_queued: usize,
    /// Payload bytes of the peer's requests that wait or are performed; beyond it as `max_queued`.
    /// Default: 32 MiB.
    pub max_request_bytes: usize,
    /// Payload bytes of responses that wait to be written before no further request of the peer is
    /// begun. Those that are performed already may still add theirs. Default: 4 MiB.
    pub max_unsent_bytes: usize,
    /// How long the transport may take no byte of what is to be written, or bring no byte of a packet
    /// that has begun. It is noticed before twice this time. Between packets a connection may idle for
    /// ever.
    ///
    /// Also how long requests of the peer may wait while all handlers are taken, nothing at all moves,
    /// and we wait for the peer: handlers that ask back deeper than there are handlers wait for each
    /// other. Those requests are then answered not-ok `busy`; for as long again that takes 1 to 2 s only.
    ///
    /// And how long requests of ours may wait for their turn while nothing at all moves and we perform requests of the
    /// peer, which may be what asks back deeper than [`max_calls`](Self::max_calls): those that wait then end with
    /// [`NotSent::NoTurn`](super::NotSent::NoTurn).
    ///
    /// Default: 30 s.
    pub stall_timeout: Duration,
    /// Once either side has said goodbye, how long what was asked may take to be answered, in both directions.
    /// Default: 30 s.
    pub answer_timeout: Duration,
    /// How long the peer may take to send its last packet after ours. Default: 30 s.
    pub close_timeout: Duration,
}

impl Default for Limits {
    /// For a peer that is not trusted.
    fn default() -> Self {
        Self {
            max_packet: DEFAULT_MAX_PACKET,
            max_calls: 256,
            max_call_bytes: 16 << 20,
            max_handlers: 256,
            max_queued: 1024,
            max_request_bytes: 32 << 20,
            max_unsent_bytes: 4 << 20,
            stall_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// For a peer that means well and does much: a child of this program, another part of the same service.
    ///
    /// There still is a bound for everything. As with the defaults, two such peers never reach each other's.
    #[must_use]
    pub const fn trusted() -> Self {
        Self {
            max_packet: 1 << 30,
            max_calls: 4096,
            max_call_bytes: 1 << 30,
            max_handlers: 1024,
            max_queued: 8192,
            max_request_bytes: 2 << 30,
            max_unsent_bytes: 64 << 20,
            stall_timeout: Duration::from_mins(5),
            answer_timeout: Duration::from_mins(5),
            close_timeout: Duration::from_mins(5),
        }
    }

    /// For a peer that is Python's `cs.packetstream`: the defaults, with 16 calls in flight.
    ///
    /// It performs 4 requests at once, so that more would only wait there; while they wait here they can be taken
    /// back, and if the connection ends they were certainly not performed.
    #[must_use]
    pub fn python() -> Self {
        Self { max_calls: 16, ..Self::default() }
    }

    /// The same, with 1 in place of a 0 with which nothing would ever move, and packets long enough for whatever two
    /// connections say by themselves.
    pub(super) fn sane(self) -> Self {
        Self {
            max_packet: self.max_packet.max(SMALLEST_PACKET),
            max_calls: self.max_calls.max(1),
            max_handlers: self.max_handlers.max(1),
            max_request_bytes: self.max_request_bytes.max(1),
            max_unsent_bytes: self.max_unsent_bytes.max(1),
            ..self
        }
    }

    /// The longest payload that fits a packet whatever its header.
    pub(super) fn max_payload(&self) -> usize {
        self.max_packet.saturating_sub(HEADER)
    }

    /// The most requests of the peer that are held, performed or waiting.
    pub(super) fn max_requests(&self) -> usize {
        self.max_handlers.saturating_add(self.max_queued)
    }
}

#[cfg(test)]
mod page;
