//! The thread that writes.

use super::super::driver::GATHERED;
use super::{Inner, Monitor, Phase, Whereabouts, Writer};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of one write. It returns only when all of them are taken.
const WRITE: usize = 64 << 10;
/// Bytes of one write when the last was slow: with more of them, a peer that reads slowly would look like one that reads
/// nothing.
const SLOW_WRITE: usize = 4 << 10;
/// What takes longer is slow.
const SLOW: Duration = Duration::from_millis(10);

/// Writes until the end of the connection.
pub(super) fn run(monitor: &Arc<Monitor>, transport: &mut impl Write) {
    let mut writer = Writer::default();
    let mut grace_over = None;
    let mut most = WRITE;
    let mut inner = monitor.lock();
    loop {
        inner.writer = Whereabouts::Near;
        monitor.turn(&mut inner);
        if inner.is_over {
            return;
        }
        if writer.is_idle() {
            if inner.gathers(monitor.packet_grace) {
                let over = *grace_over.get_or_insert_with(|| Instant::now() + monitor.packet_grace);
                if Instant::now() >= over {
                    grace_over = None;
                }
            } else {
                grace_over = None;
            }
            inner.wire.told.is_gathering = grace_over.is_some();
            if grace_over.is_none() {
                writer.take(&mut inner.wire.queued);
            }
        }
        if writer.is_idle() {
            inner.writer = Whereabouts::Waiting;
            drop(inner);
            monitor.bell.await_writer(grace_over);
            inner = monitor.lock();
            continue;
        }
        inner.wire.wrote(&writer);
        inner.writer = Whereabouts::InTransport;
        drop(inner);

        monitor.bell.begin_writing();
        let start = Instant::now();
        let written = writer.write(transport, most);
        most = if start.elapsed() > SLOW { SLOW_WRITE } else { WRITE };
        monitor.bell.end_writing();

        inner = monitor.lock();
        inner.writer = Whereabouts::Near;
        let lost = if written.is_err() { writer.discard() + inner.wire.queued.discard() } else { 0 };
        inner.wire.wrote(&writer);
        if let (Err(error), Some(session)) = (written, inner.session()) {
            session.fail_writing(error, lost);
        }
    }
}

impl Inner {
    /// Whether what there is to write is worth waiting for more.
    fn gathers(&mut self, grace: Duration) -> bool {
        let unsent = self.wire.queued.unsent();
        let is_worth_it = !grace.is_zero() && 0 < unsent && unsent < GATHERED;
        is_worth_it
            && self.session().is_some_and(|session| !session.is_closing() && session.phase() == Phase::Live)
    }
}
