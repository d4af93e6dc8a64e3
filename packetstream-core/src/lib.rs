//! Typed requests and responses, both ways, over any byte stream: the wire format, the protocol's
//! state machine and the asynchronous connection.
//!
//! Most programs use the `packetstream` crate, which adds derive macros and transports. This crate is
//! for those who bring their own runtime, transport or encoding; each layer works without the ones
//! after it:
//!
//! | layer | what it is |
//! |---|---|
//! | [`varint`] | unsigned integers on the wire |
//! | [`Packet`] | one unit of the wire |
//! | [`Decoder`] | a stream of bytes to packets, within a limit |
//! | [`ConnectionState`] | packets to events: the protocol without I/O, clock or runtime |
//! | [`Payload`], [`BaseRequest`] | payload bytes to types |
//! | `PacketConnection` | all of it over an `AsyncRead + AsyncWrite`, with the feature `tokio` (default) |
//! | `blocking` | the same over `Read` and `Write`, on plain threads; also with the feature `tokio`, but without its runtime |
//!
//! With the feature `tracing` connections, calls and requests have spans.
//!
//! The protocol itself, rule by rule, is on the page of [`wire`].
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "it reads what a hostile peer wrote, over transports that may claim anything"
    )
)]

// Before those that use its macro.
#[macro_use]
mod seeded_bugs;

#[cfg(feature = "tokio")]
pub mod blocking;
#[cfg(feature = "tokio")]
pub mod clock;
mod codec;
#[cfg(feature = "tokio")]
mod connection;
mod contract;
pub mod description;
mod float;
mod outcome;
mod packet;
mod payload;
mod request;
mod state;
#[cfg(feature = "tokio")]
mod sync;
mod tag_table;
pub mod varint;

#[doc = include_str!("../docs/wire.md")]
pub mod wire {}

pub use codec::DecodeError;
pub use codec::Decoder;
pub use codec::EncodeBuffer;
pub use contract::Contract;
pub use outcome::Failure;
pub use outcome::Outcome;
pub use outcome::Reply;
pub use packet::Kind;
pub use packet::MAX_REPLY_FLAGS;
pub use packet::MAX_REQUEST_FLAGS;
pub use packet::MAX_REQUEST_TYPE;
pub use packet::Packet;
pub use packet::PacketError;
pub use packet::ParseError;
pub use payload::Be;
pub use payload::Count;
pub use payload::Counted;
pub use payload::Fixed;
pub use payload::Flagged;
pub use payload::Le;
pub use payload::Payload;
pub use payload::PayloadError;
pub use payload::PayloadProblem;
pub use payload::PayloadReader;
pub use payload::PayloadWriter;
pub use payload::Rest;
pub use payload::Variants;
pub use payload::Verbatim;
pub use request::BaseRequest;
pub use request::ErrorResponse;
pub use request::Response;
pub use state::Abandoned;
pub use state::ConnectionState;
pub use state::Event;
pub use state::ProtocolError;
pub use state::RequestId;
pub use state::Requested;
pub use state::SubmitError;

#[cfg(seeded_bugs)]
pub use seeded_bugs::Bug as SeededBug;

#[cfg(any(model = "loom", model = "shuttle"))]
pub use connection::models;
#[cfg(feature = "tokio")]
pub use connection::{
    Builder, Call, CallError, CloseReport, ConnectionError, Direction, Driver, Ended, EndedBy, Extensions,
    Handler, Incoming, Limits, NotSent, Observer, PacketConnection, Place, Stats, Tick,
};
