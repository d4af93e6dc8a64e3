//! The shape of `spans`, for programs without the feature `tracing`: nothing is kept, nothing is done.
#![allow(clippy::unused_self, reason = "it has the shape of what does something")]

use super::super::error::CallError;
use super::super::handler::{Incoming, Panicked};
use super::super::report::CloseReport;
use crate::outcome::{Outcome, Reply};
use crate::packet::Packet;
use crate::state::RequestId;

#[derive(Clone, Debug, Default)]
pub(in crate::connection) struct Settings {}

#[derive(Debug)]
pub(in crate::connection) struct Tracer;

#[derive(Clone, Debug, Default)]
pub(in crate::connection) struct CallSpan;

#[derive(Debug)]
pub(in crate::connection) struct RequestSpan;

#[derive(Debug)]
pub(in crate::connection) struct Entered;

impl Settings {
    pub(in crate::connection) fn open(self, _: Option<&str>) -> Tracer {
        Tracer
    }
}

impl Tracer {
    pub(in crate::connection) fn call(&self, _: u64, _: u64, _: usize) -> CallSpan {
        CallSpan
    }

    pub(in crate::connection) fn request(&self, _: &Incoming) -> RequestSpan {
        RequestSpan
    }

    pub(in crate::connection) fn sent(&self, _: &Packet) {}

    pub(in crate::connection) fn received(&self, _: &Packet) {}

    pub(in crate::connection) fn refused(&self, _: RequestId, _: &str) {}

    pub(in crate::connection) fn ignored(&self, _: RequestId) {}

    pub(in crate::connection) fn withdrawn(&self) {}

    pub(in crate::connection) fn ended(&self, _: &CloseReport) {}
}

impl CallSpan {
    pub(in crate::connection) fn label(&self, _: &str) {}

    pub(in crate::connection) fn submitted(&self, _: RequestId) {}

    pub(in crate::connection) fn settle(&mut self, _: &Result<Reply, CallError>) {}

    pub(in crate::connection) fn give_up(&mut self) {}
}

impl RequestSpan {
    pub(in crate::connection) fn enter(&self) -> Entered {
        Entered
    }

    pub(in crate::connection) fn performed(&self, _: Result<&Outcome, Panicked>) {}

    pub(in crate::connection) fn give_up(&self) {}
}
