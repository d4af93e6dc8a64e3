//! One simulation: both ends, in one thread, in time of their own.

use super::invariant::{Invariant, Violation};
use super::oracle::{self, Ending};
use super::party::{self, Watch};
use super::pipe::{self, Pipe, Port};
use super::quiet;
use super::scenario::{CHANNEL, End, Request, Scenario, Step, Then};
use super::world::{EndLog, World};
use bytes::Bytes;
use packetstream_core::{Ended, Incoming, Limits, PacketConnection};
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle, yield_now};
use tokio::time::{Instant, advance, sleep, timeout_at};

/// What may still be under way of the time that was spent on purpose before anything is waited for.
const UNDER_WAY: Duration = Duration::from_secs(30);

/// What came of a simulation.
#[derive(Clone, Debug)]
pub struct Run {
    /// What does not hold; nothing if all is well.
    pub violations: Vec<Violation>,
    /// Requests that were made.
    pub calls: u64,
    /// Packets that were sent.
    pub packets: u64,
    /// Another number for each course of events: all bytes, events and times.
    pub hash: u64,
    /// The same in words, if it was to be kept.
    pub trace: Vec<String>,
}

/// Runs a scenario, and keeps its trace in words if `is_traced`.
#[must_use]
pub fn run(scenario: &Scenario, is_traced: bool) -> Run {
    let world = World::new(is_traced, scenario.is_corrupt());
    let ((), panics) = quiet::listen(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        match runtime {
            Ok(runtime) => runtime.block_on(Simulation { scenario, world: world.clone() }.play()),
            Err(error) => world.log().violate(Invariant::NoPanic, error),
        }
    });
    let mut log = world.log();
    for panic in panics {
        log.violate(Invariant::NoPanic, panic);
    }
    let (hash, trace) = log.trace.finish();
    let violations = std::mem::take(&mut log.violations);
    Run { violations, calls: log.asked.len() as u64, packets: log.packets, hash, trace }
}

struct Simulation<'a> {
    scenario: &'a Scenario,
    world: World,
}

/// One end of a connection, and who waits there.
struct Side {
    connection: Option<PacketConnection>,
    driver: JoinHandle<Option<Ended<Port>>>,
    /// What was read before there was a connection.
    unread: usize,
    callers: Vec<JoinHandle<()>>,
    barriers: Vec<JoinHandle<()>>,
    /// Wait for the peer's goodbye, each with a handle.
    listeners: Vec<JoinHandle<()>>,
}

/// Lets all others run until this holds, or they have run often enough.
async fn others_run_until(is_so: impl Fn() -> bool) {
    for _ in 0..50 {
        if is_so() {
            return;
        }
        yield_now().await;
    }
}

impl Simulation<'_> {
    async fn play(&self) {
        let Scenario { links, seed, rounds, ends, .. } = self.scenario;
        let (ports, pipes) = pipe::connect(links, *seed, &self.world);
        let [a, b] = ports;
        let mut sides = [self.begin(0, a, Bytes::new()), self.begin(1, b, Bytes::new())];
        let hand_back = ends.iter().all(|end| !end.shuts_down);
        let rounds = if self.scenario.is_healthy() && hand_back { *rounds } else { 1 };
        for round in 1..=rounds {
            for step in &self.scenario.steps {
                self.step(*step, &mut sides).await;
            }
            let Some(next) = self.end(&mut sides, &pipes, round < rounds).await else { break };
            sides = next;
        }
        drop(sides);
        let tasks = || Handle::current().metrics().num_alive_tasks();
        others_run_until(|| tasks() == 0).await;
        let mut log = self.world.log();
        let tasks = tasks();
        log.require(Invariant::NothingLeft, tasks == 0, format_args!("{tasks} tasks are left"));
        for end in 0..2 {
            let left = log.ends[end].performing;
            log.require(Invariant::NothingLeft, left == 0, format_args!("{left} handlers are left at {end}"));
        }
    }

    /// Makes a connection over a port and what was read from it.
    fn begin(&self, end: usize, port: Port, unread: Bytes) -> Side {
        let settings = self.scenario.ends[end];
        let builder = PacketConnection::builder()
            .limits(limits(&settings))
            .packet_grace(Duration::from_millis(settings.grace))
            .handler(self.handler(end, 0))
            .channel(CHANNEL, self.handler(end, CHANNEL))
            .observer(Watch {
                world: self.world.clone(),
                end,
                settings,
                longest: party::longest(&self.scenario.steps, &self.scenario.ends),
            });
        let read_before = unread.len();
        let (connection, driver) = builder.unread(unread).build(port);
        let driver = tokio::spawn(async move {
            if settings.shuts_down {
                driver.run_and_shut_down().await;
                return None;
            }
            let ended = driver.run().await;
            ended.transport.rest();
            Some(ended)
        });
        Side {
            connection: Some(connection),
            driver,
            unread: read_before,
            callers: Vec::new(),
            barriers: Vec::new(),
            listeners: Vec::new(),
        }
    }

    fn handler(&self, end: usize, channel: u64) -> impl packetstream_core::Handler + use<> {
        let (world, settings) = (self.world.clone(), self.scenario.ends[end]);
        move |incoming: Incoming| party::perform(incoming, world.clone(), end, channel, settings)
    }

    async fn step(&self, step: Step, sides: &mut [Side; 2]) {
        self.world.log().trace.note("step", &[]);
        match step {
            Step::Ask { end, then, request } => self.ask(end, &mut sides[end], request, then),
            Step::Flood { end, count, then, request } => {
                for _ in 0..count {
                    self.ask(end, &mut sides[end], request, then);
                }
            }
            Step::GiveUp { end, nth } => {
                let callers = &sides[end].callers;
                if let Some(caller) = callers.iter().nth_back(nth) {
                    caller.abort();
                }
            }
            Step::Barrier(end) => self.barrier(end, &mut sides[end]),
            Step::Listen(end) => sides[end].listen(),
            Step::Drain(end) => sides[end].with(PacketConnection::drain),
            Step::Close(end) => sides[end].with(PacketConnection::close),
            Step::Abort(end) => sides[end].with(PacketConnection::abort),
            Step::DropHandle(end) => sides[end].drop_handles(),
            Step::DropDriver(end) => sides[end].driver.abort(),
            Step::Serve { end, channel } => {
                let handler = self.handler(end, channel);
                sides[end].with(|connection| connection.channel(channel).handle(handler));
            }
            Step::Sleep(ms) => sleep(Duration::from_millis(ms)).await,
            Step::Yield(times) => {
                for _ in 0..times {
                    yield_now().await;
                }
            }
            Step::Settle => self.settle(sides).await,
            Step::Jump(seconds) => {
                self.settle(sides).await;
                let jump = Duration::from_secs(seconds);
                // Where something is under way it may take too long because of a jump.
                let is_quiet = self.is_quiet(sides);
                if is_quiet || !self.scenario.is_healthy() { advance(jump).await } else { sleep(jump).await }
            }
        }
    }

    fn ask(&self, end: usize, side: &mut Side, request: Request, then: Then) {
        let Some(connection) = &side.connection else { return };
        let connection = connection.channel(request.channel);
        let (_, caller) = party::ask(&self.world, end, &connection, request, then);
        side.callers.push(tokio::spawn(caller));
    }

    fn barrier(&self, end: usize, side: &mut Side) {
        let Some(connection) = &side.connection else { return };
        let log = self.world.log();
        let round = log.ends[end].round;
        let asked = log.asked.iter().enumerate();
        let before: Vec<usize> = asked
            .filter(|(_, asked)| asked.end == end && asked.round == round && asked.is_handed_over)
            .map(|(id, _)| id)
            .collect();
        drop(log);
        let (reached, world) = (connection.barrier(), self.world.clone());
        side.barriers.push(tokio::spawn(async move {
            reached.await;
            // A handler that is dropped with its driver in this moment is dropped a task later, with its calls.
            yield_now().await;
            let mut log = world.log();
            log.trace.note("barrier", &[end as u64]);
            for id in before {
                let asked = &log.asked[id];
                let is_settled = asked.told > 0 || asked.is_gone || asked.result.is_some();
                log.require(Invariant::BarrierHolds, is_settled, format_args!("{id} is not settled"));
            }
        }));
    }

    /// Whether nothing is under way, a goodbye neither.
    fn is_quiet(&self, sides: &[Side; 2]) -> bool {
        let is_open = |side: &Side| side.connection.as_ref().is_some_and(PacketConnection::is_open);
        sides.iter().all(is_open)
            && self.world.log().ends.iter().all(|end| {
                let stats = end.stats;
                stats.in_flight + stats.performing + stats.waiting + stats.unsent_bytes == 0
            })
    }

    /// Waits until all is answered, if that is certain to happen.
    async fn settle(&self, sides: &mut [Side; 2]) {
        if !self.scenario.is_healthy() {
            return sleep(Duration::from_secs(1)).await;
        }
        for side in sides {
            let callers = std::mem::take(&mut side.callers);
            self.join(callers, self.allowance(), "is not answered").await;
        }
    }

    /// What may take time besides all that does so on purpose.
    fn allowance(&self) -> Duration {
        if !self.scenario.nests() {
            return UNDER_WAY;
        }
        let ends = self.scenario.ends.iter();
        // Handlers that wait for each other are left alone for so long.
        let stalls: u64 = ends.map(|end| 2 * end.stall).sum();
        // An answer to each may be behind a request that there is no room for, or each may be what waits for itself: then
        // every thirtieth takes as long as the first.
        let asked = u32::try_from(self.world.log().asked.len()).unwrap_or(u32::MAX);
        UNDER_WAY + (1 + asked / 30) * Duration::from_millis(stalls) + asked * Duration::from_secs(2)
    }

    /// How long a connection may take that was closed at both ends.
    fn time_to_end(&self) -> Duration {
        if self.scenario.is_healthy() {
            return self.allowance();
        }
        let ends = self.scenario.ends.iter();
        let limits: u64 = ends.map(|end| 2 * end.stall + end.answer + end.close).sum();
        UNDER_WAY + Duration::from_millis(limits)
    }

    /// Waits for tasks, which may take this time besides what is spent on purpose.
    async fn join(&self, tasks: Vec<JoinHandle<()>>, allowance: Duration, what: &str) {
        for task in tasks {
            let abort = task.abort_handle();
            if let Some(joined) = self.within(allowance, task).await {
                self.look_at(joined.err().as_ref());
            } else {
                abort.abort();
                self.world.log().violate(Invariant::EndsInTime, format_args!("somebody {what}"));
            }
        }
    }

    fn look_at(&self, error: Option<&JoinError>) {
        if error.is_some_and(JoinError::is_panic) {
            self.world.log().violate(Invariant::NoPanic, "a task has panicked");
        }
    }

    async fn within<T>(&self, allowance: Duration, work: impl Future<Output = T>) -> Option<T> {
        let (begin, before) = (Instant::now(), self.world.log().imposed);
        let mut work = pin!(work);
        loop {
            let imposed = self.world.log().imposed.saturating_sub(before);
            match timeout_at(begin + allowance + imposed, &mut work).await {
                Ok(done) => return Some(done),
                Err(_) if self.world.log().imposed > before + imposed => {}
                Err(_) => return None,
            }
        }
    }

    /// Closes both ends, waits for all that waits, and judges it all; begins anew if wanted and both have ended well.
    async fn end(&self, sides: &mut [Side; 2], pipes: &[Pipe; 2], anew: bool) -> Option<[Side; 2]> {
        for side in &*sides {
            side.with(PacketConnection::close);
        }
        let first = usize::from(self.scenario.seed & 1 == 1);
        let mut endings = [None, None];
        let mut next = [None, None];
        for end in [first, 1 - first] {
            let Some((ending, back)) = self.ending(end, &mut sides[end], pipes).await else { continue };
            // The other end may not have ended yet: what is asked now is behind its last packet.
            if anew && let Some(Ended { transport, unread, .. }) = back {
                self.world.log().anew(end);
                let mut side = self.begin(end, transport, unread);
                self.ask(end, &mut side, SMALL, Then::Wait);
                next[end] = Some(side);
            }
            endings[end] = Some(ending);
        }
        let [Some(a), Some(b)] = endings else {
            self.world.log().violate(Invariant::EndsInTime, "a connection does not end");
            return None;
        };
        for side in &mut *sides {
            let waits = [&mut side.callers, &mut side.barriers, &mut side.listeners];
            let [callers, barriers, listeners] = waits.map(std::mem::take);
            self.join(callers, Duration::from_secs(1), "waits for an answer after the end").await;
            self.join(barriers, Duration::from_secs(1), "waits for a barrier after the end").await;
            self.join(listeners, Duration::from_secs(1), "waits for a goodbye after the end").await;
        }
        for connection in sides.iter().filter_map(|side| side.connection.as_ref()) {
            let stats = connection.stats();
            let is_empty = oracle::holds_nothing(&stats);
            self.world.log().require(Invariant::NothingLeft, is_empty, format_args!("after all: {stats:?}"));
        }
        // Handlers that a connection has dropped go when their tasks have run once more.
        others_run_until(|| self.world.log().ends.iter().all(|end| end.performing == 0)).await;
        oracle::judge(self.scenario, &mut self.world.log(), &[a, b]);
        match next {
            [Some(a), Some(b)] => Some([a, b]),
            _ => None,
        }
    }

    /// Waits for the end of a connection at one end.
    async fn ending(
        &self,
        end: usize,
        side: &mut Side,
        pipes: &[Pipe; 2],
    ) -> Option<(Ending, Option<Ended<Port>>)> {
        let back = match self.within(self.time_to_end(), &mut side.driver).await {
            Some(Ok(back)) => back,
            Some(Err(error)) => {
                self.look_at(Some(&error));
                None
            }
            None => {
                side.driver.abort();
                return None;
            }
        };
        let unread = back.as_ref().map_or(0, |ended| ended.unread.len());
        let mut log = self.world.log();
        // Dropped with the connection's task, which may not have been run at all.
        let (report, at) = log.ends[end].ended.clone()?;
        let permits = side.connection.as_ref().map(|connection| format!("{connection:?}"));
        let begun = std::mem::take(&mut log.ends[end].begun);
        log.packets += report.stats.packets_sent;
        let round = log.ends[end].round;
        drop(log);
        let (tap, delivery) = (pipes[end].tap(), pipes[1 - end].delivery());
        let received = (delivery.bytes + side.unread as u64).checked_sub(unread as u64);
        Some((Ending { report, at, round, begun, tap, delivery, received, permits }, back))
    }
}

/// What is asked first of a connection over a transport that was used before.
const SMALL: Request =
    Request { channel: 0, deed: super::scenario::Deed::Echo, size: 3, reply: 3, ms: 0, depth: 0 };

impl Side {
    fn listen(&mut self) {
        if let Some(connection) = self.connection.clone() {
            self.listeners.push(tokio::spawn(async move {
                connection.peer_drained().await;
                connection.peer_closed().await;
            }));
        }
    }

    fn drop_handles(&mut self) {
        self.connection = None;
        for listener in &self.listeners {
            listener.abort();
        }
    }

    fn with(&self, act: impl FnOnce(&PacketConnection)) {
        if let Some(connection) = &self.connection {
            act(connection);
        }
    }
}

impl super::world::Log {
    /// A new connection begins at an end.
    fn anew(&mut self, end: usize) {
        let round = self.ends[end].round + 1;
        let performing = self.ends[end].performing;
        self.ends[end] = EndLog { round, performing, ..EndLog::default() };
    }
}

fn limits(end: &End) -> Limits {
    let ms = Duration::from_millis;
    Limits {
        max_packet: end.max_packet,
        max_calls: end.max_calls,
        max_call_bytes: end.max_call_bytes,
        max_handlers: end.max_handlers,
        max_queued: end.max_queued,
        max_request_bytes: end.max_request_bytes,
        max_unsent_bytes: end.max_unsent_bytes,
        stall_timeout: ms(end.stall),
        answer_timeout: ms(end.answer),
        close_timeout: ms(end.close),
    }
}
