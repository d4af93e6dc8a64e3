//! (the guide comes here)

mod client;
mod service;
mod transport;

pub use bytes::Bytes;
pub use client::Client;
pub use client::HasPacketConnection;
pub use client::RequestError;
pub use client::TypedCall;
pub use packetstream_core::BaseRequest;
pub use packetstream_core::Be;
pub use packetstream_core::Builder;
pub use packetstream_core::Call;
pub use packetstream_core::CallError;
pub use packetstream_core::ConnectionError;
pub use packetstream_core::Driver;
pub use packetstream_core::Ended;
pub use packetstream_core::Failure;
pub use packetstream_core::Handler;
pub use packetstream_core::Incoming;
pub use packetstream_core::Le;
pub use packetstream_core::Limits;
pub use packetstream_core::NotSent;
pub use packetstream_core::Outcome;
pub use packetstream_core::PacketConnection;
pub use packetstream_core::Payload;
pub use packetstream_core::PayloadError;
pub use packetstream_core::PayloadReader;
pub use packetstream_core::Reply;
pub use packetstream_core::Response;
pub use packetstream_derive::Payload;
pub use packetstream_derive::Protocol;
pub use packetstream_derive::Request;
pub use service::Carries;
pub use service::Context;
pub use service::Dispatch;
pub use service::Fulfil;
pub use service::ParseRequestError;
pub use service::Protocol;
pub use service::serve;
pub use transport::Address;
pub use transport::AddressError;
pub use transport::Child;
pub use transport::ConnectError;
pub use transport::Listener;
pub use transport::ServeError;
pub use transport::Stream;
pub use transport::connect;

/// What the derive macros call; not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::service::private::fulfil;
    pub use bytes::BytesMut;
}
