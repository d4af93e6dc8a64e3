//! Two state machines under random schedules: whatever happens, the promises hold.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use bytes::Bytes;
use packetstream_core::{Abandoned, ConnectionState, Event, Kind, Packet, Reply, RequestId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeSet, VecDeque};

/// One end, and what the world around it remembers.
#[derive(Default)]
struct End {
    state: ConnectionState<u64>,
    next_waiter: u64,
    /// Waiters that were parked and have not come back.
    parked: BTreeSet<u64>,
    /// Requests of the other end that were not answered yet.
    owed: Vec<(RequestId, Bytes)>,
    /// Packets on their way to the other end.
    wire: VecDeque<Packet>,
    /// Tags that were seen on the wire in this end's requests.
    tags: BTreeSet<(u64, u64)>,
    ended: bool,
}

const CHANNELS: [u64; 3] = [0, 1, 1 << 40];

impl End {
    fn new() -> Self {
        let mut end = Self::default();
        for channel in CHANNELS {
            end.state.open_channel(channel);
        }
        end
    }

    fn comes_back(&mut self, waiter: u64) {
        assert!(self.parked.remove(&waiter), "waiter {waiter} came back twice");
    }

    fn ask(&mut self, channel: u64) {
        let waiter = self.next_waiter;
        self.next_waiter += 1;
        self.parked.insert(waiter);
        let payload = Bytes::copy_from_slice(&waiter.to_be_bytes());
        if let Err((_, waiter)) = self.state.submit(channel, waiter % 7, 0, payload, waiter) {
            self.comes_back(waiter);
        }
    }

    fn answer(&mut self, index: usize) {
        if !self.owed.is_empty() {
            let (id, payload) = self.owed.swap_remove(index % self.owed.len());
            self.state.respond(id, Ok(Reply::from(payload)));
        }
    }

    fn transmit(&mut self) {
        if let Some(packet) = self.state.poll_transmit() {
            if let Kind::Request(_) = packet.kind() {
                let tag = (packet.channel(), packet.tag());
                assert!(self.tags.insert(tag), "tag {tag:?} was sent twice");
            }
            self.wire.push_back(packet);
        }
    }

    fn receive(&mut self, packet: Packet) {
        assert!(!self.ended, "a packet followed the last one: {packet}");
        match self.state.handle_packet(packet).expect("the peer keeps the protocol") {
            None => {}
            Some(Event::Requested(request)) => self.owed.push((request.id, request.payload)),
            Some(Event::Answered { waiter, outcome }) => {
                let reply = outcome.expect("answered ok");
                assert_eq!(reply.payload, waiter.to_be_bytes()[..], "the answer to another request");
                self.comes_back(waiter);
            }
            Some(Event::Ended(Abandoned { sent, unsent })) => {
                self.ended = true;
                for waiter in sent.into_iter().chain(unsent) {
                    self.comes_back(waiter);
                }
            }
        }
    }
}

/// Moves packets and answers until nothing moves.
fn settle(ends: &mut [End; 2]) {
    loop {
        let [a, b] = ends;
        a.answer(0);
        b.answer(0);
        a.transmit();
        b.transmit();
        let moved = [
            a.wire.pop_front().map(|packet| b.receive(packet)),
            b.wire.pop_front().map(|packet| a.receive(packet)),
        ];
        if moved == [None, None] && a.owed.is_empty() && b.owed.is_empty() {
            break;
        }
    }
}

/// One life of two ends; returns how many steps it took.
fn life(rng: &mut StdRng) -> u64 {
    let mut ends = [End::new(), End::new()];
    let steps = 50 + u64::from(rng.next_u32() % 400);
    for _ in 0..steps {
        let dice = rng.next_u32();
        let [end, other] = {
            let [a, b] = &mut ends;
            if dice & 1 == 0 { [a, b] } else { [b, a] }
        };
        let pick = (dice >> 8) as usize;
        match (dice >> 1) % 100 {
            0..30 => end.ask(CHANNELS[pick % 3]),
            30..55 => end.answer(pick),
            55..75 => end.transmit(),
            75..99 => {
                if let Some(packet) = end.wire.pop_front() {
                    other.receive(packet);
                }
            }
            _ => end.state.close(),
        }
    }
    for end in &mut ends {
        end.state.close();
    }
    settle(&mut ends);
    for end in &ends {
        assert!(end.state.is_finished(), "both have closed, all was delivered");
        assert_eq!(end.parked, BTreeSet::new(), "waiters that never came back");
    }
    steps
}

// Rules: W-26, W-29, R-1, L-4, L-5
#[test]
fn whatever_the_schedule_waiters_return_once_tags_are_new_and_both_ends_finish() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut steps = 0;
    while steps < 150_000 {
        steps += life(&mut rng);
    }
}
