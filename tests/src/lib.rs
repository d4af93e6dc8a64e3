//! What the tests of this package share: the conformance suite, and a second decoder that knows nothing of the first.

pub mod conformance;
pub mod reference;
