//! Who performs the peer's requests, by channel.

use super::handler::{NoHandler, Perform, perform};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Decides on a channel that the peer asks on and that is not open.
type Accept = Box<dyn Fn(u64) -> Option<Box<dyn Perform>> + Send>;

/// The handlers of a connection's channels.
pub(super) struct Handlers {
    /// Channel 0 has its own: most connections have no other.
    main: Box<dyn Perform>,
    others: BTreeMap<u64, Box<dyn Perform>>,
    accept: Option<Accept>,
    /// Channels that may still be accepted.
    acceptable: usize,
}

impl Handlers {
    pub(super) fn new(main: Box<dyn Perform>) -> Self {
        Self { main, others: BTreeMap::new(), accept: None, acceptable: 0 }
    }

    /// Sets a channel's handler, in place of the one it has.
    pub(super) fn insert(&mut self, channel: u64, handler: Box<dyn Perform>) {
        if channel == 0 {
            self.main = handler;
        } else {
            self.others.insert(channel, handler);
        }
    }

    pub(super) fn accept(&mut self, most: usize, accept: Accept) {
        (self.acceptable, self.accept) = (most, Some(accept));
    }

    /// Whether a channel that the peer asks on is to be opened; it has a handler then.
    pub(super) fn accepts(&mut self, channel: u64) -> bool {
        if self.acceptable == 0 {
            return false;
        }
        // A panic of it refuses the channel, as one of a handler refuses a request.
        let asked = || self.accept.as_ref().and_then(|accept| accept(channel));
        let Ok(Some(handler)) = catch_unwind(AssertUnwindSafe(asked)) else { return false };
        self.acceptable -= 1;
        self.insert(channel, handler);
        true
    }

    /// The handler of a channel. One that was opened only to ask on refuses all requests.
    pub(super) fn of(&mut self, channel: u64) -> &mut dyn Perform {
        if channel == 0 {
            return self.main.as_mut();
        }
        self.others.entry(channel).or_insert_with(|| perform(NoHandler)).as_mut()
    }

    /// The channels that have one, besides 0.
    pub(super) fn channels(&self) -> impl Iterator<Item = u64> {
        self.others.keys().copied()
    }
}
