//! TLS: who is let in, what both ends are told otherwise, and connections within it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

#[path = "../common/mod.rs"]
mod common;

mod alpn;
mod building;
mod connections;
mod listening;
mod other_peers;
mod refusals;
mod support;
