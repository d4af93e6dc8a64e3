//! What the tests of this package share: the conformance suite, a second decoder that knows nothing of the first, what
//! fuzzers do, attacks on a connection, and the simulator.
#![allow(clippy::missing_panics_doc, reason = "a panic is the report")]

pub mod agree;
pub mod attack;
pub mod conformance;
pub mod fuzz;
pub mod reference;
pub mod sim;
