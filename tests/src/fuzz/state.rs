//! The state machine, with an application and a peer that do anything.

use super::input::Input;
use bytes::Bytes;
use packetstream_core::{
    Abandoned, ConnectionState, Event, Failure, Kind, Packet, ProtocolError, Reply, RequestId,
};
use std::collections::{BTreeSet, VecDeque};

const CHANNELS: [u64; 3] = [0, 1, u64::MAX];
/// Packets that make no sense, of which no more are taken.
const STRAYS: usize = 128;

/// A connection, and what has to hold of it.
#[derive(Default)]
struct End {
    state: ConnectionState<u64>,
    next_waiter: u64,
    /// Waiters that have not come back.
    parked: BTreeSet<u64>,
    /// Requests of the peer without an answer.
    owed: Vec<RequestId>,
    tags: BTreeSet<(u64, u64)>,
    has_said_erq: bool,
    has_said_eof: bool,
    is_over: bool,
}

impl End {
    fn new() -> Self {
        let mut end = Self::default();
        for channel in CHANNELS {
            end.state.open_channel(channel);
        }
        end
    }

    fn comes_back(&mut self, waiter: u64) {
        assert!(self.parked.remove(&waiter), "waiter {waiter} comes back twice");
    }

    fn all_come_back(&mut self, Abandoned { sent, unsent }: Abandoned<u64>) {
        sent.into_iter().chain(unsent).for_each(|waiter| self.comes_back(waiter));
        assert!(self.parked.is_empty(), "{:?} do not come back", self.parked);
    }

    fn ask(&mut self, input: &mut Input<'_>) {
        let channel = CHANNELS.get(usize::from(input.byte())).copied().unwrap_or(9);
        let waiter = self.next_waiter;
        self.next_waiter += 1;
        self.parked.insert(waiter);
        let (rq_type, flags) = (input.number(), input.number());
        if let Err((_, waiter)) = self.state.submit(channel, rq_type, flags, Bytes::new(), waiter) {
            self.comes_back(waiter);
        }
    }

    fn answer(&mut self, input: &mut Input<'_>) {
        let (index, flags) = (usize::from(input.byte()), input.number());
        let outcome = if index % 2 == 0 { Ok(Reply::from(flags)) } else { Err(Failure::new("no")) };
        if !self.owed.is_empty() {
            let id = self.owed.swap_remove(index % self.owed.len());
            self.state.respond(id, outcome);
        }
    }

    /// What it says next, if it says anything.
    fn says(&mut self) -> Option<Packet> {
        let packet = self.state.poll_transmit()?;
        assert!(!self.has_said_eof, "{packet} follows EOF");
        match packet.kind() {
            Kind::Request(_) => {
                assert!(!self.has_said_erq, "{packet} follows ERQ");
                assert!(self.tags.insert((packet.channel(), packet.tag())), "{packet} has an old tag");
            }
            Kind::Response { .. } => {}
            Kind::Control => {
                let is_eof = packet == Packet::end_of_stream();
                assert!(is_eof || !self.has_said_erq, "ERQ is said twice");
                self.has_said_erq = true;
                self.has_said_eof = is_eof;
            }
        }
        Some(packet)
    }

    fn hears(&mut self, packet: Packet) -> Result<(), ProtocolError> {
        let event = self.state.handle_packet(packet);
        match event {
            Ok(None) => {}
            Ok(Some(Event::Requested(request))) => self.owed.push(request.id),
            Ok(Some(Event::Answered { waiter, .. })) => self.comes_back(waiter),
            Ok(Some(Event::Ended(abandoned))) => self.all_come_back(abandoned),
            Err(error) => {
                self.gives_up();
                return Err(error);
            }
        }
        assert!(self.state.ignored() <= STRAYS as u64 + self.next_waiter);
        Ok(())
    }

    fn gives_up(&mut self) {
        let abandoned = self.state.abort();
        self.all_come_back(abandoned);
        self.owed.clear();
        self.is_over = true;
    }

    /// Takes a request back, as if nobody wanted it.
    fn withdraws(&mut self) {
        if let Some(waiter) = self.state.withdraw_next_if(|_| true) {
            self.comes_back(waiter);
        }
    }

    fn counts(&self) {
        assert_eq!(self.state.in_flight(), self.parked.len());
        assert!(self.state.owed() <= self.owed.len());
    }
}

/// One connection, whose peer says any packets.
pub(super) fn one(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut end = End::new();
    while !input.is_empty() {
        match input.byte() % 12 {
            0 | 1 => end.ask(&mut input),
            2 => end.answer(&mut input),
            3 => drop(end.says()),
            4 => end.state.drain(),
            5 => end.state.close(),
            6 => end.withdraws(),
            7 if input.byte() == 0 => end.gives_up(),
            8 if input.byte() == 0 => {
                let abandoned = end.state.handle_eof();
                end.all_come_back(abandoned);
            }
            _ => {
                let length = usize::from(input.byte() % 24);
                let mut stream = Bytes::copy_from_slice(input.take(length));
                let Ok(packet) = Packet::parse(&mut stream) else { continue };
                if end.hears(packet).is_err() {
                    break;
                }
            }
        }
        end.counts();
    }
    end.gives_up();
    while end.says().is_some() {}
    assert!(end.state.is_finished() && end.has_said_eof);
}

/// Two connections that keep the protocol, over streams that may hold packets up.
pub(super) fn two(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut ends = [End::new(), End::new()];
    let mut wires = [VecDeque::new(), VecDeque::new()];
    let pass = |ends: &mut [End; 2], wires: &mut [VecDeque<Packet>; 2], from: usize| {
        let Some(packet) = wires[from].pop_front() else { return false };
        ends[1 - from].hears(packet).expect("the other end keeps the protocol");
        true
    };
    while !input.is_empty() {
        let choice = input.byte();
        let this = usize::from(choice & 1);
        match choice >> 1 & 15 {
            0..4 => ends[this].ask(&mut input),
            4..6 => ends[this].answer(&mut input),
            6..10 => wires[this].extend(ends[this].says()),
            10..13 => drop(pass(&mut ends, &mut wires, this)),
            13 => ends[this].withdraws(),
            14 => ends[this].state.drain(),
            _ => ends[this].state.close(),
        }
        ends[this].counts();
    }
    for end in &mut ends {
        end.state.close();
    }
    let mut moves = true;
    while moves {
        moves = false;
        for this in [0, 1] {
            while !ends[this].owed.is_empty() {
                ends[this].answer(&mut input);
            }
            wires[this].extend(ends[this].says());
            moves |= !wires[this].is_empty() && pass(&mut ends, &mut wires, this);
        }
    }
    for end in ends {
        assert!(end.parked.is_empty(), "{:?} do not come back", end.parked);
        assert!(end.state.is_finished(), "both have closed, and everything was delivered");
    }
}
