//! (the guide comes here)

mod client;
mod service;

pub use bytes::Bytes;
pub use client::Client;
pub use client::HasPacketConnection;
pub use client::RequestError;
pub use client::TypedCall;
pub use packetstream_core::BaseRequest;
pub use packetstream_core::Be;
pub use packetstream_core::Failure;
pub use packetstream_core::Le;
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

/// What the derive macros call; not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::service::private::fulfil;
    pub use bytes::BytesMut;
}
