//! Requests of the peer that wait to be performed.

use crate::state::Requested;
use std::collections::VecDeque;

/// A queue that knows how much its payloads hold.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    requests: VecDeque<Requested>,
    bytes: usize,
}

impl Backlog {
    pub(super) fn push(&mut self, request: Requested) {
        self.bytes += request.payload.len();
        self.requests.push_back(request);
    }

    pub(super) fn pop(&mut self) -> Option<Requested> {
        let request = self.requests.pop_front()?;
        self.bytes -= request.payload.len();
        Some(request)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
