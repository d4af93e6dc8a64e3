//! Why a typed request has no reply.

use packetstream_core::{CallError, ConnectionError, ErrorResponse, Failure, NotSent, PayloadError};
use std::time::Duration;

/// Why a typed request has no reply. `E` is the failure that the request declares.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError<E = Failure> {
    /// The handler failed, as the request declares. The text of this error does not show how: it may be long, and
    /// no log's business.
    #[error("the peer failed to perform the request")]
    Failed(E),
    /// The peer refused it, or failed to perform it, in words.
    #[error("the peer answered not-ok: {0}")]
    Refused(Failure),
    /// The peer has answered, but its reply, or its declared failure, is not one to this request.
    #[error("undecodable answer")]
    Undecodable(#[source] PayloadError),
    /// The request never left this side.
    #[error("request not sent")]
    NotSent(#[source] NotSent),
    /// No answer came in the time that [`TypedCall::timeout`](super::TypedCall::timeout) gave. The peer may or
    /// may not have performed the request.
    #[error("no answer within {0:?}")]
    Unanswered(Duration),
    /// The connection ended before the answer. The peer may or may not have performed the request.
    #[error("no answer to the request")]
    Lost(#[source] ConnectionError),
    /// [`TypedCall::wait`](super::TypedCall::wait) would have blocked a thread of an async runtime. The peer may or may
    /// not perform the request.
    #[error("waiting for the answer would block a thread of an async runtime")]
    InsideRuntime,
}

impl<E> RequestError<E> {
    /// What the peer said when it refused, or failed in words.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) => Some(failure),
            _ => None,
        }
    }

    /// Whether the same request can be asked again, later or over another connection, and nothing is performed
    /// twice: it never left this side, or the peer said that it was [`busy`](Failure::busy).
    ///
    /// Nothing else tells whether the request was performed. Where performing it twice does no harm, also
    /// [`Unanswered`](Self::Unanswered) and [`Lost`](Self::Lost) may be asked again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent(reason) => reason.is_retryable(),
            Self::Refused(failure) => failure.is_busy(),
            _ => false,
        }
    }
}

impl<E: ErrorResponse> From<CallError> for RequestError<E> {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(failure) => match E::from_failure(&failure) {
                Some(Ok(failure)) => Self::Failed(failure),
                Some(Err(error)) => Self::Undecodable(error),
                None => Self::Refused(failure),
            },
            CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::Unanswered(limit) => Self::Unanswered(limit),
            CallError::Lost(cause) => Self::Lost(cause),
            CallError::InsideRuntime => Self::InsideRuntime,
        }
    }
}
