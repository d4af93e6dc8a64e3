//! The simulator: both ends of a connection in one thread, in time of their own, over a transport with everything
//! that can be wrong with one; what is done to them is made of a seed, and everything that holds by design is checked.
//!
//! A [`Scenario`] is data. [`run`] plays it: two connections of `packetstream_core`, as programs use them, on a paused
//! clock; nobody else's time or chance has a part in it, so that a scenario is one course of events to the last byte.
//! What does not hold is a [`Violation`] of an [`Invariant`]. A scenario that has one can be made smaller
//! ([`Scenario::shrunk`]) and written down as a test ([`Scenario::as_test`]).
//!
//! ```
//! use packetstream_tests::sim::{Scenario, run};
//!
//! let scenario = Scenario::of_seed(1);
//! let (once, again) = (run(&scenario, false), run(&scenario, false));
//! assert!(once.violations.is_empty());
//! assert_eq!(once.hash, again.hash);
//! ```
//!
//! What it rests on, for whoever changes the library or this: one thread, a clock that moves when there is nothing to
//! do, transports that draw lots from the seed, `BTreeMap`s. Tokio itself draws lots in two places, `select!` without
//! `biased`, and whom of several that wait on one `watch` it wakes first: nothing here does the one or lets the other
//! matter. Tags that collide are in a `HashMap` whose order nothing shows.

mod generate;
mod invariant;
mod oracle;
mod party;
mod pipe;
mod print;
mod quiet;
mod random;
mod request;
mod run;
mod scenario;
mod shrink;
mod trace;
mod wire;
mod world;

pub use invariant::Invariant;
pub use invariant::Violation;
pub use run::Run;
pub use run::run;
pub use scenario::Cut;
pub use scenario::Deed;
pub use scenario::End;
pub use scenario::Flip;
pub use scenario::Link;
pub use scenario::ReaderSees;
pub use scenario::Request;
pub use scenario::Scenario;
pub use scenario::Shutdown;
pub use scenario::Stall;
pub use scenario::Step;
pub use scenario::Then;
pub use scenario::WriterSees;

/// The names that a scenario is written with.
pub mod words {
    pub use super::{Cut, End, Flip, Link, Request, Scenario, Stall};
    pub use super::{Deed::*, ReaderSees::*, Shutdown::*, Step::*, Then::*, WriterSees::*};
}
