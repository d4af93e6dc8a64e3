//! What an end has written, as another decoder reads it.

use super::invariant::Invariant;
use super::oracle::Ending;
use super::request::{self, Answer};
use super::scenario::Scenario;
use super::world::Log;
use crate::reference::{Kind, Packet, Verdict, decode_all};
use packetstream_core::{Failure, Outcome, Reply};
use std::collections::{BTreeMap, BTreeSet};

/// What is on one direction of the wire.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) packets: Vec<Packet>,
    /// Bytes of a packet that is not whole.
    pub(super) rest: usize,
    /// Where each packet ends.
    ends: Vec<u64>,
    /// The requests by number: which packet each is.
    pub(super) requests: BTreeMap<usize, usize>,
    /// The same by channel and tag.
    by_tag: BTreeMap<(u64, u64), usize>,
}

/// Reads what an end has written.
pub(super) fn read(bytes: &[u8], end: usize, log: &mut Log) -> Wire {
    let (packets, taken, verdict) = decode_all(bytes);
    let is_valid = verdict == Verdict::NeedMore;
    log.require(Invariant::WholePackets, is_valid, format_args!("{end} writes no packets: {verdict:?}"));
    let mut at = 0;
    let mut ends = Vec::new();
    for packet in &packets {
        at += size(packet);
        ends.push(at);
    }
    let shortest = at == taken as u64;
    log.require(
        Invariant::WholePackets,
        shortest,
        format_args!("{end} writes {taken} bytes instead of {at}"),
    );
    let (mut requests, mut by_tag) = (BTreeMap::new(), BTreeMap::new());
    for (index, packet) in packets.iter().enumerate() {
        if let Kind::Request(rq_type) = packet.kind {
            let id = request::id_of(rq_type);
            let is_new = requests.insert(id, index).is_none();
            log.require(Invariant::PerformedOnce, is_new, format_args!("{id} is sent twice"));
            let is_new = by_tag.insert((packet.channel, packet.tag), id).is_none();
            log.require(Invariant::PacketOrder, is_new, format_args!("tag {} is used twice", packet.tag));
        }
    }
    Wire { packets, rest: bytes.len() - taken, ends, requests, by_tag }
}

/// The bytes of a number, as few as there may be.
fn width(number: u64) -> u64 {
    u64::from((64 - number.leading_zeros()).div_ceil(7).max(1))
}

/// The bytes of a packet, as few as there may be.
fn size(packet: &Packet) -> u64 {
    let channel = if packet.channel == 0 { 0 } else { width(packet.channel) };
    let head = match packet.kind {
        Kind::Request(rq_type) => width(packet.flags << 2) + width(rq_type + 1),
        Kind::Response { .. } => width(packet.flags << 3),
        Kind::Control => 2,
    };
    let body = width(packet.tag) + head + channel + packet.payload.len() as u64;
    width(body) + body
}

impl Wire {
    /// Whether a packet ends behind so many bytes.
    pub(super) fn ends_at(&self, bytes: u64) -> bool {
        bytes == 0 || self.ends.binary_search(&bytes).is_ok()
    }
}

/// Judges what `end` has written.
pub(super) fn judge(
    scenario: &Scenario,
    log: &mut Log,
    end: usize,
    endings: &[Ending; 2],
    wires: &[Wire; 2],
) {
    requests(log, endings[end].round, end, &wires[end]);
    order(scenario, log, end, &endings[end], &wires[end]);
    responses(scenario, log, end, endings, wires);
    arrival(log, &wires[end], &endings[1 - end].begun);
}

/// Each request is what was asked.
fn requests(log: &mut Log, round: u32, end: usize, wire: &Wire) {
    for (&id, &index) in &wire.requests {
        let packet = &wire.packets[index];
        let is_asked = log.asked.get(id).is_some_and(|asked| {
            asked.end == end
                && asked.round == round
                && asked.request.channel == packet.channel
                && request::flags(id) == packet.flags
                && packet.kind == Kind::Request(request::rq_type(id))
                && request::payload(id, &asked.request) == packet.payload
        });
        log.require(Invariant::AnswerMatches, is_asked, format_args!("{end} was not told to ask {id}"));
    }
}

/// Tags grow, requests come before the end of requests, everything before the end of the stream.
fn order(scenario: &Scenario, log: &mut Log, end: usize, ending: &Ending, wire: &Wire) {
    let mut tags = BTreeMap::new();
    let (mut no_requests, mut nothing) = (false, false);
    for packet in &wire.packets {
        let mut fits = !nothing;
        match packet.kind {
            Kind::Control => {
                let is_first = packet.tag == 0 || !no_requests;
                fits &= is_first && packet.tag <= 1 && packet.channel == 0;
                nothing |= packet.tag == 0;
                // Whoever gives up says no more than that.
                fits &= !nothing || no_requests || ending.report.result.is_err();
                no_requests |= packet.tag == 1;
            }
            Kind::Request(_) => {
                let first = if packet.channel == 0 { 2 } else { 0 };
                let next = tags.entry(packet.channel).or_insert(first);
                fits &= !no_requests && packet.tag >= *next;
                *next = packet.tag + 1;
            }
            Kind::Response { .. } => {}
        }
        let Packet { channel, tag, kind, .. } = packet;
        let what = format_args!("{end}: {kind:?} {channel}/{tag} is out of order");
        log.require(Invariant::PacketOrder, fits, what);
    }
    let ends = nothing || !scenario.is_healthy();
    log.require(Invariant::PacketOrder, ends, format_args!("{end} does not end its stream"));
}

/// Each response is that to a request, which has no other.
fn responses(scenario: &Scenario, log: &mut Log, end: usize, endings: &[Ending; 2], wires: &[Wire; 2]) {
    let theirs = &wires[1 - end];
    let mut answered = BTreeSet::new();
    for packet in &wires[end].packets {
        let Kind::Response { ok } = packet.kind else { continue };
        let Packet { channel, tag, .. } = packet;
        let Some(&id) = theirs.by_tag.get(&(*channel, *tag)) else {
            log.violate(Invariant::PacketOrder, format_args!("{end} answers {channel}/{tag}, not asked"));
            continue;
        };
        let is_first = answered.insert(id);
        log.require(Invariant::PacketOrder, is_first, format_args!("{end} answers {id} twice"));
        let outcome = outcome(packet, ok);
        let Some(asked) = log.asked.get(id) else { continue };
        let (begun, request) = (asked.begun, asked.request);
        let what = format_args!("{end} answers {id} {request:?}, begun {begun} times: {outcome:?}");
        match request::judge(id, &request, &scenario.ends[end], &outcome) {
            Answer::Performed => log.require(Invariant::PerformedOnce, begun == 1, what),
            Answer::Refused => log.require(Invariant::PerformedOnce, begun == 0, what),
            Answer::Wrong => log.violate(Invariant::AnswerMatches, what),
        }
    }
    if !scenario.is_healthy() {
        return;
    }
    let unanswered: Vec<usize> =
        theirs.requests.keys().copied().filter(|id| !answered.contains(id)).collect();
    for id in unanswered {
        // It has come behind the last packet of whoever was asked.
        let is_late = log.asked.get(id).is_some_and(|asked| asked.begun == 0);
        log.require(Invariant::PerformedOnce, is_late, format_args!("{id} has no answer"));
        let is_known = endings[1 - end].report.calls_lost > 0;
        log.require(Invariant::ReportsAddUp, is_known, format_args!("{id} has no answer, and is not lost"));
    }
}

fn outcome(packet: &Packet, ok: bool) -> Outcome {
    let (flags, payload) = (packet.flags, packet.payload.clone().into());
    if ok { Ok(Reply { flags, payload }) } else { Err(Failure { flags, payload }) }
}

/// Requests are begun in the order in which they were sent.
fn arrival(log: &mut Log, wire: &Wire, begun: &[usize]) {
    let places: Option<Vec<usize>> = begun.iter().map(|id| wire.requests.get(id).copied()).collect();
    let in_order = places.is_some_and(|places| places.is_sorted());
    log.require(Invariant::PerformedOnce, in_order, "requests are not begun in the order of their arrival");
}
