//! The programs built with `packetstream`, as far as they are worth calling from elsewhere.

pub mod chunkstore;
pub mod error_line;
