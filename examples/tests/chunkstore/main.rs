//! The chunk store from outside: trees through a server and back, servers that lie, the program itself.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod check;
mod distrust;
mod full;
mod killed;
mod place;
mod program;
mod queries;
mod support;
mod trees;
mod unreadable;
mod witness;
