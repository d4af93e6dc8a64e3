//! Watching a connection.

use super::error::CallError;
use super::report::CloseReport;
use super::stats::Stats;
use crate::outcome::Outcome;
use crate::packet::Packet;
use crate::state::RequestId;
use std::fmt;
use std::io::Write;
use std::time::Duration;

/// Watches a connection: its packets, what came of requests, its end. Every method does nothing unless it is
/// written.
///
/// The connection's task calls it, and does nothing else meanwhile: count, or pass it on. A panic of it ends the
/// connection, and nothing but that; other observers are still told.
///
/// ```
/// use packetstream_core::{Observer, Packet, PacketConnection};
///
/// struct Trace;
///
/// impl Observer for Trace {
///     fn received(&self, packet: &Packet) {
///         eprintln!("< {packet:?}"); // shows the payload's length; `Display` shows its first bytes
///     }
/// }
///
/// let builder = PacketConnection::builder().observer(Trace);
/// ```
#[allow(unused_variables, reason = "the names are for those who write the methods")]
pub trait Observer: Send + Sync + 'static {
    /// The connection was made; `name` is what [`Builder::name`](super::Builder::name) has called it. Nothing else is
    /// seen before.
    fn opened(&self, name: Option<&str>) {}

    /// A packet goes to the transport's buffer.
    fn sent(&self, packet: &Packet) {}

    /// A packet has arrived.
    fn received(&self, packet: &Packet) {}

    /// The transport was flushed; `packets` is how many there were since the last time.
    fn flushed(&self, packets: u64) {}

    /// The peer has answered a request of ours, `waited` after it was submitted.
    fn call_answered(&self, rq_type: u64, waited: Duration, outcome: &Outcome) {}

    /// A request of ours has ended without an answer, `waited` after it was submitted: the connection ended, or
    /// the request cannot be sent. Those that are taken back because nobody waits for them are not told of, see
    /// [`Stats::calls_withdrawn`]; nor those that were refused before the connection took them: too long, without a
    /// turn, after the end.
    fn call_unanswered(&self, rq_type: u64, waited: Duration, error: &CallError) {}

    /// A request of the peer is answered, `took` after it was begun.
    fn request_answered(&self, id: RequestId, rq_type: u64, took: Duration, outcome: &Outcome) {}

    /// The connection's task has done a turn.
    fn turned(&self, stats: &Stats) {}

    /// The connection has ended. Nothing else is seen after it.
    fn ended(&self, report: &CloseReport) {}
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

impl fmt::Display for Direction {
    /// `sent` or `received`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Received => "received",
        })
    }
}

/// The observer that [`Builder::on_packet`](super::Builder::on_packet) makes of a closure.
pub(super) struct OnPacket<F>(pub(super) F);

impl<F: Fn(Direction, &Packet) + Send + Sync + 'static> Observer for OnPacket<F> {
    fn sent(&self, packet: &Packet) {
        (self.0)(Direction::Sent, packet);
    }

    fn received(&self, packet: &Packet) {
        (self.0)(Direction::Received, packet);
    }
}

/// An [`Observer`] that writes one byte to standard error for each packet: `>` for one that was sent, `<` for one
/// that has arrived. For a person who wants to see whether anything moves; the Python original calls it `tick`.
///
/// ```
/// use packetstream_core::{PacketConnection, Tick};
///
/// let builder = PacketConnection::builder().observer(Tick);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tick;

impl Tick {
    fn write(sign: u8) {
        // Whoever has no standard error misses nothing else.
        let _ = std::io::stderr().write_all(&[sign]);
    }
}

impl Observer for Tick {
    fn sent(&self, _: &Packet) {
        Self::write(b'>');
    }

    fn received(&self, _: &Packet) {
        Self::write(b'<');
    }
}
