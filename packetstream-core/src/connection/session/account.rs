//! What is told of a connection: its numbers, and how it ended.

use super::super::error::ConnectionError;
use super::super::handler::{NoHandler, perform};
use super::super::handlers::Handlers;
use super::super::report::{CloseReport, EndedBy};
use super::super::stats::Stats;
use super::super::{PeerStage, Published};
use super::{Session, Transit};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

impl Session {
    /// Nothing that the peer still waits for reaches it.
    pub(super) fn count_unanswered(&mut self) {
        self.requests_unanswered += (self.state.owed() + self.state.queued_responses()) as u64;
    }

    /// As many responses will not reach the peer.
    #[cold]
    pub(in crate::connection) fn lose_responses(&mut self, count: u64) {
        self.requests_unanswered += count;
        if count > 0
            && let Some(unheard) = self.unheard.take()
        {
            // More is lost by it than our goodbye.
            if self.ended_by != Some(EndedBy::Us) {
                // Also when the peer has said its last since.
                self.ended_by = Some(EndedBy::Transport);
            }
            self.cause.get_or_insert(unheard);
        }
    }

    /// Lets everybody see what was done and is held.
    pub(in crate::connection) fn publish(&mut self, transit: &Transit) {
        self.transit = *transit;
        let flushed = transit.flushes > self.stats.flushes;
        self.stats.bytes_sent = transit.written;
        self.stats.bytes_received = transit.read;
        self.stats.flushes = transit.flushes;
        let stats = Stats {
            requests_refused: self.stats.requests_refused + self.state.refused(),
            packets_ignored: self.state.ignored(),
            in_flight: self.state.in_flight(),
            queued: self.submissions() + self.state.queued_requests(),
            in_flight_bytes: self.state.in_flight_bytes(),
            performing: self.state.owed() - self.backlog.len(),
            waiting: self.backlog.len(),
            request_bytes: self.state.owed_bytes(),
            unsent_responses: self.state.queued_responses(),
            unsent_bytes: transit.unsent.saturating_add(self.state.queued_bytes()),
            ..self.stats
        };
        let oldest_handler = self.running.first_key_value().map(|(_, running)| running.begun);
        let mut published = self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let sent_before = published.stats.packets_sent;
        *published = Published { stats, oldest_handler };
        drop(published);
        if !self.shared.observers.is_empty() {
            let stats = self.shared.stats();
            if flushed {
                let packets = stats.packets_sent.saturating_sub(sent_before);
                self.shared.observe(|observer| observer.flushed(packets));
            }
            self.shared.observe(|observer| observer.turned(&stats));
        }
    }

    /// The connection has ended: nobody waits for anything from here on, but to hear how, which
    /// [`tell`](Self::tell) does.
    pub(in crate::connection) fn end(&mut self, transit: &Transit) -> CloseReport {
        self.shared.cancel();
        self.shared.blame(self.cause.clone());
        self.refuse_calls(Vec::new());
        // Those are dropped that were still at it.
        self.running.clear();
        self.lose_responses(transit.responses);
        self.count_unanswered();
        self.backlog.clear();
        self.state.abort();
        self.shared.tell_peer_stage(PeerStage::Silent);
        self.publish(&Transit { unsent: 0, responses: 0, ..*transit });
        let report = CloseReport {
            result: self.cause.clone().map_or(Ok(()), Err),
            ended_by: self.ended_by.unwrap_or(EndedBy::Us),
            calls_lost: self.calls_lost,
            calls_unsent: self.calls_unsent,
            requests_unanswered: self.requests_unanswered,
            shut_down: None,
            stats: self.shared.stats(),
        };
        self.report.insert(report).clone()
    }

    /// Tells once how the connection has ended, and how shutting the transport down went; returns what was told.
    pub(in crate::connection) fn tell(&mut self, shut_down: io::Result<()>) -> Option<CloseReport> {
        let report = CloseReport { shut_down: shut_down.err().map(Arc::new), ..self.report.take()? };
        self.shared.observe(|observer| observer.ended(&report));
        self.shared.trace.ended(&report);
        self.shared.progress.send_modify(|progress| progress.report = Some(Box::new(report.clone())));
        Some(report)
    }

    /// Lets go of what handles and handlers hold, when all was told.
    pub(in crate::connection) fn leave(&mut self) {
        // First: a handler that is dropped may panic.
        self.shared.inbox.leave();
        self.handlers = Handlers::new(perform(NoHandler));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.report.is_none() && self.shared.progress.borrow().report.is_none() {
            // What is dropped or woken may panic. Whatever it does, nobody is left waiting.
            let _ = catch_unwind(AssertUnwindSafe(|| self.fail(ConnectionError::Dropped)));
            let transit = self.transit;
            let _ = catch_unwind(AssertUnwindSafe(|| self.end(&transit)));
        }
        self.tell(Ok(()));
        self.leave();
    }
}
