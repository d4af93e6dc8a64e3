//! Work, and how fast it is done.

use crate::contenders::{self, BothWays, Contender, Small};
use crate::stage::{End, Stage, Took, Watch};
use bytes::Bytes;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Calls between looks at the clock.
pub(crate) const BETWEEN_LOOKS: u64 = 8;
/// Payloads of more bytes are not made anew for each call.
const BULK: usize = 1024;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) in_flight: usize,
    pub(crate) payload: usize,
    pub(crate) both_ways: bool,
    /// Each with so many calls in flight.
    pub(crate) connections: usize,
}

impl Work {
    const fn calls(name: &'static str, in_flight: usize) -> Self {
        Self { name, in_flight, payload: size_of::<Small>(), both_ways: false, connections: 1 }
    }

    const fn crowd(name: &'static str, connections: usize) -> Self {
        Self { connections, ..Self::calls(name, 1) }
    }

    const fn bulk(name: &'static str, payload: usize) -> Self {
        Self { name, in_flight: 8, payload, both_ways: false, connections: 1 }
    }
}

/// The longest payload, as long as our default limits let it be, with a header, in 16 MiB.
pub(crate) const LONGEST: usize = (16 << 20) - 64;

pub(crate) const W1: Work = Work::calls("W1", 1);
pub(crate) const W2_64: Work = Work::calls("W2-64", 64);
pub(crate) const W2_1024: Work = Work::calls("W2-1024", 1024);
pub(crate) const W3_MIB: Work = Work::bulk("W3 1 MiB", 1 << 20);
pub(crate) const W4: Work = Work { both_ways: true, ..Work::calls("W4", 64) };

/// All of it on one connection.
pub(crate) const WORKS: &[Work] = &[
    W1,
    Work::calls("W2-1", 1),
    W2_64,
    W2_1024,
    Work::calls("W2-16384", 16384),
    Work::bulk("W3 64 KiB", 64 << 10),
    W3_MIB,
    Work::bulk("W3 16 MiB", LONGEST),
    W4,
];

/// Connections of which both ends fit into the 20,000 files that many systems let a process have.
pub(crate) const MANY: usize = 9_900;

/// The cost of a call as connections grow, with one call in flight on each.
pub(crate) const W7_CONNECTIONS: &[Work] = &[
    Work::crowd("1", 1),
    Work::crowd("10", 10),
    Work::crowd("100", 100),
    Work::crowd("1000", 1000),
    Work::crowd("9900", MANY),
];

/// The cost of a call as calls in flight grow, on one connection.
pub(crate) const W7_IN_FLIGHT: &[Work] = &[
    Work::calls("1", 1),
    Work::calls("10", 10),
    Work::calls("100", 100),
    Work::calls("1000", 1000),
    Work::calls("10000", 10_000),
    Work::calls("100000", 100_000),
];

/// How much was done in what time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) calls: u64,
    pub(crate) took: Took,
}

/// What does some work for some time, if it can.
pub(crate) type Measure = fn(Stage, Work, Duration) -> Option<Done>;

/// Calls until then over all connections, and says how many.
async fn callers<C: Contender>(clients: Vec<C::Client>, work: Work, until: Instant) -> u64 {
    let mut callers = JoinSet::new();
    for (connection, client) in clients.iter().enumerate() {
        for caller in 0..work.in_flight {
            let (client, caller) = (client.clone(), connection * work.in_flight + caller);
            if work.payload < BULK {
                callers.spawn(small::<C>(client, caller as u64, until));
            } else {
                callers.spawn(bulk::<C>(client, caller, work.payload, until));
            }
        }
    }
    let mut calls = 0;
    while let Some(done) = callers.join_next().await {
        calls += done.expect("every call is answered");
    }
    calls
}

/// One caller of small calls, each with bytes of its own.
async fn small<C: Contender>(client: C::Client, caller: u64, until: Instant) -> u64 {
    let mut calls = 0_u64;
    loop {
        for _ in 0..BETWEEN_LOOKS {
            let sent = (u128::from(caller) << 64 | u128::from(calls)).to_le_bytes();
            assert_eq!(C::small(&client, sent).await, sent, "what was sent comes back");
            calls += 1;
        }
        if Instant::now() >= until {
            return calls;
        }
    }
}

/// One caller of large calls, with bytes of its own.
pub(crate) async fn bulk<C: Contender>(
    client: C::Client,
    caller: usize,
    length: usize,
    until: Instant,
) -> u64 {
    let payload: Bytes = (0..length).map(|n| (n + caller * 37) as u8).collect();
    let mut calls = 0;
    while Instant::now() < until {
        let answer = C::bulk(&client, payload.clone()).await;
        assert!(answer == payload, "what was sent comes back");
        calls += 1;
    }
    calls
}

/// One direction.
pub(crate) fn one_way<C: Contender>(stage: Stage, work: Work, time: Duration) -> Option<Done> {
    if work.both_ways || work.payload > C::LONGEST {
        return None;
    }
    let (here, there) = ends(stage, work);
    let serve = move || async move {
        let servers: Vec<_> = there.into_iter().map(|end| tokio::spawn(C::serve(end.enter()))).collect();
        for server in servers {
            server.await.expect("the server does not panic");
        }
    };
    let ask = move || async move {
        let mut clients = Vec::with_capacity(work.connections);
        for end in here {
            let client = C::connect(end.enter()).await;
            warm_up::<C>(&client).await;
            clients.push(client);
        }
        let watch = Watch::start();
        let calls = callers::<C>(clients, work, Instant::now() + time).await;
        Done { calls, took: watch.took() }
    };
    Some(stage.perform(serve, ask))
}

/// Connections, by their ends.
fn ends(stage: Stage, work: Work) -> (Vec<End>, Vec<End>) {
    (0..work.connections).map(|_| stage.ends()).unzip()
}

/// The first call, which sets up what later ones find.
pub(crate) async fn warm_up<C: Contender>(client: &C::Client) {
    let sent = Small::default();
    assert_eq!(C::small(client, sent).await, sent, "what was sent comes back");
}

/// Both directions where the work says so.
pub(crate) fn either_way<C: BothWays>(stage: Stage, work: Work, time: Duration) -> Option<Done> {
    if !work.both_ways {
        return one_way::<C>(stage, work, time);
    }
    let (here, there) = stage.ends();
    // Each end counts its own calls; neither ends before both have asked their last.
    let (theirs, from_there) = tokio::sync::oneshot::channel();
    let (done, until_done) = tokio::sync::oneshot::channel::<()>();
    let serve = move || async move {
        let client = C::meet(there.enter(), false).await;
        warm_up::<C>(&client).await;
        let calls = callers::<C>(vec![client.clone()], work, Instant::now() + time).await;
        theirs.send(calls).expect("somebody waits");
        until_done.await.ok();
        drop(client);
    };
    let ask = move || async move {
        let client = C::meet(here.enter(), true).await;
        warm_up::<C>(&client).await;
        let watch = Watch::start();
        let calls = callers::<C>(vec![client.clone()], work, Instant::now() + time).await;
        let calls = calls + from_there.await.expect("the other end is well");
        let took = watch.took();
        done.send(()).ok();
        Done { calls, took }
    };
    Some(stage.perform(serve, ask))
}

/// The limit: whole batches.
#[allow(clippy::unnecessary_wraps, reason = "it is a `Measure`")]
pub(crate) fn limit(stage: Stage, work: Work, time: Duration) -> Option<Done> {
    let (here, there) = stage.ends();
    let payload: Vec<u8> = (0..work.payload).map(|n| n as u8).collect();
    if work.both_ways {
        let theirs = payload.clone();
        let (sender, from_there) = tokio::sync::oneshot::channel();
        let serve = move || async move {
            let calls =
                contenders::limit::meet(there.enter(), Instant::now() + time, work.in_flight, &theirs).await;
            sender.send(calls).ok();
        };
        let ask = move || async move {
            let watch = Watch::start();
            let until = Instant::now() + time;
            let calls = contenders::limit::meet(here.enter(), until, work.in_flight, &payload).await;
            let calls = calls + from_there.await.expect("the other end is well");
            Done { calls, took: watch.took() }
        };
        return Some(stage.perform(serve, ask));
    }
    let ask = move || async move {
        let watch = Watch::start();
        let until = Instant::now() + time;
        let calls = contenders::limit::ask(here.enter(), until, work.in_flight, &payload).await;
        Done { calls, took: watch.took() }
    };
    Some(stage.perform(move || contenders::limit::serve(there.enter()), ask))
}

/// Raw tokio, which knows one call in flight.
pub(crate) fn raw(stage: Stage, work: Work, time: Duration) -> Option<Done> {
    if work.in_flight > 1 {
        return None;
    }
    let (here, there) = ends(stage, work);
    let serve = move || async move {
        let servers: JoinSet<()> = there.into_iter().map(|end| contenders::raw::serve(end.enter())).collect();
        servers.join_all().await;
    };
    let ask = move || async move {
        let streams: Vec<_> = here.into_iter().map(End::enter).collect();
        let watch = Watch::start();
        let until = Instant::now() + time;
        let callers: JoinSet<u64> =
            streams.into_iter().map(|stream| contenders::raw::ask(stream, until)).collect();
        let calls = callers.join_all().await.into_iter().sum();
        Done { calls, took: watch.took() }
    };
    Some(stage.perform(serve, ask))
}

/// The same on threads that block.
pub(crate) fn raw_blocking(stage: Stage, work: Work, time: Duration) -> Option<Done> {
    if work.in_flight > 1 {
        return None;
    }
    Some(stage.perform_blocking(contenders::raw::serve_blocking, move |stream| {
        let watch = Watch::start();
        let calls = contenders::raw::ask_blocking(stream, Instant::now() + time);
        Done { calls, took: watch.took() }
    }))
}
