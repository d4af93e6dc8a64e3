//! What the tests of this package share, and the programs that take longer than a test: attacks on a connection.
#![allow(clippy::missing_panics_doc, reason = "a panic is the report")]

pub mod attack;
