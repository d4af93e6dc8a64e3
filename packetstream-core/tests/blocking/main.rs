//! Connections on plain threads: the stories of `conversation.rs`, `lifecycle.rs`, `limits.rs` and others, with real
//! clocks, files, pipes and sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod conversation;
mod lifecycle;
mod limits;
mod runtime;
mod streams;
mod support;
