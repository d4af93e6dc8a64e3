//! What a link is doing.

use super::error::Outage;
use tokio::time::Instant;

/// What a [`Link`](super::Link) is doing, and what went wrong last.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinkState {
    /// What it is doing.
    pub phase: LinkPhase,
    /// How many connections it has made so far.
    pub connections: u64,
    /// What came between it and the peer last. It stays when the peer is back.
    pub last_error: Option<Outage>,
}

/// What a [`Link`](super::Link) is doing.
///
/// ```text
///           asked                  opened
///  Idle ────────────▶ Connecting ──────────▶ Connected
///   ▲                  │      ▲                  │
///   │           failed │      │ time is up,      │ ended, or unused
///   │                  ▼      │ somebody asks    │
///   ├───────────────── Waiting ◀─────────────────┤ ended early
///   └────────────────────────────────────────────┘
///  from each of them: Closed
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LinkPhase {
    /// There is no connection, and nobody has asked for one.
    Idle,
    /// A stream is being opened.
    Connecting {
        /// Which attempt it is since the last connection that was good, from 1.
        attempt: u32,
    },
    /// There is a connection.
    Connected,
    /// Attempts have failed, or the last connection did not last: the next attempt is put off.
    Waiting {
        /// Which attempt the next one is.
        attempt: u32,
        /// When it is made, if anybody asks.
        until: Instant,
    },
    /// The link is closed for good, and so is its last connection.
    Closed,
}

impl LinkState {
    pub(super) const NEW: Self = Self { phase: LinkPhase::Idle, connections: 0, last_error: None };
}
