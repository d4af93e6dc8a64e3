//! What the tests of this package share, and the conformance suite.

pub mod conformance;
