//! Whole lives of connections at random: two sides ask, wait, give up, drain, close, abort and vanish in any order.
//! Everything that waits comes back, and what both sides say of it adds up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::in_time;
use packetstream_core::{
    Call, CallError, CloseReport, Ended, EndedBy, Failure, Incoming, Limits, Observer, Outcome,
    PacketConnection, Reply, Stats,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{DuplexStream, duplex};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

const LIVES: u64 = 400;
const STEPS: usize = 60;
const CHANNEL: u64 = 7;

/// What handlers do with a request, by its type.
const ECHO: u64 = 0;
const LATER: u64 = 1;
const NEVER: u64 = 2;
const FAIL: u64 = 3;
const ASK_BACK: u64 = 4;
const UNTIL_CANCELLED: u64 = 5;
const TYPES: u64 = 6;

/// The numbers of the requests that were begun to be performed, on either side.
type Performed = Arc<Mutex<BTreeSet<u64>>>;

async fn perform(request: Incoming, performed: Performed) -> Outcome {
    let id = request.payload.first_chunk().copied().map_or(u64::MAX, u64::from_be_bytes);
    assert!(id == u64::MAX || performed.lock().unwrap().insert(id), "request {id} is performed twice");
    match request.rq_type {
        LATER => sleep(Duration::from_millis(id % 700)).await,
        NEVER => std::future::pending().await,
        FAIL => return Err(Failure::new("as asked")),
        ASK_BACK => {
            // Not with a handle, which would keep the connection open when both sides ask back what is never answered.
            let back = request.peer().submit(id % 4, 0, "");
            return back.await.map_err(|error| Failure::new(error.to_string()));
        }
        UNTIL_CANCELLED => request.cancelled().await,
        _ => assert_eq!(request.rq_type, ECHO),
    }
    Ok(Reply::from(request.payload))
}

/// Remembers how a connection has ended, without being a handle that keeps it open.
#[derive(Clone, Default)]
struct Obituary(Arc<Mutex<Option<CloseReport>>>);

impl Observer for Obituary {
    fn ended(&self, report: &CloseReport) {
        let former = self.0.lock().unwrap().replace(report.clone());
        assert!(former.is_none(), "a connection ends once");
    }
}

/// One side, and what it waits for.
struct Side {
    connection: Option<PacketConnection>,
    obituary: Obituary,
    driver: JoinHandle<Ended<DuplexStream>>,
    calls: Vec<JoinHandle<(u64, Result<Reply, CallError>)>>,
    barriers: Vec<JoinHandle<()>>,
    /// Wait for the peer's goodbye, each with a handle.
    listeners: Vec<JoinHandle<()>>,
}

impl Side {
    fn new(rng: &mut StdRng, stream: DuplexStream, performed: &Performed) -> Self {
        let limits = Limits {
            max_calls: rng.random_range(1..6),
            max_call_bytes: rng.random_range(0..400),
            max_handlers: rng.random_range(1..5),
            max_queued: rng.random_range(0..4),
            max_request_bytes: rng.random_range(0..400),
            max_unsent_bytes: rng.random_range(0..400),
            ..Limits::default()
        };
        let handler = || {
            let performed = Arc::clone(performed);
            move |request| perform(request, Arc::clone(&performed))
        };
        let obituary = Obituary::default();
        let builder = PacketConnection::builder()
            .limits(limits)
            .handler(handler())
            .channel(CHANNEL, handler())
            .packet_grace(Duration::from_millis(5 * rng.random_range(0..2)))
            .observer(obituary.clone());
        let (connection, driver) = builder.build(stream);
        let driver = tokio::spawn(driver.run());
        Self {
            connection: Some(connection),
            obituary,
            driver,
            calls: Vec::new(),
            barriers: Vec::new(),
            listeners: Vec::new(),
        }
    }

    /// Does something, with a request of this number if it is one.
    fn step(&mut self, rng: &mut StdRng, id: u64) {
        let Some(connection) = &self.connection else { return };
        let asking = connection.channel(rng.random_range(0..2) * CHANNEL);
        let rq_type = rng.random_range(0..TYPES);
        let mut payload = id.to_be_bytes().to_vec();
        payload.resize(8 + rng.random_range(0..100), 0);
        let mut wait_for = |call: Call| self.calls.push(tokio::spawn(async move { (id, call.await) }));
        match rng.random_range(0..100) {
            0..40 => wait_for(asking.submit(rq_type, 0, payload)),
            40..55 => {
                let limit = Duration::from_millis(rng.random_range(0..900));
                wait_for(asking.submit(rq_type, 0, payload).timeout(limit));
            }
            55..65 => drop(asking.submit(rq_type, 0, payload)),
            65..72 => {
                let place = asking.reserve();
                self.calls.push(tokio::spawn(async move {
                    match place.await {
                        Ok(place) => (id, place.submit(rq_type, 0, payload).await),
                        Err(reason) => (id, Err(reason.into())),
                    }
                }));
            }
            72..80 => self.barriers.push(tokio::spawn(connection.barrier())),
            80..86 => {
                if let Some(call) = self.calls.pop() {
                    call.abort();
                }
            }
            86..88 => {
                let connection = connection.clone();
                self.listeners.push(tokio::spawn(async move { connection.peer_drained().await }));
            }
            88..91 => connection.drain(),
            91 => connection.close(),
            92 => connection.abort(),
            93 => self.driver.abort(),
            94 => {
                self.connection = None;
                self.listeners.drain(..).for_each(|listener| listener.abort());
            }
            _ => {}
        }
    }

    /// Waits until nobody waits, and checks what callers and this side say.
    async fn end(self, performed: &Performed) -> CloseReport {
        if let Some(connection) = &self.connection {
            connection.close();
        }
        // It may have been aborted.
        let _ = self.driver.await;
        for call in self.calls {
            // As well.
            let Ok((id, result)) = call.await else { continue };
            let performed = performed.lock().unwrap().contains(&id);
            match result {
                Ok(_) => assert!(performed, "{id} has an answer"),
                Err(CallError::NotSent(reason)) => assert!(!performed, "{id}: {reason:?}"),
                Err(_) => {}
            }
        }
        for wait in self.barriers.into_iter().chain(self.listeners) {
            wait.await.unwrap();
        }
        let report = self.obituary.0.lock().unwrap().take().unwrap();
        adds_up(&report);
        if let Some(connection) = self.connection {
            holds_nothing(&connection.stats());
        }
        report
    }
}

fn adds_up(report: &CloseReport) {
    let CloseReport { result, calls_lost, calls_unsent, requests_unanswered, stats, .. } = report;
    let ends = stats.calls_ok + stats.calls_failed + stats.calls_withdrawn + calls_lost + calls_unsent;
    assert_eq!(stats.calls, ends, "{report:?}");
    let ends = stats.requests_answered + stats.requests_refused + requests_unanswered;
    assert!(stats.requests_answered <= stats.requests && stats.requests <= ends, "{report:?}");
    assert!(stats.requests_failed <= stats.requests_answered, "{report:?}");
    assert_eq!(stats.requests_panicked, 0, "{report:?}");
    assert!(result.is_err() || *requests_unanswered == 0, "{report:?}");
}

fn holds_nothing(stats: &Stats) {
    let counts = [stats.in_flight, stats.queued, stats.abandoned, stats.performing, stats.waiting];
    let sizes = [stats.in_flight_bytes, stats.request_bytes, stats.unsent_responses, stats.unsent_bytes];
    assert_eq!((counts, sizes, stats.oldest_handler), ([0; 5], [0; 4], None), "{stats:?}");
}

/// Checks what one side says against what the other does.
fn fits(ours: &CloseReport, theirs: &CloseReport) {
    let both = format!("{ours:?} {theirs:?}");
    let sent = ours.stats.calls - ours.stats.calls_withdrawn - ours.calls_unsent;
    let heard = theirs.stats.requests_answered + theirs.stats.requests_refused;
    assert!(theirs.stats.requests <= sent, "{both}");
    assert!(ours.stats.calls_ok + ours.stats.calls_failed <= heard, "{both}");
    assert_eq!(ours.stats.packets_ignored, 0, "{both}");
    if ours.result.is_ok() && theirs.result.is_ok() {
        assert_eq!(ours.stats.packets_sent, theirs.stats.packets_received, "{both}");
        assert_eq!(ours.stats.bytes_sent, theirs.stats.bytes_received, "{both}");
        assert_ne!(ours.ended_by, EndedBy::Transport, "{both}");
    }
}

async fn live(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let performed = Performed::default();
    let (here, there) = duplex([1, 16, 100, 1 << 16][rng.random_range(0..4)]);
    let mut sides = [here, there].map(|stream| Side::new(&mut rng, stream, &performed));
    let steps = rng.random_range(0..STEPS);
    for id in 0..steps as u64 {
        sides[rng.random_range(0..2)].step(&mut rng, id);
        match rng.random_range(0..3) {
            0 => yield_now().await,
            1 => sleep(Duration::from_millis(rng.random_range(0..300))).await,
            _ => {}
        }
    }
    let [ours, theirs] = sides;
    let (ours, theirs) = tokio::join!(ours.end(&performed), theirs.end(&performed));
    fits(&ours, &theirs);
    fits(&theirs, &ours);
}

/// Says which life it was that failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed was {}", self.0);
        }
    }
}

// Rules: R-1
#[test]
fn whatever_happens_everybody_hears_of_the_end_and_the_numbers_add_up() {
    let first = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let lives = first.map_or(LIVES, |_| 1);
    let first = first.unwrap_or_else(|| rand::random_range(0..u64::MAX - LIVES));
    for seed in first..first + lives {
        let _seed = Seed(seed);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(in_time(live(seed)));
    }
}
