//! A content-addressed store of chunks, and trees of files kept in it: the main example.
//!
//! ```text
//!   push: walk ──chunks──▶ upload ─┐                              ┌─▶ store: reads, by several threads
//!                                  ├─ protocol, over any stream ──┤
//!   pull: tree ◀─ entries, files ◀─┘         server               └─▶ writer: one thread, in groups
//! ```
//!
//! The [`protocol`] is that of the Python original's `StreamStore`, with all its eleven requests. They are
//! declared with the derives, and so is what they are made of: [hash codes](hash), [block
//! references](tree::blockref) and [directory entries](tree::dirent).
//!
//! To begin with: [`server`] serves a [`store`], a [`client`] [pushes](push) and [pulls](pull) trees, and the
//! [`demo`] does all of it and [compares](compare). What is asked, and by whom:
//!
//! | module | what it is for | its requests |
//! |---|---|---|
//! | [`push`] | putting a tree into a store | hash of hash codes, contains, add, flush, archive update |
//! | [`pull`] | getting it | archive last, get |
//! | [`check`] | what a tree misses | archive last, get, contains, contains indirect |
//! | [`archive`] | all trees of a name | archive list |
//! | [`list`] | the names of all chunks | hash codes |
//! | [`stat`] | figures to compare stores by | length, hash of hash codes |

pub mod archive;
pub mod check;
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
