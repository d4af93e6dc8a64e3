//! What declarations mean.
//!
//! Every `read` walks its declaration once, to the end, and notes each mistake. Without mistakes, what
//! it returns is all that `expand` needs. With mistakes it is what could be read, enough to shape the
//! stub that keeps the compiler from reporting echoes.

mod attr;
mod case;
mod payload;
mod protocol;

pub(crate) use payload::Field;
pub(crate) use payload::Payload;
pub(crate) use payload::Request;
pub(crate) use protocol::Carried;
pub(crate) use protocol::Client;
pub(crate) use protocol::Method;
pub(crate) use protocol::Protocol;

#[cfg(test)]
mod tests;
