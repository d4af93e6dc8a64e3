//! A stream of bytes to packets and back: the one place where a length from the wire becomes memory.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        reason = "reads what a hostile peer wrote"
    )
)]

mod decoder;
mod encode_buffer;

pub(crate) use decoder::DEFAULT_MAX_PACKET;
pub use decoder::{DecodeError, Decoder};
pub use encode_buffer::EncodeBuffer;
