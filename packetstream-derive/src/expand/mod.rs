//! What the macros write: impls that could be written by hand, whose bodies are calls of the library.
//!
//! Nothing here can fail. Paths are absolute, so that nothing a user names changes their meaning.

mod client;
mod fields;
mod payload;
mod protocol;
pub(crate) mod stub;

pub(crate) use payload::payload;
pub(crate) use payload::request;
pub(crate) use protocol::protocol;

#[cfg(test)]
mod tests;
