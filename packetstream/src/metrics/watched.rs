//! The metrics of one connection.

use super::Settings;
use super::names::{self, HELD, TOTALS};
use super::oldest::{Entry, Oldest};
use super::requests::Requests;
use metrics::{Counter, Gauge, Histogram, Label};
use packetstream_core::{CloseReport, ConnectionError, EndedBy, Stats};
use std::sync::Arc;

/// A connection that is watched. What it holds is given back when it is dropped.
pub(super) struct Watched {
    pub(super) calls: Requests,
    pub(super) requests: Requests,
    labels: Vec<Label>,
    totals: [Counter; TOTALS.len()],
    counted: [u64; TOTALS.len()],
    held: [Gauge; HELD.len()],
    holds: [usize; HELD.len()],
    flushes: Histogram,
    oldest: Entry,
}

impl Watched {
    /// `common` are the labels of whatever is told of all connections together.
    pub(super) fn new(settings: Settings, common: &[Label], oldest: Arc<Oldest>) -> Self {
        let Settings { labels, asking, serving, .. } = settings;
        names::OPENED.counter(&labels).increment(1);
        let mut watched = Self {
            calls: Requests::new(&names::CALLS, &names::CALL_SECONDS, asking, labels.clone()),
            requests: Requests::new(&names::REQUESTS, &names::REQUEST_SECONDS, serving, labels.clone()),
            totals: TOTALS.each_ref().map(|total| total.counter(&labels)),
            counted: [0; TOTALS.len()],
            held: HELD.each_ref().map(|held| held.gauge(&labels)),
            holds: [0; HELD.len()],
            flushes: names::FLUSH_PACKETS.histogram(&labels),
            oldest: Entry::new(oldest, names::OLDEST_HANDLER.gauge(common)),
            labels,
        };
        watched.turned(&Stats::default());
        watched
    }

    pub(super) fn flushed(&self, packets: u64) {
        // More than 2^32 would not be in one flush.
        self.flushes.record(u32::try_from(packets).unwrap_or(u32::MAX));
    }

    pub(super) fn turned(&mut self, stats: &Stats) {
        for ((total, counter), counted) in TOTALS.iter().zip(&self.totals).zip(&mut self.counted) {
            let now = (total.of)(stats);
            if now > *counted {
                counter.increment(now - *counted);
                *counted = now;
            }
        }
        self.hold(HELD.each_ref().map(|held| (held.of)(stats)));
        self.oldest.set(stats.oldest_handler);
    }

    fn hold(&mut self, now: [usize; HELD.len()]) {
        for ((gauge, holds), now) in self.held.iter().zip(&mut self.holds).zip(now) {
            if now > *holds {
                gauge.increment(float(now - *holds));
            } else if now < *holds {
                gauge.decrement(float(*holds - now));
            }
            *holds = now;
        }
    }

    pub(super) fn ended(&self, report: &CloseReport) {
        if report.requests_unanswered > 0 {
            names::REQUESTS_UNANSWERED.counter(&self.labels).increment(report.requests_unanswered);
        }
        let mut labels = self.labels.clone();
        let by = match report.ended_by {
            EndedBy::Us => "us",
            EndedBy::Peer => "peer",
            _ => "transport",
        };
        labels.push(Label::from_static_parts("result", result(report)));
        labels.push(Label::from_static_parts("by", by));
        names::ENDED.counter(&labels).increment(1);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.hold([0; HELD.len()]);
    }
}

#[allow(clippy::cast_precision_loss, reason = "of 2^53 bytes, one more or less is no matter")]
fn float(number: usize) -> f64 {
    number as f64
}

/// In one word how a connection has ended.
fn result(report: &CloseReport) -> &'static str {
    match &report.result {
        Ok(()) => "ok",
        Err(ConnectionError::ClosedByPeer) => "closed_by_peer",
        Err(ConnectionError::NoGoodbye) => "no_goodbye",
        Err(ConnectionError::Decode(_)) => "malformed",
        Err(ConnectionError::Protocol(_)) => "protocol",
        Err(ConnectionError::Read(_)) => "read",
        Err(ConnectionError::Write(_)) => "write",
        Err(ConnectionError::ReadStalled(_)) => "read_stalled",
        Err(ConnectionError::WriteStalled { .. }) => "write_stalled",
        Err(ConnectionError::CloseTimedOut { .. }) => "close_timed_out",
        Err(ConnectionError::GoodbyeTimedOut(_)) => "goodbye_timed_out",
        Err(ConnectionError::Aborted) => "aborted",
        Err(ConnectionError::ObserverPanicked) => "observer_panicked",
        Err(ConnectionError::Overload { .. }) => "overload",
        Err(ConnectionError::Dropped) => "dropped",
        Err(_) => "other",
    }
}
