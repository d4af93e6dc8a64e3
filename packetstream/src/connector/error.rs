//! Why there is no connection.

use packetstream_core::{ConnectionError, NotSent};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Why a [`Link`](super::Link) has no connection to give.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LinkError {
    /// The link was closed, or its runtime has shut down.
    #[error("the link is closed")]
    Closed,
    /// As many attempts as [`Connector::attempts`](super::Connector::attempts) have failed since it was asked for.
    /// The next who asks has new ones.
    #[error("no connection in {attempts} attempts")]
    Unreachable {
        /// How many have failed.
        attempts: u32,
        /// What the last one failed with.
        source: Outage,
    },
    /// It took too long: [`Connector::patience`](super::Connector::patience), or the time-out of the call. Attempts
    /// go on while others wait.
    #[error("no connection within {limit:?}")]
    TimedOut {
        /// How long it was waited for.
        limit: Duration,
        /// What the link had last failed with, if anything.
        source: Option<Outage>,
    },
}

/// What came between a link and its peer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Outage {
    /// There was no stream to be had: what the opener failed with.
    #[error(transparent)]
    NotOpened(Arc<dyn Error + Send + Sync>),
    /// Opening a stream took this long, which is [`Connector::patience`](super::Connector::patience).
    #[error("no stream within {0:?}")]
    OpenTimedOut(Duration),
    /// There was a connection, and it failed.
    #[error(transparent)]
    Ended(ConnectionError),
}

impl From<LinkError> for NotSent {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Closed => Self::Closed,
            other => Self::NoConnection(Arc::new(other)),
        }
    }
}
