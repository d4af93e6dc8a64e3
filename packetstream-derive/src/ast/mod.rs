//! What declarations mean.
//!
//! Every `read` walks its declaration once, to the end, and notes each mistake. Without mistakes, what
//! it returns is all that `expand` needs. With mistakes it is what could be read, enough to shape the
//! stub that keeps the compiler from reporting echoes.

mod attr;
mod case;
mod fields;
mod payload;
mod protocol;
mod request;

pub(crate) use fields::Assert;
pub(crate) use fields::Bit;
pub(crate) use fields::Bound;
pub(crate) use fields::Field;
pub(crate) use fields::Fields;
pub(crate) use fields::Form;
pub(crate) use fields::Role;
pub(crate) use payload::Body;
pub(crate) use payload::Choice;
pub(crate) use payload::Payload;
pub(crate) use payload::Struct;
pub(crate) use protocol::Carried;
pub(crate) use protocol::Client;
pub(crate) use protocol::Method;
pub(crate) use protocol::Protocol;
pub(crate) use request::Contract;
pub(crate) use request::Request;

#[cfg(test)]
mod tests;
