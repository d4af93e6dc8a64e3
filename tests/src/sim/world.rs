//! What has happened in a simulation, so far.

use super::invariant::{Invariant, Violation};
use super::scenario::Request;
use super::trace::Trace;
use packetstream_core::{CallError, CloseReport, NotSent, Reply, Stats};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What all that is simulated shares.
#[derive(Clone, Debug)]
pub(super) struct World(Arc<Mutex<Log>>);

/// The past of a simulation.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) trace: Trace,
    /// By their numbers.
    pub(super) asked: Vec<Asked>,
    pub(super) violations: Vec<Violation>,
    /// Time that was spent on purpose, all in all: nothing else may take some.
    pub(super) imposed: Duration,
    pub(super) ends: [EndLog; 2],
    /// Packets that were sent, all in all.
    pub(super) packets: u64,
    /// Whether what arrives may be other than what was sent.
    pub(super) is_corrupt: bool,
}

/// What has happened at one end, in this round.
#[derive(Debug, Default)]
pub(super) struct EndLog {
    pub(super) round: u32,
    /// Requests of the other end, in the order in which they were begun.
    pub(super) begun: Vec<usize>,
    /// Handlers that run.
    pub(super) performing: usize,
    pub(super) stats: Stats,
    pub(super) turns: u64,
    pub(super) ended: Option<(CloseReport, Instant)>,
}

/// A request, and what became of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) end: usize,
    pub(super) round: u32,
    pub(super) request: Request,
    /// How long its caller waits, if not for ever.
    pub(super) patience: Option<Duration>,
    /// Whether the connection has it.
    pub(super) is_handed_over: bool,
    /// Whether its caller has gone.
    pub(super) is_gone: bool,
    /// How often a handler has begun to perform it.
    pub(super) begun: u32,
    /// How often the connection has said what came of it.
    pub(super) told: u32,
    /// What its caller was told.
    pub(super) result: Option<Result<Reply, CallError>>,
}

impl World {
    pub(super) fn new(is_traced: bool, is_corrupt: bool) -> Self {
        Self(Arc::new(Mutex::new(Log {
            trace: Trace::new(is_traced),
            asked: Vec::new(),
            violations: Vec::new(),
            imposed: Duration::ZERO,
            ends: <[EndLog; 2]>::default(),
            packets: 0,
            is_corrupt,
        })))
    }

    /// Not to be held while anything else is done.
    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// A new request.
    pub(super) fn ask(&mut self, end: usize, request: Request, patience: Option<Duration>) -> usize {
        let id = self.asked.len();
        self.trace.note("asked", &[end as u64, id as u64]);
        self.asked.push(Asked {
            end,
            round: self.ends[end].round,
            request,
            patience,
            is_handed_over: false,
            is_gone: false,
            begun: 0,
            told: 0,
            result: None,
        });
        id
    }

    /// Its caller has heard what came of it.
    pub(super) fn resolve(&mut self, id: usize, result: Result<Reply, CallError>) {
        if let Err(CallError::NotSent(NotSent::NoTurn(waited))) = result {
            // Others may have waited as long, for it to go.
            self.impose(waited * 2);
        }
        let asked = &mut self.asked[id];
        self.trace.note("resolved", &[id as u64, result_number(&result)]);
        if asked.result.replace(result).is_some() {
            self.violate(Invariant::ResolvedOnce, format_args!("{id} is resolved twice"));
        }
    }

    /// Takes note of time that is spent on purpose.
    pub(super) fn impose(&mut self, time: Duration) {
        self.imposed += time;
    }

    pub(super) fn violate(&mut self, invariant: Invariant, what: impl fmt::Display) {
        // More of a kind say nothing new.
        if self.violations.iter().filter(|violation| violation.invariant == invariant).count() < 2 {
            self.violations.push(Violation { invariant, what: what.to_string() });
        }
    }

    pub(super) fn require(&mut self, invariant: Invariant, holds: bool, what: impl fmt::Display) {
        if !holds {
            self.violate(invariant, what);
        }
    }
}

/// Another number for each kind of result.
fn result_number(result: &Result<Reply, CallError>) -> u64 {
    match result {
        Ok(_) => 0,
        Err(CallError::Failed(_)) => 1,
        Err(CallError::NotSent(_)) => 2,
        Err(CallError::Unanswered(_)) => 3,
        Err(CallError::Lost(_)) => 4,
        Err(_) => 5,
    }
}
