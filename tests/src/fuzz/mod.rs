//! What fuzzers do with bytes of theirs, each a function that panics where something does not hold. `fuzz/` has them
//! driven by what they have covered; `tests/tests/corpus.rs` has them do again what was found worth keeping.

mod connection;
mod decoding;
mod input;
mod payloads;
mod state;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called, and where its corpus is.
    pub name: &'static str,
    /// Does it.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "varint", run: decoding::varint },
    Target { name: "decode", run: decoding::decode },
    Target { name: "split", run: decoding::split },
    Target { name: "round_trip", run: decoding::round_trip },
    Target { name: "state", run: state::one },
    Target { name: "two_states", run: state::two },
    Target { name: "conversation", run: connection::conversation },
    Target { name: "payloads", run: payloads::all },
];

/// Does what the target of this name does.
///
/// # Panics
///
/// Where something does not hold, and where there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    (target.run)(bytes);
}
