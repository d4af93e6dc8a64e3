//! What is told of a connection: how far its goodbyes are, and its numbers.

use super::{ConnectionState, Half};

impl<W> ConnectionState<W> {
    /// Whether a channel is open. Channel 0 always is.
    #[must_use]
    pub fn is_open(&self, channel: u64) -> bool {
        self.channels.is_open(channel)
    }

    /// Whether both sides have sent their last packet, ours having been taken by
    /// [`poll_transmit`](Self::poll_transmit).
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ours == Half::Silent && self.theirs == Half::Silent && self.outgoing.is_empty()
    }

    /// Whether this side has said that it makes no more requests.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.ours != Half::Open
    }

    /// Whether this side has closed, or ends its stream as soon as everything is answered.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.ours >= Half::Closing
    }

    /// Whether this side has sent its last packet, or [`poll_transmit`](Self::poll_transmit) has yielded it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.ours == Half::Silent
    }

    /// Whether the peer has said that it makes no more requests.
    #[must_use]
    pub fn is_peer_draining(&self) -> bool {
        self.theirs != Half::Open
    }

    /// Whether the peer has sent its last packet: nothing behind it belongs to this connection.
    #[must_use]
    pub fn is_peer_silent(&self) -> bool {
        self.theirs == Half::Silent
    }

    /// Our requests that have no answer yet, sent or not.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.asked.requests
    }

    /// The peer's requests that were not answered yet.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.owed.requests
    }

    /// Requests of the peer that were refused here, because of their channel or because they came too late;
    /// they have never been an [`Event`](super::Event).
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Packets of the peer that made no sense: responses nobody waits for, requests with a tag in flight, repeated
    /// "end of requests". All but the last of too many were ignored.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Payload bytes of our requests that have no answer yet.
    #[must_use]
    pub fn in_flight_bytes(&self) -> usize {
        self.asked.bytes
    }

    /// Payload bytes of the peer's requests that were not answered yet.
    #[must_use]
    pub fn owed_bytes(&self) -> usize {
        self.owed.bytes
    }

    /// Our requests that [`poll_transmit`](Self::poll_transmit) has yet to yield.
    #[must_use]
    pub fn queued_requests(&self) -> usize {
        self.outgoing.requests()
    }

    /// Responses, refusals among them, that [`poll_transmit`](Self::poll_transmit) has yet to yield.
    #[must_use]
    pub fn queued_responses(&self) -> usize {
        self.outgoing.responses()
    }

    /// Payload bytes of those responses.
    #[must_use]
    pub fn queued_response_bytes(&self) -> usize {
        self.outgoing.response_bytes()
    }

    /// Payload bytes of all packets that [`poll_transmit`](Self::poll_transmit) has yet to yield.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.outgoing.bytes()
    }
}
