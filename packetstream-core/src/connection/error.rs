//! Why a call has no reply, and why a connection ended.

use crate::codec::DecodeError;
use crate::outcome::Failure;
use crate::state::{ProtocolError, SubmitError};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why a request has no ok response.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The peer answered not-ok: it refused the request or failed to perform it.
    #[error("the peer answered not-ok: {0}")]
    Failed(Failure),
    /// The request never left this side: it is safe to ask again, elsewhere or later.
    #[error("request not sent")]
    NotSent(#[from] NotSent),
    /// No answer came in the time that [`Call::timeout`](super::Call::timeout) gave. The peer may or may not have
    /// performed the request.
    #[error("no answer within {0:?}")]
    Unanswered(Duration),
    /// The connection ended first: the peer may or may not have performed the request.
    #[error("no answer to the request")]
    Lost(#[source] ConnectionError),
    /// [`Call::wait`](super::Call::wait) would have blocked a thread of an async runtime. The peer may or may not
    /// perform the request.
    #[error("waiting for the answer would block a thread of an async runtime")]
    InsideRuntime,
}

/// Why a request was not sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotSent {
    /// This side has closed, or the peer has said goodbye.
    #[error("the connection is closed")]
    Closed,
    /// The connection ended before the request left.
    #[error("the connection ended first")]
    Lost(#[source] ConnectionError),
    /// There is no connection to send it over, and none could be made: only where connections are made on demand.
    #[error("no connection to send it over")]
    NoConnection(#[source] Arc<dyn Error + Send + Sync>),
    /// Other requests of ours were in flight for this long, as many as there may be: what
    /// [`Call::timeout`](super::Call::timeout) gave, or [`Limits::stall_timeout`](super::Limits::stall_timeout) where
    /// handlers may wait for each other.
    #[error("no turn to be sent within {0:?}")]
    NoTurn(Duration),
    /// A count or an id within it does not fit its field: see [`Count`](crate::Count).
    #[error("a count or an id of the request does not fit its field")]
    Unwritable,
    /// It is longer than this side sends.
    #[error("payload of {payload} bytes exceeds the limit of {limit}")]
    TooLong {
        /// The payload's length.
        payload: usize,
        /// [`Limits::max_packet`](super::Limits::max_packet), less 40 bytes for the largest header, or
        /// [`Contract::max_payload`](crate::Contract::max_payload).
        limit: usize,
    },
    /// It was to be waited for by blocking a thread of an async runtime.
    #[error("this would block a thread of an async runtime")]
    InsideRuntime,
    /// The protocol has no place for it. Never [`SubmitError::Closed`].
    #[error(transparent)]
    Submit(SubmitError),
}

impl NotSent {
    /// Whether the same request may be sent over another connection. No peer has heard of it, so asking again
    /// performs nothing twice; what this side itself finds wrong with it stays wrong.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Closed | Self::Lost(_) | Self::NoConnection(_) | Self::NoTurn(_))
    }
}

/// What ended a connection other than both sides' goodbye.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer ended the stream, in good order, before it answered.
    #[error("the peer closed the connection")]
    ClosedByPeer,
    /// The transport ended without the peer's "end of stream" packet.
    #[error("the stream ended without the peer's goodbye")]
    NoGoodbye,
    /// What the peer sends is no packet stream.
    #[error("malformed packet stream")]
    Decode(#[from] DecodeError),
    /// The peer's packets make no sense.
    #[error("the peer broke the protocol")]
    Protocol(#[from] ProtocolError),
    /// The transport failed while reading.
    #[error("cannot read from the peer")]
    Read(#[source] Arc<io::Error>),
    /// The transport failed while writing.
    #[error("cannot write to the peer")]
    Write(#[source] Arc<io::Error>),
    /// No byte of a packet that had begun to arrive came for this long.
    #[error("the peer stalled inside a packet for {0:?}")]
    ReadStalled(Duration),
    /// The peer took no byte of what was to be written for this long.
    #[error("the peer read nothing for {limit:?}, {unsent} bytes wait")]
    WriteStalled {
        /// [`Limits::stall_timeout`](super::Limits::stall_timeout).
        limit: Duration,
        /// Bytes that wait to be written, at least.
        unsent: usize,
    },
    /// After the goodbye of one side, what was asked took too long to be answered.
    #[error("closing took longer than {limit:?}: {in_flight} calls unanswered, {owed} answers owed")]
    CloseTimedOut {
        /// [`Limits::answer_timeout`](super::Limits::answer_timeout).
        limit: Duration,
        /// Our requests without an answer.
        in_flight: usize,
        /// The peer's requests without an answer.
        owed: usize,
    },
    /// This side has sent its last packet, and the peer took too long to send its own.
    #[error("no goodbye from the peer within {0:?}")]
    GoodbyeTimedOut(Duration),
    /// This side gave the connection up, with [`abort`](super::PacketConnection::abort).
    #[error("the connection was aborted")]
    Aborted,
    /// The peer asks faster than it takes its answers.
    #[error("{unsent} answers wait for a peer that goes on asking, more than {limit}")]
    Overload {
        /// Answers that wait to be sent.
        unsent: usize,
        /// [`Limits::max_handlers`](super::Limits::max_handlers), [`Limits::max_queued`](super::Limits::max_queued),
        /// and 1,024 refusals.
        limit: usize,
    },
    /// An [`Observer`](super::Observer) of this side panicked.
    #[error("an observer panicked")]
    ObserverPanicked,
    /// What drives the connection is gone: its task was aborted, or its runtime has shut down.
    #[error("the connection's task is gone")]
    Dropped,
}
