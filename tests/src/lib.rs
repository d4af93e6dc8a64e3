//! What the tests of this package share, the conformance suite, and the simulator.

pub mod conformance;
pub mod reference;
pub mod sim;
