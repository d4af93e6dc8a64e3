//! Packets that wait to be sent, responses apart from requests.

use crate::packet::Packet;
use std::collections::VecDeque;
use std::mem;

/// Two queues that take turns while both hold something.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    responses: VecDeque<Packet>,
    requests: VecDeque<Packet>,
    /// Whose turn it is.
    requests_turn: bool,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn push_response(&mut self, packet: Packet) {
        self.bytes = self.bytes.saturating_add(packet.payload().len());
        self.responses.push_back(packet);
    }

    pub(super) fn push_request(&mut self, packet: Packet) {
        self.bytes = self.bytes.saturating_add(packet.payload().len());
        self.requests.push_back(packet);
    }

    pub(super) fn pop(&mut self) -> Option<Packet> {
        let (first, second) = if self.requests_turn {
            (&mut self.requests, &mut self.responses)
        } else {
            (&mut self.responses, &mut self.requests)
        };
        let packet = first.pop_front().or_else(|| second.pop_front())?;
        self.requests_turn = !self.requests_turn;
        self.bytes = self.bytes.saturating_sub(packet.payload().len());
        Some(packet)
    }

    /// Takes all requests out, and the end of requests if it is among them.
    pub(super) fn take_requests(&mut self) -> VecDeque<Packet> {
        let requests = mem::take(&mut self.requests);
        let bytes = requests.iter().map(|packet| packet.payload().len());
        self.bytes = bytes.fold(self.bytes, usize::saturating_sub);
        requests
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.responses.is_empty() && self.requests.is_empty()
    }

    pub(super) fn responses(&self) -> usize {
        self.responses.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
