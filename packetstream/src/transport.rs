//! Byte streams by address: TCP, Unix sockets, this program's stdio, a child's stdio, memory.
//!
//! A connection runs over any `AsyncRead + AsyncWrite`; this module is for the streams that programs
//! have most often.

mod address;
mod child;
mod listener;
mod peer;
mod stdio;
mod stream;

pub use address::Address;
pub use address::AddressError;
pub use child::Child;
pub(crate) use listener::SocketFile;
pub(crate) use listener::is_scarcity;
pub(crate) use listener::is_the_peers;

pub use listener::Listener;
pub use listener::ServeError;
pub use peer::Credentials;
pub use peer::Peer;
pub use stream::ConnectError;
pub use stream::Stream;
pub use stream::connect;
