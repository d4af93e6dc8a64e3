//! A content-addressed store of chunks, and trees of files kept in it: the main example.
//!
//! ```text
//!   push: walk ──chunks──▶ upload ─┐                              ┌─▶ store: reads, by several threads
//!                                  ├─ protocol, over any stream ──┤
//!   pull: tree ◀─ entries, files ◀─┘         server               └─▶ writer: one thread, in groups
//! ```
//!
//! The [`protocol`] is that of the Python original's `StreamStore`: seven of its requests, declared with the
//! derives. Its [hash codes](hash), [block references](tree::blockref) and [directory
//! entries](tree::dirent) have encodings that no derive writes; each has a module of its own.
//!
//! To begin with: [`server`] serves a [`store`], a [`client`] [pushes](push) and [pulls](pull) trees, and the
//! [`demo`] does all of it and [compares](compare).

pub mod archive;
pub mod client;
pub mod compare;
pub mod demo;
pub mod hash;
pub mod list;
pub mod protocol;
pub mod pull;
pub mod push;
pub mod report;
pub mod server;
pub mod stat;
pub mod store;
pub mod tree;
