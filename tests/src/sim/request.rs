//! What travels: a request and its answer follow from its number, so that anybody can tell them from others.

use super::random::mix;
use super::scenario::{Deed, End, Request};
use bytes::Bytes;
use packetstream_core::{Failure, MAX_REPLY_FLAGS, MAX_REQUEST_FLAGS, Outcome, Reply};
use std::sync::LazyLock;

/// Request types are the number of the request, and this for every other one.
const LARGE: u64 = 1 << 60;
/// The most bytes of a packet besides its payload, as the library counts them.
const HEADER: usize = 40;
/// The least of what an end takes for its longest packet.
const SMALLEST_PACKET: usize = 100;
/// Bytes that payloads are taken from.
const NOISE: usize = 1 << 18;

static BYTES: LazyLock<Bytes> = LazyLock::new(|| {
    (0..NOISE as u64 / 8).flat_map(|number| mix(number).to_be_bytes()).collect::<Vec<u8>>().into()
});

/// Another slice for each number, mostly.
fn noise(number: u64, len: usize) -> Bytes {
    let len = len.min(NOISE);
    let places = (NOISE - len) as u64 + 1;
    let begin = usize::try_from(mix(number) % places).unwrap_or(0);
    BYTES.slice(begin..begin + len)
}

pub(super) fn rq_type(id: usize) -> u64 {
    id as u64 + if mix(id as u64) & 1 == 0 { LARGE } else { 0 }
}

/// The number of the request with this type.
pub(super) fn id_of(rq_type: u64) -> usize {
    usize::try_from(rq_type & !LARGE).unwrap_or(usize::MAX)
}

pub(super) fn flags(id: usize) -> u64 {
    mix(!(id as u64)) & MAX_REQUEST_FLAGS
}

pub(super) fn payload(id: usize, request: &Request) -> Bytes {
    noise(id as u64, request.size)
}

/// The longest payload that an end sends.
pub(super) fn max_payload(end: &End) -> usize {
    end.max_packet.max(SMALLEST_PACKET) - HEADER
}

/// What a handler answers that gets that far.
pub(super) fn outcome(id: usize, request: &Request, performer: &End) -> Outcome {
    let number = mix(1 << 32 | id as u64);
    let flags = number & MAX_REPLY_FLAGS | 1;
    let payload = noise(number, request.reply);
    match request.deed {
        Deed::Fail | Deed::FailLater => Err(Failure { flags, payload }),
        Deed::TooLong if max_payload(performer) < NOISE / 2 => {
            Ok(Reply { flags, payload: noise(number, max_payload(performer) + 100) })
        }
        _ => Ok(Reply { flags, payload }),
    }
}

/// What an answer is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// What comes of performing the request.
    Performed,
    /// That it was not performed.
    Refused,
    /// None that this request may have.
    Wrong,
}

/// Tells what an answer to a request is.
pub(super) fn judge(id: usize, request: &Request, performer: &End, answer: &Outcome) -> Answer {
    let panics = matches!(request.deed, Deed::Panic | Deed::PanicLater | Deed::PanicInDrop);
    let limit = max_payload(performer);
    let expected = outcome(id, request, performer);
    let length = match &expected {
        Ok(reply) => reply.payload.len(),
        Err(failure) => failure.payload.len(),
    };
    let is_its_own = if panics {
        *answer == Err(Failure::internal())
    } else if length > limit {
        let begins = |failure: &Failure| failure.flags == 0 && failure.reason().starts_with("response of ");
        answer.as_ref().is_err_and(begins)
    } else {
        *answer == expected
    };
    let is_refusal = |failure: &Failure| {
        let unknown = *failure == Failure::unknown_channel(request.channel) && request.channel != 0;
        let unserved = failure.flags == 0 && failure.reason() == "no request handler";
        unknown || (unserved && request.channel != 0) || failure.is_busy()
    };
    match answer {
        _ if is_its_own => Answer::Performed,
        Err(failure) if is_refusal(failure) => Answer::Refused,
        _ => Answer::Wrong,
    }
}
