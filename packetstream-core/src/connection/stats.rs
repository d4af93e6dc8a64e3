//! What a connection has done, and holds.

use std::time::Duration;

/// What a connection has done since it began, and what it holds now: see
/// [`PacketConnection::stats`](super::PacketConnection::stats).
///
/// The numbers are of one moment, the end of the latest turn of the connection's task; only calls that wait for their
/// turn, callers that have gone and the age of a handler are as of now.
///
/// At the end each of the [`calls`](Self::calls) was answered ok or not-ok, or withdrawn, or is among
/// [`calls_lost`](super::CloseReport::calls_lost) and [`calls_unsent`](super::CloseReport::calls_unsent).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Packets handed to the transport's buffer, end markers included.
    pub packets_sent: u64,
    /// Packets read, end markers included.
    pub packets_received: u64,
    /// Bytes that the transport has taken.
    pub bytes_sent: u64,
    /// Bytes that the transport has brought, in the end without those of [`Ended::unread`](super::Ended::unread).
    pub bytes_received: u64,
    /// Times that the transport was flushed.
    pub flushes: u64,

    /// Requests of ours that were taken to be sent, without those that were refused for what they are.
    pub calls: u64,
    /// Those that the peer answered ok.
    pub calls_ok: u64,
    /// Those that the peer answered not-ok.
    pub calls_failed: u64,
    /// Those that were taken back before they were sent, because nobody waited for them any more.
    pub calls_withdrawn: u64,

    /// Requests of the peer that were taken to be performed.
    pub requests: u64,
    /// Those that were answered, ok or not, whether or not the answer reached the peer.
    pub requests_answered: u64,
    /// Those that were answered not-ok.
    pub requests_failed: u64,
    /// Those whose handler panicked; they were answered not-ok.
    pub requests_panicked: u64,
    /// Requests of the peer that were not performed: too many at once, on a channel that is not open, or after
    /// the peer's own end of requests.
    pub requests_refused: u64,
    /// Packets of the peer that made no sense and were ignored: answers nobody waits for, requests with a tag in
    /// flight.
    pub packets_ignored: u64,

    /// Requests of ours without an answer now, those that wait for the transport among them.
    pub in_flight: usize,
    /// Requests of ours that wait to be sent: for their turn, since as many as
    /// [`Limits::max_calls`](super::Limits::max_calls) are in flight, or for the transport to take what was there
    /// before. Whoever waits in [`reserve`](super::PacketConnection::reserve) is one of them.
    pub queued: usize,
    /// Those whose caller has gone. Each keeps its place among [`Limits::max_calls`](super::Limits::max_calls) until
    /// the peer answers.
    pub abandoned: usize,
    /// Payload bytes of the requests in flight.
    pub in_flight_bytes: usize,
    /// Requests of the peer that are performed now.
    pub performing: usize,
    /// Requests of the peer that wait to be performed.
    pub waiting: usize,
    /// Payload bytes of the requests of the peer that wait or are performed.
    pub request_bytes: usize,
    /// Responses that wait to be written.
    pub unsent_responses: usize,
    /// Bytes that wait to be written, at least.
    pub unsent_bytes: usize,
    /// For how long the oldest of the handlers that run has done so; those that finish at once do not count.
    pub oldest_handler: Option<Duration>,
}

impl Stats {
    /// Packets for each flush, on average: how well small packets share writes. Nothing before the first flush.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "it is an average")]
    pub fn packets_per_flush(&self) -> Option<f64> {
        (self.flushes > 0).then(|| self.packets_sent as f64 / self.flushes as f64)
    }
}
