//! Judges a connection that has ended, of both sides' point of view.

use super::invariant::Invariant;
use super::pipe::{Delivery, Tap};
use super::request::{self, Answer};
use super::scenario::{Scenario, Step};
use super::wire::{self, Wire};
use super::world::{Asked, Log};
use packetstream_core::{CallError, CloseReport, ConnectionError, EndedBy, NotSent, Stats};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection that has failed tries to tell the peer, twice, and what rounding costs.
const FAREWELL: Duration = Duration::from_millis(2_100);

/// How long shutting a transport down may take, before the end is told.
const SHUT_DOWN: Duration = Duration::from_secs(5);

/// How a connection has ended at one end.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) report: CloseReport,
    pub(super) at: Instant,
    pub(super) round: u32,
    /// Requests of the other end, in the order in which they were begun.
    pub(super) begun: Vec<usize>,
    /// What it wrote.
    pub(super) tap: Tap,
    /// What it read.
    pub(super) delivery: Delivery,
    /// Bytes that it got from its transport; nothing if it says that more were left over than there were.
    pub(super) received: Option<u64>,
    /// Its handle in words, which tell the permits, if there is one.
    pub(super) permits: Option<String>,
}

/// Looks for everything that does not hold.
pub(super) fn judge(scenario: &Scenario, log: &mut Log, endings: &[Ending; 2]) {
    let wires = [0, 1].map(|end| wire::read(&endings[end].tap.written, end, log));
    for end in 0..2 {
        let ending = &endings[end];
        alone(scenario, log, end, ending);
        on_the_wire(scenario, log, end, endings, &wires[end]);
        if log.is_corrupt {
            continue;
        }
        wire::judge(scenario, log, end, endings, &wires);
        fits(log, &ending.report, &endings[1 - end].report);
        silence(scenario, log, ending, &wires[1 - end]);
    }
    calls(scenario, log, endings, &wires);
}

/// What an end says of itself.
fn alone(scenario: &Scenario, log: &mut Log, end: usize, ending: &Ending) {
    let CloseReport { result, calls_lost, calls_unsent, requests_unanswered, stats, .. } = &ending.report;
    let ends = stats.calls_ok + stats.calls_failed + stats.calls_withdrawn + calls_lost + calls_unsent;
    let answers = stats.requests_answered + stats.requests_refused + requests_unanswered;
    let adds_up = stats.calls == ends
        && stats.requests_answered <= stats.requests
        && stats.requests <= answers
        && stats.requests_failed <= stats.requests_answered
        && stats.requests_panicked <= stats.requests_failed
        && (result.is_err() || *requests_unanswered == 0);
    log.require(Invariant::ReportsAddUp, adds_up, format_args!("at {end}: {:?}", ending.report));

    // Those that waited for their turn know already, and may not have been polled yet.
    let mut stats = *stats;
    stats.queued = 0;
    let stats = &stats;
    log.require(Invariant::NothingLeft, holds_nothing(stats), format_args!("at {end}: {stats:?}"));
    if let Some(permits) = &ending.permits {
        let all_back = permits.contains("in_flight: 0,");
        log.require(Invariant::NothingLeft, all_back, format_args!("permits at {end}: {permits}"));
    }

    if scenario.is_healthy() {
        let fine = result.is_ok()
            && ending.report.shut_down.is_none()
            && ending.report.ended_by != EndedBy::Transport;
        log.require(
            Invariant::EndsInTime,
            fine,
            format_args!("all was well, but at {end}: {}", ending.report),
        );
    }
    let jumps = scenario.steps.iter().any(|step| matches!(step, Step::Jump(_)));
    let most = Duration::from_millis(2 * scenario.ends[end].stall) + FAREWELL;
    let blocked = ending.tap.blocked;
    let what = format_args!("a write of {end} waits for {blocked:?}");
    log.require(Invariant::EndsInTime, jumps || blocked <= most, what);
}

/// Whether nothing is in flight, waits or is performed.
pub(super) fn holds_nothing(stats: &Stats) -> bool {
    let counts = [stats.in_flight, stats.queued, stats.abandoned, stats.performing, stats.waiting];
    let sizes = [stats.in_flight_bytes, stats.request_bytes, stats.unsent_responses, stats.unsent_bytes];
    (counts, sizes, stats.oldest_handler) == ([0; 5], [0; 4], None)
}

/// What it says of its transport.
fn on_the_wire(scenario: &Scenario, log: &mut Log, end: usize, endings: &[Ending; 2], wire: &Wire) {
    let ending = &endings[end];
    let stats = &ending.report.stats;
    // Where the other end has gone nothing more can be written.
    let has_failed = endings.iter().any(|ending| ending.report.result.is_err());
    let is_whole = wire.rest == 0 || has_failed || log.is_corrupt || scenario.links[end].cut.is_some();
    log.require(Invariant::WholePackets, is_whole, format_args!("{} bytes of a packet of {end}", wire.rest));
    let written = ending.tap.written.len() as u64;
    let fits = stats.bytes_sent == written
        && Some(stats.bytes_received) == ending.received
        && stats.packets_sent >= wire.packets.len() as u64
        && (!scenario.is_healthy() || stats.packets_sent == wire.packets.len() as u64);
    let what =
        format_args!("wire of {end}: {written} {:?} {}: {stats:?}", ending.received, wire.packets.len());
    log.require(Invariant::ReportsAddUp, fits, what);
}

/// What one end says against what the other does.
fn fits(log: &mut Log, ours: &CloseReport, theirs: &CloseReport) {
    let sent = ours.stats.calls.checked_sub(ours.stats.calls_withdrawn + ours.calls_unsent);
    let heard = theirs.stats.requests_answered + theirs.stats.requests_refused;
    let mut fits = sent.is_some_and(|sent| theirs.stats.requests <= sent)
        && ours.stats.calls_ok + ours.stats.calls_failed <= heard
        && ours.stats.packets_ignored == 0;
    if ours.result.is_ok() && theirs.result.is_ok() {
        fits &= ours.stats.packets_sent == theirs.stats.packets_received
            && ours.stats.bytes_sent == theirs.stats.bytes_received
            && ours.ended_by != EndedBy::Transport;
    }
    log.require(Invariant::ReportsAddUp, fits, format_args!("{ours:?} does not fit {theirs:?}"));
}

/// Whether handlers may wait for each other, or may seem to.
fn may_wait_for_itself(scenario: &Scenario) -> bool {
    !scenario.is_healthy() || scenario.nests()
}

/// A peer that goes silent inside a packet is given up.
fn silence(scenario: &Scenario, log: &mut Log, ending: &Ending, theirs: &Wire) {
    let waits = scenario.hangs()
        || scenario.nests()
        || scenario.steps.iter().any(|step| matches!(step, Step::Jump(_)));
    let Some(last) = ending.delivery.last.filter(|_| !waits && ending.round == 0) else { return };
    if theirs.ends_at(ending.delivery.bytes) {
        return;
    }
    let stall = scenario.ends.iter().map(|end| end.stall).max().unwrap_or(0);
    // Nothing is awaited while there is no room, because of handlers that take their time or of a peer that is deaf.
    let most = Duration::from_millis(4 * stall) + FAREWELL * 2 + SHUT_DOWN + log.imposed;
    let silence = ending.at - last;
    log.require(Invariant::EndsInTime, silence <= most, format_args!("{silence:?} of silence in a packet"));
}

fn calls(scenario: &Scenario, log: &mut Log, endings: &[Ending; 2], wires: &[Wire; 2]) {
    let asked = std::mem::take(&mut log.asked);
    for (id, call) in asked.iter().enumerate() {
        if call.round == endings[call.end].round {
            judge_call(scenario, log, id, call, &wires[call.end]);
        }
    }
    log.asked = asked;
}

fn judge_call(scenario: &Scenario, log: &mut Log, id: usize, call: &Asked, wire: &Wire) {
    let is_sent = wire.requests.contains_key(&id);
    let Some(result) = &call.result else {
        return log.require(Invariant::ResolvedOnce, call.is_gone, format_args!("{id} is not resolved"));
    };
    let outcome = match result {
        Ok(reply) => Ok(reply.clone()),
        Err(CallError::Failed(failure)) => Err(failure.clone()),
        Err(error) => return judge_error(scenario, log, id, call, is_sent, error),
    };
    log.require(Invariant::ResolvedOnce, call.told == 1, format_args!("{id} is told {} times", call.told));
    if log.is_corrupt {
        return;
    }
    let performer = &scenario.ends[1 - call.end];
    let begun = match request::judge(id, &call.request, performer, &outcome) {
        Answer::Performed => 1,
        Answer::Refused => 0,
        Answer::Wrong => {
            return log.violate(Invariant::AnswerMatches, format_args!("{id} {call:?}: {outcome:?}"));
        }
    };
    let what = format_args!("{id} {call:?}: {outcome:?}");
    log.require(Invariant::PerformedOnce, call.begun == begun, what);
}

fn judge_error(
    scenario: &Scenario,
    log: &mut Log,
    id: usize,
    call: &Asked,
    is_sent: bool,
    error: &CallError,
) {
    let what = format_args!("{id} {call:?}: {error:?}");
    let limit = request::max_payload(&scenario.ends[call.end]);
    match error {
        CallError::NotSent(reason) => {
            let is_true = !is_sent && call.begun == 0;
            log.require(Invariant::NotSentIsTrue, is_true, what);
            let is_right = match reason {
                NotSent::TooLong { payload, .. } => *payload == call.request.size && *payload > limit,
                NotSent::NoTurn(waited) => {
                    let stall = Duration::from_millis(scenario.ends[call.end].stall);
                    call.patience == Some(*waited) || (may_wait_for_itself(scenario) && stall == *waited)
                }
                NotSent::Closed => true,
                NotSent::Lost(_) => !scenario.is_healthy(),
                _ => false,
            };
            log.require(Invariant::NotSentIsTrue, is_right, what);
        }
        CallError::Unanswered(patience) => {
            log.require(Invariant::ResolvedOnce, call.patience == Some(*patience), what);
        }
        CallError::Lost(cause) => {
            let is_dropped = scenario.steps.contains(&Step::DropDriver(call.end));
            let is_forgotten = matches!(cause, ConnectionError::Dropped) && !is_dropped;
            log.require(Invariant::ResolvedOnce, !is_forgotten, what);
            let is_late = matches!(cause, ConnectionError::ClosedByPeer) && call.begun == 0;
            log.require(Invariant::PerformedOnce, is_late || !scenario.is_healthy(), what);
        }
        _ => log.violate(Invariant::ResolvedOnce, what),
    }
}
