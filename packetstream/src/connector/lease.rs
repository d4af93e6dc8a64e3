//! A link's connection in the hands of those who use it.

use packetstream_core::PacketConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// A link's connection, and which of its connections it is.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) connection: PacketConnection,
    /// From 1.
    pub(crate) generation: u64,
    uses: Arc<Uses>,
}

/// Who uses a connection.
#[derive(Debug, Default)]
struct Uses {
    now: AtomicUsize,
    ever: AtomicU64,
}

/// Held while a connection is used.
#[derive(Debug)]
pub(crate) struct Use {
    uses: Arc<Uses>,
}

impl Lease {
    pub(super) fn new(connection: PacketConnection, generation: u64) -> Self {
        Self { connection, generation, uses: Arc::default() }
    }

    /// Begins to use it.
    pub(crate) fn begin(&self) -> Use {
        let uses = Arc::clone(&self.uses);
        uses.now.fetch_add(1, Ordering::Relaxed);
        uses.ever.fetch_add(1, Ordering::Relaxed);
        Use { uses }
    }

    /// Waits until nobody has used it for `limit`, for ever without one. It is noticed before twice this time.
    pub(super) async fn unused(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        let mut before = None;
        loop {
            // Whoever begins right now may be missed; letting go of the connection then does them no harm.
            let ever = self.uses.ever.load(Ordering::Relaxed);
            let used = self.uses.now.load(Ordering::Relaxed) > 0;
            if !used && before == Some(ever) {
                return;
            }
            before = (!used).then_some(ever);
            tokio::time::sleep(limit).await;
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.uses.now.fetch_sub(1, Ordering::Relaxed);
    }
}
