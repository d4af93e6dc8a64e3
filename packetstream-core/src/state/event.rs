//! What a packet from the peer comes to.

use crate::outcome::Outcome;
use bytes::Bytes;

/// Identifies one request among those its sender has made on a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId {
    /// The tag space, 0 unless the peers agreed on others.
    pub channel: u64,
    /// Never used twice on a channel in one direction.
    pub tag: u64,
}

/// A request of the peer, to be answered with [`ConnectionState::respond`](super::ConnectionState::respond).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Requested {
    /// Names the request when answering it.
    pub id: RequestId,
    /// What is asked, in the application's numbers.
    pub rq_type: u64,
    /// The application's flags.
    pub flags: u64,
    /// The application's bytes.
    pub payload: Bytes,
}

/// What a packet from the peer means to the application.
#[derive(Debug, Eq, PartialEq)]
pub enum Event<W> {
    /// The peer asks.
    Requested(Requested),
    /// The peer has answered.
    Answered {
        /// What was parked at [`ConnectionState::submit`](super::ConnectionState::submit).
        waiter: W,
        /// What came of the request.
        outcome: Outcome,
    },
    /// The peer has sent its last packet.
    Ended(Abandoned<W>),
}

/// What a packet comes to, as [`Event`], without the packet's content.
pub(crate) enum Digest<W> {
    Requested(u64),
    Answered(W),
    Ended(Abandoned<W>),
    Nothing,
}

/// The waiters of requests that will never be answered, each kind oldest first.
#[derive(Debug, Eq, PartialEq)]
pub struct Abandoned<W> {
    /// [`poll_transmit`](super::ConnectionState::poll_transmit) has yielded the request: the peer may have performed it.
    pub sent: Vec<W>,
    /// The peer has never heard of the request.
    pub unsent: Vec<W>,
}
