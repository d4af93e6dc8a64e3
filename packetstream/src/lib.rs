//! Typed requests and responses, both ways, over any byte stream, wire-compatible with Python's
//! `cs.packetstream`; the page [`python`] is for those who know that, and [`wire`] tells the protocol rule by rule.
//!
//! ```
//! use packetstream::{Client, Context, Failure, Fulfil, PacketConnection, Protocol, Request, Stream, serve};
//!
//! /// Doubles a number.
//! #[derive(Request)]
//! #[request(reply = u64)]
//! struct Double(u64);
//!
//! #[derive(Protocol)]
//! enum Calc {
//!     #[request(0)]
//!     Double(Double),
//! }
//!
//! struct Server;
//!
//! impl Fulfil<Double> for Server {
//!     async fn fulfil(&self, Double(n): Double, _: Context) -> Result<u64, Failure> {
//!         n.checked_mul(2).ok_or_else(|| Failure::new("too large"))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (here, there) = Stream::pair(4096);
//! tokio::spawn(PacketConnection::builder().handler(serve::<Calc, _>(Server)).serve(there));
//!
//! let calc = Client::<Calc>::from(PacketConnection::builder().spawn(here));
//! assert_eq!(calc.call(Double(21)).await?, 42);
//! let error = calc.call(Double(u64::MAX)).await.unwrap_err();
//! assert_eq!(error.refusal().unwrap().reason(), "too large");
//! # Ok(())
//! # }
//! ```
//!
//! # A protocol
//!
//! A **request** is a struct that derives [`Request`](macro@Request): its fields are the payload, and
//! `reply` is what an ok answer carries, any [`Response`]. A **protocol** is an enum that derives
//! [`Protocol`](macro@Protocol) and gives each request its number. Structs and enums within requests and replies
//! derive [`Payload`](macro@Payload). What fields can be is on the page of [`attributes`]: numbers of fixed width,
//! bits of the packet's flags, counts, what takes the rest of a payload, and more.
//!
//! ```
//! use packetstream::{Bytes, Payload, Request};
//!
//! /// Writes to a device's memory.
//! #[derive(Request)]
//! #[request(reply = Written, error = WriteError, max_payload = 4096, timeout = "2s", ordered)]
//! struct Write {
//!     #[request(flag = 0)]
//!     verify: bool,
//!     #[request(big)]
//!     address: u16,
//!     #[request(rest)]
//!     data: Bytes,
//! }
//!
//! #[derive(Payload)]
//! struct Written {
//!     #[payload(flag = 0)]
//!     checksum: Option<u64>,
//! }
//!
//! #[derive(Payload)]
//! enum WriteError {
//!     ReadOnly = 1,
//!     Worn = 2,
//! }
//! ```
//!
//! A protocol is known as data, too: [`Protocol::DESCRIPTION`](trait@Protocol). A line in a test,
//! [`lock::assert_locked`], compares it with a committed file and tells additions from what would break deployed
//! peers; [`page::markdown`] makes its documentation, [`twin`] a Python module that asks and answers.
//!
//! All of it can be written by hand: the derives write impls of [`Payload`](trait@Payload), [`BaseRequest`],
//! [`Carries`], [`Protocol`](trait@Protocol) and [`Dispatch`].
//!
//! # Answering
//!
//! A **service** implements [`Fulfil`] for each request of its protocol; [`serve`] makes a [`Handler`] of
//! it. A service that lacks one does not compile. An `Err` of a handler reaches the caller word for word, or
//! as the value that the request declares; a panic, an unknown request and a payload that does not decode are
//! not-ok answers too, and the connection lives.
//!
//! What a request may take is its [`Contract`], which [`Served`] keeps: the length of its payload, how many are
//! performed at once, in what order, for how long, and whether on a thread that may block. What belongs to one
//! connection, such as who the peer is, is in its [`Extensions`]. A handler's future is dropped with its
//! connection; what it has spawned looks at [`Context::is_cancelled`].
//!
//! # Asking
//!
//! [`Client`] asks any request that its protocol carries. A request is on its way before its [`TypedCall`] is
//! awaited; what that yields in place of a reply is a [`RequestError`], which tells what the peer said from
//! what never left and from what may or may not have been performed. `#[packetstream(client = Name)]` on the
//! protocol writes a client with a method for each request. Both implement [`HasPacketConnection`], as can
//! types of your own. Inside a handler, [`Context::peer`] makes a client to ask back.
//!
//! # Connections
//!
//! [`PacketConnection::builder`] takes a handler and [`Limits`], and makes a connection over anything that
//! is `AsyncRead + AsyncWrite`. [`Stream`] and [`Listener`] open such streams by [`Address`];
//! [`connect`] does it all for a side that only asks. [`Peer`] tells who is at the other end, [`TcpOptions`] how
//! soon one that has vanished is noticed. With the feature `tls`, the module `tls` encrypts any stream; what else
//! there is to switch on is on the page of [`features`]. Programs are
//! started by [`Child`], on other machines by [`Ssh`]; if one does not end well, the connection fails with a
//! [`ChildEnded`]. [`Listener::serve_until`] stops when it is told to, and lets what was asked be answered.
//!
//! With the feature `tracing`, what children say on standard error can become events: `Stderr::Trace`.
//!
//! # Connections on demand
//!
//! A [`Link`] connects when something is asked, keeps one connection for all its clones, and makes another when that
//! is lost. [`Connector`] says where to, how long to wait between attempts, and how long at all. What was not sent
//! is asked again over the next connection; what was lost only if the request says that it is
//! [`idempotent`](Contract::idempotent). What a link is doing can be watched: [`Link::state`].
//!
//! With the feature `tower`, clients, links and handlers are services of that crate: see the module `tower`.
//!
//! # Without a runtime
//!
//! [`blocking`] has the same connections on plain threads, for the same protocols and services.
//!
//! # Back-pressure
//!
//! As many calls as [`Limits::max_calls`] are in flight; more wait in their futures. A place follows its
//! request until the answer, whether or not anybody still waits for it. A peer that asks more than
//! [`Limits::max_handlers`] and [`Limits::max_queued`] allow is left unread, which its transport passes on
//! to it; and if answers to our own requests may be behind, its excess requests are refused with `busy`
//! after a second or two. A call therefore ends when the peer answers, or soon after the transport is seen
//! to go bad. A peer that lives and never answers is waited for; where that may not be, a call has a
//! [`timeout`](TypedCall::timeout).
//!
//! [`Limits`] are those of one connection; the defaults are for a peer that is not trusted, [`Limits::trusted`] for one
//! that is, [`Limits::python`] for the Python original. How many connections a [`Listener`] accepts is not limited.
//!
//! # Saying goodbye
//!
//! [`PacketConnection::close`], or dropping the last handle, says that no more requests come. What was asked
//! is answered, in both directions; then each side ends its stream, and
//! [`closed`](PacketConnection::closed) yields a [`CloseReport`]: who ended it, why, what was left undone. If the
//! peer goes first the same happens, but for our calls that it has not answered, which end with
//! [`ConnectionError::ClosedByPeer`]. The answers may take [`Limits::answer_timeout`], the peer's last packet
//! [`Limits::close_timeout`]. [`PacketConnection`] has the other verbs: `drain`, `barrier`, `abort`.
//!
//! # Watching
//!
//! [`PacketConnection::stats`] tells at any time what a connection has done and what it holds: packets,
//! bytes, packets for each flush, calls in flight, queued and abandoned, requests refused, the oldest
//! handler. An [`Observer`] is told of each packet and of what came of each request; [`Builder::on_packet`]
//! makes one of a closure, and [`Tick`] shows a person whether anything moves.
//!
//! With the feature `metrics` the module of that name has an observer that feeds the facade of the crate
//! `metrics`. With the feature `tracing` a connection tells that crate:
//!
//! | span, all of level `DEBUG` | until | fields |
//! |---|---|---|
//! | `packetstream::connection` | it has ended, and no handle is left | `connection` (its [name](Builder::name)), `peer` |
//! | `packetstream::call`, in the caller's span | its end is known, or nobody waits for it | `connection`, `channel`, `rq_type`, `request` (its type, unless it came through layers of `tower`), `label`, `tag`, `bytes`, `outcome` |
//! | `packetstream::request`, in the connection's | it is performed; what the handler logs lies in it | `connection`, `channel`, `tag`, `rq_type`, `request`, `flags`, `bytes`, `outcome` |
//!
//! | event | level |
//! |---|---|
//! | a handler has panicked | `ERROR` |
//! | a connection failed, with its [`CloseReport`] | `WARN` |
//! | a connection was opened or ended; a request was refused; a packet made no sense; a call was given up, withdrawn, or has no answer | `DEBUG` |
//! | a packet, of the target `packetstream::packet`; all others have `packetstream` | `TRACE` |
//!
//! No payload is ever shown by any of it, nor the words of a failure or a panic, but for packets when
//! `Builder::trace_payloads` says how many bytes.

pub mod blocking;
mod client;
mod connector;
pub mod lock;
#[cfg(feature = "metrics")]
pub mod metrics;
mod outline;
pub mod page;
mod private;
mod protocol;
mod service;
#[cfg(feature = "tower")]
pub mod tower;
mod trace;
mod transport;
pub mod twin;

pub use bytes::Bytes;
pub use client::Client;
pub use client::HasPacketConnection;
pub use client::Outgoing;
pub use client::RequestError;
pub use client::TypedCall;
pub use connector::Backoff;
pub use connector::Connector;
pub use connector::Link;
pub use connector::LinkCall;
pub use connector::LinkError;
pub use connector::LinkPhase;
pub use connector::LinkState;
pub use connector::Outage;
pub use packetstream_core::BaseRequest;
pub use packetstream_core::Be;
pub use packetstream_core::Builder;
pub use packetstream_core::Call;
pub use packetstream_core::CallError;
pub use packetstream_core::CloseReport;
pub use packetstream_core::ConnectionError;
pub use packetstream_core::Contract;
pub use packetstream_core::Count;
pub use packetstream_core::Counted;
pub use packetstream_core::DecodeError;
pub use packetstream_core::Direction;
pub use packetstream_core::Driver;
pub use packetstream_core::Ended;
pub use packetstream_core::EndedBy;
pub use packetstream_core::ErrorResponse;
pub use packetstream_core::Extensions;
pub use packetstream_core::Failure;
pub use packetstream_core::Fixed;
pub use packetstream_core::Flagged;
pub use packetstream_core::Handler;
pub use packetstream_core::Incoming;
pub use packetstream_core::Le;
pub use packetstream_core::Limits;
pub use packetstream_core::NotSent;
pub use packetstream_core::Observer;
pub use packetstream_core::Outcome;
pub use packetstream_core::Packet;
pub use packetstream_core::PacketConnection;
pub use packetstream_core::PacketError;
pub use packetstream_core::ParseError;
pub use packetstream_core::Payload;
pub use packetstream_core::PayloadError;
pub use packetstream_core::PayloadProblem;
pub use packetstream_core::PayloadReader;
pub use packetstream_core::PayloadWriter;
pub use packetstream_core::Place;
pub use packetstream_core::ProtocolError;
pub use packetstream_core::Reply;
pub use packetstream_core::RequestId;
pub use packetstream_core::Response;
pub use packetstream_core::Rest;
pub use packetstream_core::Stats;
pub use packetstream_core::SubmitError;
pub use packetstream_core::Tick;
pub use packetstream_core::Variants;
pub use packetstream_core::Verbatim;
pub use packetstream_core::description;
pub use packetstream_core::wire;
pub use packetstream_derive::Payload;
pub use packetstream_derive::Protocol;
pub use packetstream_derive::Request;
pub use protocol::Carries;
pub use protocol::ParseRequestError;
pub use protocol::Parser;
pub use protocol::Protocol;
pub use service::Arrival;
pub use service::Context;
pub use service::Dispatch;
pub use service::Fulfil;
pub use service::Served;
pub use service::serve;
pub use transport::Address;
pub use transport::AddressError;
pub use transport::Child;
pub use transport::ChildEnded;
pub use transport::ConnectError;
pub use transport::Credentials;
pub use transport::KeepAlive;
pub use transport::Listener;
pub use transport::Peer;
pub use transport::ServeError;
pub use transport::Ssh;
pub use transport::Stderr;
pub use transport::Stream;
pub use transport::TcpOptions;
pub use transport::connect;
#[cfg(feature = "tls")]
pub use transport::tls;

#[doc = include_str!("../docs/attributes.md")]
pub mod attributes {}

#[doc = include_str!("../docs/python.md")]
pub mod python {}

#[doc = include_str!("../docs/features.md")]
pub mod features {}

/// What the derive macros call; not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::AllFlags;
    pub use crate::private::Optional;
    pub use crate::private::bit;
}

/// Compiles and runs what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
