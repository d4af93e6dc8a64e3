//! How a connection ended.

use super::error::ConnectionError;
use super::stats::Stats;
use std::fmt;
use std::io;
use std::sync::Arc;

/// How a connection ended: by whom, why, what was left undone, and what it did in all.
///
/// `Display` is one line for a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CloseReport {
    /// What ended it, unless both sides said goodbye.
    pub result: Result<(), ConnectionError>,
    /// Who began to end it.
    pub ended_by: EndedBy,
    /// Requests of ours that the peer may have performed and has not answered.
    pub calls_lost: u64,
    /// Requests of ours that were never sent because the connection ended, without those that waited for their turn:
    /// they were not taken yet.
    pub calls_unsent: u64,
    /// Requests of the peer that it got no answer to, for all that this side knows; it may have been answered in vain.
    pub requests_unanswered: u64,
    /// Why the transport was not shut down in good order, if it was shut down at all and was not: for a child
    /// process, how that ended.
    pub shut_down: Option<Arc<io::Error>>,
    /// What it did in all.
    pub stats: Stats,
}

/// Who began to end a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EndedBy {
    /// This side closed or aborted it, dropped its last handle, or its task, or drained when the peer had; or an observer
    /// of it panicked.
    Us,
    /// The peer said goodbye first, or its end of requests came when this side had drained; or it broke the protocol or a limit.
    Peer,
    /// Reading or writing failed, or the stream ended without a goodbye, be it inside a packet.
    Transport,
}

impl fmt::Display for EndedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Us => "us",
            Self::Peer => "the peer",
            Self::Transport => "the transport",
        })
    }
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended by {}", self.ended_by)?;
        if let Err(error) = &self.result {
            write_chain(f, ": ", error)?;
        }
        if let Some(error) = &self.shut_down {
            write_chain(f, "; shutting down: ", error.as_ref())?;
        }
        let Stats { calls, requests, bytes_sent, bytes_received, .. } = self.stats;
        write!(f, "; {calls} calls")?;
        for (count, what) in [(self.calls_lost, "lost"), (self.calls_unsent, "not sent")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, "; {requests} requests")?;
        if self.requests_unanswered > 0 {
            write!(f, ", {} unanswered", self.requests_unanswered)?;
        }
        write!(f, "; {bytes_sent} bytes sent, {bytes_received} received")
    }
}

/// An error and its causes on one line.
fn write_chain(f: &mut fmt::Formatter<'_>, lead: &str, error: &dyn std::error::Error) -> fmt::Result {
    write!(f, "{lead}{error}")?;
    error.source().map_or(Ok(()), |source| write_chain(f, ": ", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_with_causes_and_what_was_left_undone() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let stats = Stats { calls: 5, requests: 7, bytes_sent: 10, bytes_received: 20, ..Stats::default() };
        let report = CloseReport {
            result: Err(ConnectionError::Read(Arc::new(reset))),
            ended_by: EndedBy::Transport,
            calls_lost: 2,
            calls_unsent: 1,
            requests_unanswered: 3,
            shut_down: Some(Arc::new(io::Error::other("not connected"))),
            stats,
        };
        let text = "ended by the transport: cannot read from the peer: connection reset; shutting down: not connected; \
                    5 calls, 2 lost, 1 not sent; 7 requests, 3 unanswered; 10 bytes sent, 20 received";
        assert_eq!(report.to_string(), text);
        let quiet = CloseReport {
            result: Ok(()),
            ended_by: EndedBy::Us,
            calls_lost: 0,
            calls_unsent: 0,
            requests_unanswered: 0,
            shut_down: None,
            ..report
        };
        assert_eq!(quiet.to_string(), "ended by us; 5 calls; 7 requests; 10 bytes sent, 20 received");
    }
}
