//! Every future of a connection, of a client and of a link, dropped after each number of polls that it takes.
//!
//! Whoever goes at any point takes nothing along: no place among the calls in flight, no answer of another, nothing of
//! the goodbye.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod cases;

use cases::CASES;
use packetstream::{
    BaseRequest, Builder, Call, CallError, Client, ConnectionError, Connector, Context, Failure, Fulfil,
    Incoming, Limits, Link, NotSent, Outcome, PacketConnection, Payload, Protocol, Reply, Stream, serve,
};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

/// Calls of one side that may be in flight.
const PLACES: usize = 2;
/// How often others have a turn, at most, between the last poll and the end.
const TURNS: usize = 12;
/// No future here takes as many polls.
const MOST: usize = 100;
const MS: Duration = Duration::from_millis(1);

/// Request types: how their handler goes about it.
const AT_ONCE: u64 = 0;
const LATER: u64 = 1;
const SLOWLY: u64 = 2;
/// Such a request is more than is made up for the transport in advance: those behind it wait where they can be taken back.
const LARGE: u64 = 3;

/// The channel whose requests are of a protocol.
const TYPED: u64 = 1;

#[derive(Debug, Payload)]
struct Echo(String);

impl BaseRequest for Echo {
    type Reply = String;
    type Error = Failure;
}

#[derive(Debug, Protocol)]
enum Echoes {
    #[request(0)]
    Echo(Echo),
}

struct Server;

impl Fulfil<Echo> for Server {
    async fn fulfil(&self, Echo(text): Echo, _: Context) -> Result<String, Failure> {
        yield_now().await;
        Ok(text)
    }
}

async fn perform(request: Incoming) -> Outcome {
    match request.rq_type {
        AT_ONCE | LARGE => {}
        LATER => {
            for _ in 0..3 {
                yield_now().await;
            }
        }
        _ => sleep(10 * MS).await,
    }
    Ok(Reply::from(request.payload.slice(..4)))
}

/// A payload that begins with what is answered.
fn payload(rq_type: u64) -> Vec<u8> {
    let mut payload = b"echo".to_vec();
    if rq_type == LARGE {
        payload.resize(130 << 10, 0);
    }
    payload
}

fn builder() -> Builder {
    let limits = Limits { max_calls: PLACES, ..Limits::default() };
    PacketConnection::builder().limits(limits).handler(perform).channel(TYPED, serve::<Echoes, _>(Server))
}

/// A runtime that does the same each time, in time of its own.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_mins(2), work).await.expect("it hangs")
}

type Tried = Pin<Box<dyn Future<Output = ()>>>;

/// Polls it so often, and lets others have so many turns before it is dropped. Says whether it was done by then.
async fn poll_and_drop(mut tried: Tried, most: usize, turns: usize) -> bool {
    let mut polls = 0;
    let is_done = poll_fn(|cx| {
        if polls == most {
            return Poll::Ready(false);
        }
        polls += 1;
        match tried.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if polls == most => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    });
    let is_done = in_time(is_done).await;
    for _ in 0..turns {
        yield_now().await;
    }
    is_done
}

/// Tries all points at which a future can be dropped, each in a world of its own, and says how many polls it takes.
fn at_every_await<W: Future<Output = bool>>(name: &str, world: impl Fn(usize, usize) -> W) -> usize {
    for polls in 0..MOST {
        let mut is_done = false;
        for turns in 0..TURNS {
            is_done = runtime().block_on(world(polls, turns));
        }
        if is_done {
            eprintln!("{name}: {polls} polls");
            return polls;
        }
    }
    panic!("{name} is not done after {MOST} polls");
}

/// Two connections, and a link.
struct Stage {
    a: PacketConnection,
    b: PacketConnection,
    link: Link<Echoes>,
}

impl Stage {
    fn new() -> Self {
        let (here, there) = duplex(16);
        let open = || async {
            yield_now().await;
            let (here, there) = Stream::pair(16);
            tokio::spawn(PacketConnection::builder().handler(serve::<Echoes, _>(Server)).serve(there));
            Ok::<_, String>(here)
        };
        Self { a: builder().spawn(here), b: builder().spawn(there), link: Connector::new(open).link() }
    }

    fn client(&self) -> Client<Echoes> {
        Client::from(self.a.channel(TYPED))
    }
}

async fn echoed(call: impl Future<Output = Result<Reply, CallError>>) {
    assert_eq!(call.await.unwrap().payload, "echo");
}

/// A future to drop.
struct Case {
    name: &'static str,
    /// Other calls that are in flight, and what they are.
    others: (usize, u64),
    /// What becomes of the connection meanwhile.
    meanwhile: fn(&Stage),
    make: fn(&Stage) -> Tried,
}

impl Case {
    /// Drops the future there, and sees that nothing is missing. Says whether it was done.
    async fn dropped_after(&self, polls: usize, turns: usize) -> bool {
        let stage = Stage::new();
        let (others, rq_type) = self.others;
        let others: Vec<Call> = (0..others).map(|_| stage.a.submit(rq_type, 0, payload(rq_type))).collect();
        let tried = (self.make)(&stage);
        (self.meanwhile)(&stage);
        let is_done = poll_and_drop(tried, polls, turns).await;
        for other in others {
            match in_time(other).await {
                Ok(reply) => assert_eq!(reply.payload, "echo"),
                // The peer that closes answers what it has been asked, and no more.
                Err(error) => assert!(!stage.a.is_open(), "{}: {error:?}", self.name),
            }
        }
        if stage.a.is_open() {
            stage.all_places_are_free().await;
            stage.link_works().await;
        }
        stage.ends_well().await;
        is_done
    }
}

/// Whether a request finds a place at once.
fn has_room(connection: &PacketConnection) -> bool {
    pin!(connection.reserve()).poll(&mut std::task::Context::from_waker(Waker::noop())).is_ready()
}

impl Stage {
    async fn all_places_are_free(&self) {
        // What was given up is answered by then.
        sleep(20 * MS).await;
        let stats = self.a.stats();
        assert_eq!((stats.in_flight, stats.queued, stats.abandoned), (0, 0, 0), "{stats:?}");
        let mut places = Vec::new();
        for _ in 0..PLACES {
            assert!(has_room(&self.a), "{} places are left", places.len());
            places.push(self.a.reserve().await.unwrap());
        }
        assert!(!has_room(&self.a), "there are more places than before");
        for call in places.into_iter().map(|place| place.submit(LATER, 0, "echo")) {
            in_time(echoed(call)).await;
        }
    }

    async fn link_works(&self) {
        assert_eq!(in_time(self.link.call(Echo("echo".into()))).await.unwrap(), "echo");
        assert_eq!(self.link.state().borrow().connections, 1, "they share one");
        self.link.close();
        in_time(self.link.closed()).await;
    }

    async fn ends_well(self) {
        let Self { a, b, link } = self;
        link.close();
        a.close();
        for side in [&a, &b] {
            let report = in_time(side.closed()).await;
            report.result.unwrap();
            let stats = report.stats;
            let settled = stats.calls_ok + stats.calls_failed + stats.calls_withdrawn;
            assert_eq!(stats.calls, settled + report.calls_lost + report.calls_unsent, "{stats:?}");
            assert_eq!(stats.requests, stats.requests_answered, "{stats:?}");
        }
        drop((a, b, link));
        in_time(no_task_is_left()).await;
    }
}

async fn no_task_is_left() {
    while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
        sleep(MS).await;
    }
}

// Rules: R-19
#[test]
fn whoever_drops_a_future_at_any_point_takes_nothing_along() {
    for case in CASES {
        at_every_await(case.name, |polls, turns| case.dropped_after(polls, turns));
    }
}

/// Drives a connection to its end.
type Drives = fn(Builder, DuplexStream) -> (PacketConnection, Tried);

const DRIVERS: &[(&str, Drives)] = &[
    ("Driver::run", |builder, stream| {
        let (connection, driver) = builder.build(stream);
        (connection, Box::pin(async { driver.run().await.report.result.unwrap() }))
    }),
    ("Driver::run_and_shut_down", |builder, stream| {
        let (connection, driver) = builder.build(stream);
        (connection, Box::pin(async { driver.run_and_shut_down().await.result.unwrap() }))
    }),
];

/// Drops what drives a connection there, in the midst of calls of both sides.
async fn driver_dropped_after(drives: Drives, polls: usize, turns: usize) -> bool {
    let (here, there) = duplex(16);
    let b = builder().spawn(there);
    let (a, tried) = drives(builder(), here);
    let calls: Vec<_> =
        [&a, &b, &a, &b, &a, &b].map(|side| tokio::spawn(side.submit(LATER, 0, "echo"))).into();
    let closing = tokio::spawn({
        let (a, barrier) = (a.clone(), a.barrier());
        async move {
            barrier.await;
            a.close();
        }
    });
    let is_done = poll_and_drop(tried, polls, turns).await;
    for call in calls {
        match in_time(call).await.unwrap() {
            Ok(reply) => assert_eq!(reply.payload, "echo"),
            Err(CallError::Lost(_) | CallError::NotSent(NotSent::Lost(_) | NotSent::Closed)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    in_time(closing).await.unwrap();
    assert!(!a.is_open());
    let report = in_time(a.closed()).await;
    let is_dropped = matches!(report.result, Err(ConnectionError::Dropped));
    assert!(is_dropped || report.result.is_ok(), "{report:?}");
    assert!(is_dropped != is_done, "{report:?}");
    in_time(b.closed()).await;
    in_time(a.barrier()).await;
    drop((a, b));
    in_time(no_task_is_left()).await;
    is_done
}

// Rules: none: the driver
#[test]
fn whoever_drops_a_driver_at_any_point_ends_every_call() {
    for (name, drives) in DRIVERS {
        let polls = at_every_await(name, |polls, turns| driver_dropped_after(*drives, polls, turns));
        assert!(polls >= 5, "{polls}");
    }
}

// Rules: L-12
#[test]
fn whoever_stops_to_wait_for_a_cancellation_is_told_of_it_again() {
    at_every_await("Incoming::cancelled", async |polls, turns| {
        let (out, mut requests) = mpsc::unbounded_channel();
        let (here, there) = duplex(16);
        let handler = move |request: Incoming| {
            out.send(request).unwrap();
            std::future::pending()
        };
        let a = PacketConnection::builder().handler(handler).spawn(here);
        let b = PacketConnection::builder().spawn(there);
        let call = b.submit(0, 0, "");
        let request = std::sync::Arc::new(in_time(requests.recv()).await.unwrap());
        let waits = std::sync::Arc::clone(&request);
        a.abort();
        let is_done = poll_and_drop(Box::pin(async move { waits.cancelled().await }), polls, turns).await;
        in_time(request.cancelled()).await;
        assert!(in_time(call).await.is_err());
        is_done
    });
}
