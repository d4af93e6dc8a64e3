//! A stream of bytes to packets and back: the one place where a length from the wire becomes memory.

mod decoder;
mod encode_buffer;

#[cfg(feature = "tokio")]
pub(crate) use decoder::DEFAULT_MAX_PACKET;
pub use decoder::{DecodeError, Decoder};
pub use encode_buffer::EncodeBuffer;
