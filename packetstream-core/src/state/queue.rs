//! Packets that wait to be sent, responses apart from requests.

use crate::packet::{Kind, Packet};
use std::collections::VecDeque;
use std::mem;

/// Two queues that take turns while both hold something.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    responses: VecDeque<Packet>,
    requests: VecDeque<Packet>,
    /// Whose turn it is.
    requests_turn: bool,
    /// Payload bytes of the responses.
    response_bytes: usize,
    /// Payload bytes of the requests.
    request_bytes: usize,
}

impl Outgoing {
    #[inline]
    pub(super) fn push_response(&mut self, packet: Packet) {
        self.response_bytes = self.response_bytes.saturating_add(packet.payload().len());
        self.responses.push_back(packet);
    }

    #[inline]
    pub(super) fn push_request(&mut self, packet: Packet) {
        seeded!(EndOfRequestsFirst => if packet.kind() == Kind::Control { return self.requests.push_front(packet) });
        self.request_bytes = self.request_bytes.saturating_add(packet.payload().len());
        self.requests.push_back(packet);
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Packet> {
        if self.is_requests_turn() { self.pop_request() } else { self.pop_response() }
    }

    /// Has what [`pop`](Self::pop) would yield written where it lies, and says whether there was anything.
    #[inline]
    pub(super) fn write(&mut self, write: impl FnOnce(&Packet)) -> bool {
        let is_request = self.is_requests_turn();
        let (queue, bytes) = if is_request {
            (&mut self.requests, &mut self.request_bytes)
        } else {
            (&mut self.responses, &mut self.response_bytes)
        };
        let Some(packet) = queue.front() else { return false };
        *bytes = bytes.saturating_sub(packet.payload().len());
        write(packet);
        queue.pop_front();
        self.requests_turn = !is_request;
        true
    }

    #[inline]
    fn is_requests_turn(&self) -> bool {
        if self.requests_turn { !self.requests.is_empty() } else { self.responses.is_empty() }
    }

    /// What [`pop`](Self::pop) would yield, if that is no response.
    pub(super) fn next_request(&self) -> Option<&Packet> {
        if self.is_requests_turn() { self.requests.front() } else { None }
    }

    /// Drops the first request. The turn stays that of the requests.
    pub(super) fn drop_request(&mut self) {
        if let Some(packet) = self.requests.pop_front() {
            self.request_bytes = self.request_bytes.saturating_sub(packet.payload().len());
        }
    }

    #[inline]
    fn pop_response(&mut self) -> Option<Packet> {
        let packet = self.responses.pop_front()?;
        self.requests_turn = true;
        self.response_bytes = self.response_bytes.saturating_sub(packet.payload().len());
        Some(packet)
    }

    #[inline]
    fn pop_request(&mut self) -> Option<Packet> {
        let packet = self.requests.pop_front()?;
        self.requests_turn = false;
        self.request_bytes = self.request_bytes.saturating_sub(packet.payload().len());
        Some(packet)
    }

    /// Takes all requests out, and the end of requests if it is among them.
    pub(super) fn take_requests(&mut self) -> VecDeque<Packet> {
        self.request_bytes = 0;
        mem::take(&mut self.requests)
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

    /// Requests, without the end markers: those come last.
    pub(super) fn requests(&self) -> usize {
        let is_marker = |packet: &&Packet| packet.kind() == Kind::Control;
        let markers = self.requests.iter().rev().take_while(is_marker).count();
        self.requests.len().saturating_sub(markers)
    }

    pub(super) fn response_bytes(&self) -> usize {
        self.response_bytes
    }

    pub(super) fn bytes(&self) -> usize {
        self.response_bytes.saturating_add(self.request_bytes)
    }
}
