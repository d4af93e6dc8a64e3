//! A request of ours without its type.

use crate::protocol::Carries;
use bytes::Bytes;
use packetstream_core::{BaseRequest, CallError, NotSent, PayloadWriter};
use std::error::Error;
use std::fmt;

/// A request of ours as it travels, without its type: what passes through code that treats all requests of a
/// protocol alike.
#[derive(Clone)]
pub struct Outgoing {
    /// What is asked, in the application's numbers.
    pub rq_type: u64,
    /// The application's flags.
    pub flags: u64,
    /// The application's bytes.
    pub payload: Bytes,
    /// Whether performing it twice does no harm; see [`Contract::idempotent`](crate::Contract::idempotent).
    pub idempotent: bool,
}

impl Outgoing {
    /// A request as protocol `P` carries it.
    ///
    /// # Errors
    ///
    /// When a count or an id in it does not fit its field, or the payload is over the limit of its own contract.
    pub fn of<P, R>(request: &R) -> Result<Self, NotSent>
    where
        P: Carries<R>,
        R: BaseRequest,
    {
        let (flags, payload) = request.transcribe_request();
        if flags == PayloadWriter::UNWRITABLE {
            return Err(NotSent::Unwritable);
        }
        match R::CONTRACT.max_payload {
            Some(limit) if payload.len() > limit => Err(NotSent::TooLong { payload: payload.len(), limit }),
            _ => Ok(Self { rq_type: P::REQUEST_TYPE, flags, payload, idempotent: R::CONTRACT.idempotent }),
        }
    }

    /// Whether it may be asked again after this error, and no harm is done: it never left this side, or the peer
    /// said that it was [`busy`](crate::Failure::busy); or it was lost with its connection, or not answered in
    /// time, and is [`idempotent`](Self::idempotent).
    ///
    /// Only a [`CallError`] tells, by itself or in a box. What else there is may have come before the request was
    /// sent or after.
    #[must_use]
    pub fn may_be_asked_again(&self, error: &(dyn Error + 'static)) -> bool {
        match error.downcast_ref() {
            Some(CallError::Failed(failure)) => failure.is_busy(),
            Some(CallError::NotSent(reason)) => reason.is_retryable(),
            Some(CallError::Lost(_) | CallError::Unanswered(_)) => self.idempotent,
            Some(CallError::InsideRuntime) | None => false,
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("rq_type", &self.rq_type)
            .field("flags", &self.flags)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("idempotent", &self.idempotent)
            .finish()
    }
}
