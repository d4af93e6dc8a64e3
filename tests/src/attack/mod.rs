//! Attacks on a connection, and what it holds meanwhile: each runs in a process of its own, since what is measured is
//! the process's memory.
//!
//! An attack tells what it did and by how much memory grew, once warmed up; the program that runs it fails where that is
//! more than its bound, or where something did not end as it has to.

mod bombs;
mod calls;
mod combinations;
mod cut;
mod flood;
mod memory;
mod neighbours;
mod peers;
mod runtime;
mod soak;

use memory::Memory;
use std::fmt;
use std::time::{Duration, Instant};

/// No attack takes longer: what hangs is a failure.
const LIMIT: Duration = Duration::from_mins(30);

/// One way to attack.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, so many times.
    pub what: &'static str,
    /// How often it is done by itself.
    pub times: u64,
    /// By how many KiB memory may grow.
    pub bound: u64,
    run: fn(u64, &mut Memory),
}

/// All attacks.
pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "flood-deaf",
        what: "requests taken from peers that never read",
        times: 10_000_000,
        bound: 16 << 10,
        run: flood::deaf,
    },
    Attack {
        name: "flood-asked",
        what: "requests taken from peers that never read and owe us an answer",
        times: 10_000_000,
        bound: 16 << 10,
        run: flood::asked,
    },
    Attack {
        name: "flood-large",
        what: "requests of nearly 16 MiB taken from peers that never read",
        times: 200,
        bound: 96 << 10,
        run: flood::large,
    },
    Attack {
        name: "flood-read",
        what: "requests answered to a peer that sends them without a pause and reads now and then",
        times: 10_000_000,
        bound: 16 << 10,
        run: flood::read,
    },
    Attack {
        name: "bombs",
        what: "connections whose peer announces a random length and says no more",
        times: 1_000_000,
        bound: 4 << 10,
        run: bombs::lengths,
    },
    Attack {
        name: "loris",
        what: "connections at once whose peers say three bytes a minute of 16 MiB",
        times: 1_000,
        bound: 160 << 10,
        run: bombs::loris,
    },
    Attack {
        name: "strangers",
        what: "answers that nobody waits for",
        times: 1_000_000,
        bound: 4 << 10,
        run: calls::strangers,
    },
    Attack {
        name: "storm",
        what: "calls made and dropped, at most 256 of which are at the peer",
        times: 1_000_000,
        bound: 4 << 10,
        run: calls::storm,
    },
    Attack {
        name: "pipes",
        what: "calls of 64 KiB both ways at once over two pipes of 4 KiB",
        times: 10_000,
        bound: 96 << 10,
        run: calls::pipes,
    },
    Attack {
        name: "narrow",
        what: "calls of 64 KiB both ways at once over a stream of 16 bytes",
        times: 400,
        bound: 96 << 10,
        run: calls::narrow,
    },
    Attack {
        name: "depth",
        what: "calls nested 1 to 200 deep across a connection",
        times: 4_000,
        bound: 4 << 10,
        run: calls::depth,
    },
    Attack {
        name: "combinations",
        what: "calls both ways at once, nested, over 4 KiB, with each of 81 combinations of limits",
        times: 4_860,
        bound: 16 << 10,
        run: combinations::all,
    },
    Attack {
        name: "cuts",
        what: "ways to cut conversations of 200 packets: at a byte, in a direction, by an end or an error",
        times: 4_312,
        bound: 4 << 10,
        run: cut::everywhere,
    },
    Attack {
        name: "shutdown",
        what: "runtimes shut down in the midst of calls",
        times: 10_000,
        bound: 8 << 10,
        run: runtime::shut_down,
    },
    Attack {
        name: "neighbours",
        what: "calls alone, and as many beside 8 hostile connections",
        times: 20_000,
        bound: 160 << 10,
        run: neighbours::calls,
    },
    Attack { name: "soak", what: "calls on one connection", times: 20_000_000, bound: 64, run: soak::calls },
];

/// What came of an attack.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    attack: Attack,
    times: u64,
    growth: u64,
    took: Duration,
}

impl Attack {
    /// Runs it, `times` if that is given.
    #[must_use]
    pub fn run(self, times: Option<u64>) -> Outcome {
        std::thread::spawn(|| {
            std::thread::sleep(LIMIT);
            eprintln!("the attack hangs");
            std::process::exit(101);
        });
        let times = times.unwrap_or(self.times);
        let begun = Instant::now();
        let mut memory = Memory::default();
        (self.run)(times, &mut memory);
        Outcome { attack: self, times, growth: memory.growth(), took: begun.elapsed() }
    }
}

impl Outcome {
    /// Whether memory stayed within the bound.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.growth <= self.attack.bound
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attack: Attack { name, what, bound, .. }, times, growth, took } = self;
        write!(f, "{name}: {times} {what}: memory grew by {growth} KiB, of {bound} allowed; {took:.1?}")
    }
}
