//! Tag spaces, and what is in flight in each.

use crate::tag_table::TagTable;
use std::collections::BTreeMap;

/// The first tag on channel 0. Python never sends tags 0 and 1 there, which its end markers use
/// (rule W-25).
const FIRST_TAG: u64 = 2;

/// The channels that are open. Channel 0 always is, and has its own place: most connections have no other.
#[derive(Debug)]
pub(super) struct Channels<W> {
    main: Channel<W>,
    others: BTreeMap<u64, Channel<W>>,
}

/// One tag space in both directions.
#[derive(Debug)]
pub(super) struct Channel<W> {
    pub(super) next_tag: u64,
    /// Our requests, by tag, that have no response yet.
    pub(super) asked: TagTable<Asked<W>>,
    /// The payload lengths of the peer's requests that have no response yet.
    pub(super) owed: TagTable<usize>,
}

/// A request of ours without a response.
#[derive(Debug)]
pub(super) struct Asked<W> {
    pub(super) waiter: W,
    /// The payload's length.
    pub(super) bytes: usize,
}

/// Requests, counted as they come and go: there may be many channels to look through.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) requests: usize,
    /// Of their payloads.
    pub(super) bytes: usize,
}

impl<W> Default for Channels<W> {
    fn default() -> Self {
        Self { main: Channel::new(FIRST_TAG), others: BTreeMap::new() }
    }
}

impl<W> Channels<W> {
    pub(super) fn is_open(&self, channel: u64) -> bool {
        channel == 0 || self.others.contains_key(&channel)
    }

    pub(super) fn open(&mut self, channel: u64) {
        if channel != 0 {
            self.others.entry(channel).or_insert_with(|| Channel::new(0));
        }
    }

    pub(super) fn get_mut(&mut self, channel: u64) -> Option<&mut Channel<W>> {
        if channel == 0 { Some(&mut self.main) } else { self.others.get_mut(&channel) }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel<W>> {
        std::iter::once(&mut self.main).chain(self.others.values_mut())
    }
}

impl<W> Channel<W> {
    fn new(next_tag: u64) -> Self {
        Self { next_tag, asked: TagTable::default(), owed: TagTable::default() }
    }
}

impl Load {
    pub(super) fn add(&mut self, bytes: usize) {
        self.requests = self.requests.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) fn remove(&mut self, bytes: usize) {
        self.requests = self.requests.saturating_sub(1);
        seeded!(BytesNeverGivenBack => return);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
