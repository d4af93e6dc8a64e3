//! Numbers that are the same for the same seed, on every machine and for ever: a seed in a bug report must not
//! depend on the version of a crate.

/// A sequence of numbers (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from the first to the last.
    pub(super) fn within(&mut self, first: usize, last: usize) -> usize {
        first + index(self.below((last - first) as u64 + 1))
    }

    /// True once in so many times; never for 0.
    pub(super) fn one_in(&mut self, times: u32) -> bool {
        times > 0 && self.below(times.into()) == 0
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[index(self.below(of.len() as u64))]
    }
}

/// Spreads a number over all 64 bits, each number to another.
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
