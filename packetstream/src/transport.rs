//! Byte streams by address: TCP, Unix sockets, this program's stdio, a child's stdio, a program's on another machine,
//! descriptors, memory.
//!
//! A connection runs over any `AsyncRead + AsyncWrite`; this module is for the streams that programs
//! have most often.

mod address;
mod child;
mod descriptors;
mod inherited;
mod listener;
mod parts;
mod peer;
mod serve;
mod ssh;
mod stdio;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
pub mod tls;

pub use address::Address;
pub use address::AddressError;
pub use child::Child;
pub use child::ChildEnded;
pub use child::Stderr;
pub(crate) use inherited::duplicate;
pub(crate) use inherited::listening_socket;
pub use listener::Listener;
pub(crate) use listener::Passed;
pub(crate) use listener::SocketFile;
pub(crate) use listener::is_the_peers;
pub use peer::Credentials;
pub use peer::Peer;
pub use serve::ServeError;
pub(crate) use serve::is_scarcity;
pub use ssh::Ssh;
pub(crate) use stdio::Taken;
pub use stream::ConnectError;
pub use stream::Stream;
pub use stream::connect;
pub use tcp::KeepAlive;
pub use tcp::TcpOptions;
