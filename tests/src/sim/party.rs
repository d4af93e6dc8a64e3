//! Those who ask, who perform and who watch.

use super::invariant::Invariant;
use super::request;
use super::scenario::{Deed, End, Request, Step, Then};
use super::world::World;
use packetstream_core::{
    Call, CallError, CloseReport, Failure, Incoming, Kind, Observer, Outcome, Packet, PacketConnection, Stats,
};
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::sleep;

/// Turns of a connection's task before it must be going round in circles.
const TURNS: u64 = 2_000_000;

/// Waits for an answer, and notes what becomes of it.
struct Caller {
    world: World,
    id: usize,
    call: Call,
    is_done: bool,
}

impl Caller {
    fn new(world: &World, id: usize, call: Call) -> Self {
        let caller = Self { world: world.clone(), id, call, is_done: false };
        caller.look();
        caller
    }

    fn look(&self) {
        if !self.call.is_queued() {
            self.world.log().asked[self.id].is_handed_over = true;
        }
    }
}

impl Future for Caller {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = Pin::new(&mut self.call).poll(cx);
        self.look();
        polled.map(|result| {
            self.is_done = true;
            self.world.log().resolve(self.id, result);
        })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut log = self.world.log();
        if !self.is_done {
            log.trace.note("gone", &[self.id as u64]);
        }
        log.asked[self.id].is_gone |= !self.is_done;
    }
}

/// Sends a request, and returns its number and who waits for its answer.
pub(super) fn ask(
    world: &World,
    end: usize,
    connection: &PacketConnection,
    request: Request,
    then: Then,
) -> (usize, Pin<Box<dyn Future<Output = ()> + Send>>) {
    let patience = match then {
        Then::Timeout(ms) => Some(Duration::from_millis(ms)),
        _ => None,
    };
    let id = world.log().ask(end, request, patience);
    let (rq_type, flags) = (request::rq_type(id), request::flags(id));
    let payload = request::payload(id, &request);
    if then == Then::Reserve {
        let (place, world) = (connection.reserve(), world.clone());
        let mut gone = Gone { world: world.clone(), id, is_waiting: true };
        let caller = async move {
            let place = place.await;
            gone.wait_no_more();
            let place = match place {
                Ok(place) => place,
                Err(reason) => return world.log().resolve(id, Err(CallError::NotSent(reason))),
            };
            Caller::new(&world, id, place.submit(rq_type, flags, payload)).await;
        };
        return (id, Box::pin(caller));
    }
    let call = connection.submit(rq_type, flags, payload);
    let call = if let Some(patience) = patience { call.timeout(patience) } else { call };
    let mut caller = Caller::new(world, id, call);
    let caller: Pin<Box<dyn Future<Output = ()> + Send>> = match then {
        Then::Forget => {
            drop(caller);
            Box::pin(async {})
        }
        Then::Poll(times) => Box::pin(async move {
            for _ in 0..times {
                if poll_fn(|cx| Poll::Ready(Pin::new(&mut caller).poll(cx))).await.is_ready() {
                    return;
                }
                yield_now().await;
            }
        }),
        _ => Box::pin(caller),
    };
    (id, caller)
}

/// Somebody who waits for a place may go before there is one.
struct Gone {
    world: World,
    id: usize,
    is_waiting: bool,
}

impl Gone {
    fn wait_no_more(&mut self) {
        self.is_waiting = false;
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.world.log().asked[self.id].is_gone |= self.is_waiting;
    }
}

/// A handler that runs, until it is dropped.
struct Running(World, usize);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.log().ends[self.1].performing -= 1;
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic_quietly();
        }
    }
}

/// As handlers do, but nothing is printed.
fn panic_quietly() {
    resume_unwind(Box::new("a handler that was asked to"));
}

/// Performs a request at `end`, on this channel.
pub(super) async fn perform(
    incoming: Incoming,
    world: World,
    end: usize,
    channel: u64,
    settings: End,
) -> Outcome {
    let id = request::id_of(incoming.rq_type);
    let Some(request) = begin(&world, end, channel, &incoming, id) else {
        return Err(Failure::new("this is not what was asked"));
    };
    let _running = Running(world.clone(), end);
    let outcome = request::outcome(id, &request, &settings);
    let time = Duration::from_millis(request.ms);
    let spend = async |time| {
        world.log().impose(time);
        sleep(time).await;
    };
    match request.deed {
        Deed::Echo | Deed::Fail | Deed::TooLong => {}
        Deed::Later | Deed::FailLater => spend(time).await,
        Deed::Polls => {
            for _ in 0..request.ms {
                yield_now().await;
            }
        }
        Deed::Panic => panic_quietly(),
        Deed::PanicLater => {
            spend(time).await;
            panic_quietly();
        }
        Deed::PanicInDrop => {
            let _bomb = Bomb;
            spend(time).await;
        }
        Deed::Hang => pending().await,
        Deed::UntilCancelled => {
            // Those who are told at once are woken in an order that tokio draws lots for.
            while !incoming.is_cancelled() {
                sleep(Duration::from_millis(300)).await;
            }
        }
        Deed::AskBack | Deed::AskTwice | Deed::AskAndForget => {
            ask_back(&incoming, &world, end, request).await;
        }
        Deed::Goodbye => incoming.peer().close(),
    }
    outcome
}

/// Notes that a request is begun, if it is what was asked.
fn begin(world: &World, end: usize, channel: u64, incoming: &Incoming, id: usize) -> Option<Request> {
    let mut log = world.log();
    log.trace.note("begun", &[end as u64, id as u64]);
    let round = log.ends[end].round;
    let asked = log.asked.get_mut(id).filter(|asked| {
        asked.end != end
            && asked.round == round
            && asked.request.channel == channel
            && incoming.id.channel == channel
            && incoming.rq_type == request::rq_type(id)
            && incoming.flags == request::flags(id)
            && incoming.payload == request::payload(id, &asked.request)
    });
    let Some(asked) = asked else {
        let is_corrupt = log.is_corrupt;
        log.require(
            Invariant::AnswerMatches,
            is_corrupt,
            format_args!("end {end} was not asked {incoming:?}"),
        );
        return None;
    };
    asked.begun += 1;
    let (times, request) = (asked.begun, asked.request);
    log.require(Invariant::PerformedOnce, times == 1, format_args!("{id} is begun {times} times"));
    log.ends[end].begun.push(id);
    log.ends[end].performing += 1;
    Some(request)
}

async fn ask_back(incoming: &Incoming, world: &World, end: usize, request: Request) {
    let deed = if request.depth > 1 { request.deed } else { Deed::Later };
    let inner = Request { deed, depth: request.depth.saturating_sub(1), ..request };
    // Not with a handle, which would keep the connection open when both sides ask back what is never answered.
    let ask = |then| ask(world, end, &incoming.peer(), inner, then).1;
    match request.deed {
        Deed::AskTwice => {
            let (first, second) = (ask(Then::Wait), ask(Then::Wait));
            first.await;
            second.await;
        }
        Deed::AskAndForget => drop(ask(Then::Wait)),
        _ => ask(Then::Wait).await,
    }
}

/// Watches the connection of an end.
pub(super) struct Watch {
    pub(super) world: World,
    pub(super) end: usize,
    pub(super) settings: End,
    /// The longest payload of a request, and of an answer, that anybody sends.
    pub(super) longest: usize,
}

impl Watch {
    fn packet(&self, what: &'static str, packet: &Packet) {
        let kind = match packet.kind() {
            Kind::Request(rq_type) => rq_type + 3,
            Kind::Response { ok } => u64::from(ok),
            Kind::Control => 2,
        };
        self.world.log().trace.note(what, &[self.end as u64, packet.channel(), packet.tag(), kind]);
    }

    fn told(&self, rq_type: u64) {
        let mut log = self.world.log();
        let id = request::id_of(rq_type);
        log.trace.note("told", &[id as u64]);
        log.asked[id].told += 1;
        let told = log.asked[id].told;
        log.require(Invariant::ResolvedOnce, told == 1, format_args!("{id} has ended {told} times"));
    }

    /// What exceeds its limit.
    fn excess(&self, stats: &Stats) -> Option<&'static str> {
        let Self { settings: limits, longest, .. } = self;
        let [calls, handlers] = [limits.max_calls, limits.max_handlers].map(|limit| limit.max(1));
        let requests = handlers + limits.max_queued;
        let responses = requests + 1024 + 1;
        // What is performed may still be answered beyond the limit, and one packet is made ready at a time.
        let answers = limits.max_unsent_bytes.max(1) + (handlers + 1) * (longest + 64);
        let unsent = answers + stats.in_flight_bytes + (128 << 10) + longest + (calls + responses) * 64;
        let held = [
            ("in_flight", stats.in_flight, calls),
            ("in_flight_bytes", stats.in_flight_bytes, limits.max_call_bytes.max(*longest)),
            ("performing", stats.performing, handlers),
            ("waiting", stats.waiting, requests),
            ("performing and waiting", stats.performing + stats.waiting, requests),
            ("request_bytes", stats.request_bytes, limits.max_request_bytes.max(1) - 1 + longest),
            ("unsent_responses", stats.unsent_responses, responses),
            ("unsent_bytes", stats.unsent_bytes, unsent),
            ("abandoned", stats.abandoned, calls),
        ];
        held.iter().find(|(_, is, limit)| is > limit).map(|(what, ..)| *what)
    }
}

impl Observer for Watch {
    fn sent(&self, packet: &Packet) {
        self.packet("sent", packet);
        self.world.log().impose(Duration::from_millis(self.settings.grace));
    }

    fn received(&self, packet: &Packet) {
        self.packet("received", packet);
    }

    fn call_answered(&self, rq_type: u64, _: Duration, _: &Outcome) {
        self.told(rq_type);
    }

    fn call_unanswered(&self, rq_type: u64, _: Duration, _: &CallError) {
        self.told(rq_type);
    }

    fn turned(&self, stats: &Stats) {
        let excess = self.excess(stats);
        let mut log = self.world.log();
        if let Some(what) = excess {
            log.violate(Invariant::WithinLimits, format_args!("{what} at end {}: {stats:?}", self.end));
        }
        let is_corrupt = log.is_corrupt;
        let makes_sense = is_corrupt || stats.packets_ignored == 0;
        log.require(Invariant::PacketOrder, makes_sense, format_args!("{} ignores packets", self.end));
        let refused = stats.requests_refused.saturating_sub(log.ends[self.end].stats.requests_refused);
        // What is refused may have waited for as long as that takes.
        let wait = Duration::from_millis(2 * self.settings.stall) + Duration::from_secs(2);
        log.impose(wait * u32::try_from(refused).unwrap_or(u32::MAX));
        log.ends[self.end].stats = *stats;
        log.ends[self.end].turns += 1;
        if log.ends[self.end].turns == TURNS {
            log.violate(Invariant::EndsInTime, format_args!("end {} goes round in circles", self.end));
            drop(log);
            panic_quietly();
        }
    }

    fn ended(&self, report: &CloseReport) {
        let mut log = self.world.log();
        log.trace.note("ended", &[self.end as u64, u64::from(report.result.is_ok())]);
        let former = log.ends[self.end].ended.replace((report.clone(), tokio::time::Instant::now()));
        log.require(Invariant::ReportsAddUp, former.is_none(), format_args!("end {} ends twice", self.end));
    }
}

/// The longest payload that any request or answer of these steps has, or a refusal.
pub(super) fn longest(steps: &[Step], ends: &[End; 2]) -> usize {
    let limit = ends.iter().map(request::max_payload).max().unwrap_or(0);
    let of_steps = steps.iter().filter_map(|step| match step {
        Step::Ask { request, .. } | Step::Flood { request, .. } => Some(request.size.max(request.reply)),
        _ => None,
    });
    of_steps.max().unwrap_or(0).min(limit).max(100)
}
