//! What a request may take: each limit alone, and all of them together.
//!
//! Handlers hand each request to the test as a [`Job`] and wait for it to say how they end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{asking, in_time, protocol, refusal};
use packetstream::{
    BaseRequest, Bytes, Client, Context, Contract, Failure, Fulfil, Handler, HasPacketConnection, Incoming,
    Outcome, PacketConnection, Payload, RequestError, Stream, TypedCall, serve,
};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{coop, yield_now};
use tokio::time::Instant;

const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// A request with a contract: a number, and what pads it.
macro_rules! requests {
    ($($name:ident { $($limit:ident: $value:expr),* })*) => {
        $(
            #[derive(Debug, Payload)]
            struct $name(u64, Bytes);

            impl BaseRequest for $name {
                type Reply = u64;
                type Error = Failure;
                #[allow(clippy::needless_update, reason = "one of them says everything")]
                const CONTRACT: Contract = Contract { $($limit: $value,)* ..Contract::NONE };
            }

            impl Numbered for $name {
                fn numbered(number: u64) -> Self {
                    Self(number, Bytes::new())
                }

                fn number(&self) -> u64 {
                    self.0
                }
            }
        )*
    };
}

trait Numbered: BaseRequest<Reply = u64, Error = Failure> + Send {
    fn numbered(number: u64) -> Self;
    fn number(&self) -> u64;
}

requests! {
    Free {}
    Small { max_payload: Some(16) }
    Two { concurrency: Some(2) }
    First { ordered: true }
    Second { ordered: true }
    Quick { timeout: Some(FIVE_SECONDS) }
    Blocking { blocking: true }
    QuickTurn { ordered: true, timeout: Some(FIVE_SECONDS) }
    QuickBlocking { concurrency: Some(8), blocking: true, timeout: Some(FIVE_SECONDS) }
    OneQuick { concurrency: Some(1), timeout: Some(FIVE_SECONDS) }
    All {
        max_payload: Some(16),
        concurrency: Some(1),
        timeout: Some(FIVE_SECONDS),
        ordered: true,
        blocking: true
    }
}

protocol!(Lab {
    0 => Free,
    1 => Small,
    2 => Two,
    3 => First,
    4 => Second,
    5 => Quick,
    6 => Blocking,
    7 => QuickTurn,
    8 => QuickBlocking,
    9 => OneQuick,
    10 => All,
});

/// A request that is being performed.
struct Job {
    number: u64,
    cx: Arc<Context>,
    thread: ThreadId,
    end: oneshot::Sender<End>,
}

/// How a handler ends.
enum End {
    Done,
    Panic,
}

impl Job {
    fn ends(self, end: End) {
        assert!(self.end.send(end).is_ok(), "the handler is gone");
    }

    /// Waits until the handler was dropped, or has ended.
    async fn gone(&mut self) {
        self.end.closed().await;
    }
}

struct Server(mpsc::UnboundedSender<Job>);

impl<R: Numbered> Fulfil<R> for Server {
    async fn fulfil(&self, request: R, cx: Context) -> Result<u64, Failure> {
        let number = request.number();
        let (end, ends) = oneshot::channel();
        let job = Job { number, cx: Arc::new(cx), thread: thread::current().id(), end };
        // A test that is over takes no more jobs.
        let _ = self.0.send(job);
        match ends.await {
            Ok(End::Done) => Ok(number),
            Ok(End::Panic) => panic!("as the test wants"),
            Err(_) => Err(Failure::new("the test has dropped the job")),
        }
    }
}

/// A client of a service whose jobs the test sees.
struct Bench {
    lab: Client<Lab>,
    _peer: PacketConnection,
    jobs: mpsc::UnboundedReceiver<Job>,
}

impl Bench {
    fn new() -> Self {
        let (out, jobs) = mpsc::unbounded_channel();
        let (connection, peer) = asking(serve::<Lab, _>(Server(out)));
        Self { lab: connection.into(), _peer: peer, jobs }
    }

    fn asks<R: Numbered>(&self, number: u64) -> TypedCall<R>
    where
        Lab: packetstream::Carries<R>,
    {
        self.lab.call(R::numbered(number))
    }

    fn connection(&self) -> &PacketConnection {
        self.lab.connection()
    }

    /// The job that is begun next.
    async fn begins(&mut self, number: u64) -> Job {
        let job = in_time(self.jobs.recv()).await.unwrap();
        assert_eq!(job.number, number);
        job
    }

    /// Lets everything that is on its way arrive, and checks that no job begins.
    async fn begins_nothing(&mut self) {
        let ping = self.asks::<Free>(0);
        self.begins(0).await.ends(End::Done);
        in_time(ping).await.unwrap();
        for _ in 0..100 {
            yield_now().await;
        }
        assert!(self.jobs.try_recv().is_err(), "a job has begun");
    }
}

#[tokio::test]
async fn a_payload_over_the_limit_is_refused_before_it_is_decoded() {
    let mut bench = Bench::new();
    // No number: it would not decode.
    let ask = |length| bench.connection().submit(1, 0, vec![0xff; length]);
    let error = in_time(ask(17)).await.unwrap_err();
    let text = refusal::<(), Failure>(Err(error.into()));
    assert_eq!(text, "payload of 17 bytes exceeds the limit of 16");
    let error = in_time(ask(16)).await.unwrap_err();
    let text = refusal::<(), Failure>(Err(error.into()));
    assert!(text.starts_with("malformed request: "), "{text}");

    let fits = bench.lab.call(Small(7, Bytes::from(vec![0; 14])));
    bench.begins(7).await.ends(End::Done);
    assert_eq!(in_time(fits).await.unwrap(), 7);
}

// Rules: R-14
#[tokio::test]
async fn more_at_once_than_the_limit_are_busy_and_what_ends_makes_room() {
    let mut bench = Bench::new();
    let mut calls = [1, 2].map(|number| bench.asks::<Two>(number));
    let first = bench.begins(1).await;
    let second = bench.begins(2).await;
    let error = in_time(bench.asks::<Two>(3)).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(refusal::<(), _>(Err(error)), "busy: at most 2 of `Two` at once");

    first.ends(End::Done);
    in_time(&mut calls[0]).await.unwrap();
    let fourth = bench.asks::<Two>(4);
    bench.begins(4).await.ends(End::Done);
    in_time(fourth).await.unwrap();
    second.ends(End::Panic);
    assert_eq!(refusal(in_time(&mut calls[1]).await), "exception during handler");

    let calls = [5, 6].map(|number| bench.asks::<Two>(number));
    for number in [5, 6] {
        bench.begins(number).await.ends(End::Done);
    }
    for call in calls {
        in_time(call).await.unwrap();
    }
}

#[tokio::test]
async fn a_limit_at_once_is_that_of_one_request_type_on_one_connection() {
    let (mut bench, mut other) = (Bench::new(), Bench::new());
    let _calls = [1, 2].map(|number| bench.asks::<Two>(number));
    let _held = [bench.begins(1).await, bench.begins(2).await];
    let one = bench.asks::<OneQuick>(3);
    bench.begins(3).await.ends(End::Done);
    in_time(one).await.unwrap();
    let elsewhere = other.asks::<Two>(4);
    other.begins(4).await.ends(End::Done);
    in_time(elsewhere).await.unwrap();
}

#[tokio::test]
async fn ordered_requests_of_all_types_take_turns_and_others_do_not_wait_for_them() {
    let mut bench = Bench::new();
    let first = bench.asks::<First>(1);
    let second = bench.asks::<Second>(2);
    let third = bench.asks::<First>(3);
    let job = bench.begins(1).await;
    bench.begins_nothing().await;
    job.ends(End::Panic);
    refusal(in_time(first).await);
    let job = bench.begins(2).await;
    bench.begins_nothing().await;
    job.ends(End::Done);
    assert_eq!(in_time(second).await.unwrap(), 2);
    bench.begins(3).await.ends(End::Done);
    assert_eq!(in_time(third).await.unwrap(), 3);
}

// Rules: R-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_ordered_requests_are_performed_in_the_order_of_their_arrival() {
    struct Log(Arc<Mutex<Vec<u64>>>);
    impl<R: Numbered> Fulfil<R> for Log {
        async fn fulfil(&self, request: R, _: Context) -> Result<u64, Failure> {
            let number = request.number();
            if number.is_multiple_of(3) {
                yield_now().await;
            }
            self.0.lock().unwrap().push(number);
            Ok(number)
        }
    }
    let log = Arc::default();
    let (connection, _peer) = asking(serve::<Lab, _>(Log(Arc::clone(&log))));
    let lab = Client::<Lab>::from(connection);
    in_time(async {
        let mut performed = 0;
        while performed < 1_000 {
            let calls: Vec<_> = (performed..performed + 200)
                .map(|number| (lab.call(First::numbered(number)), number))
                .collect();
            for (call, number) in calls {
                assert_eq!(call.await.unwrap(), number);
                performed += 1;
            }
        }
    })
    .await;
    assert!(log.lock().unwrap().iter().copied().eq(0..1_000));
}

/// Has the request that is numbered 1 polled once by a task that has used its budget up, and then only when it
/// is let on.
struct Exhausting {
    served: Arc<packetstream::Served<Lab, Server>>,
    let_on: Arc<Notify>,
}

impl Handler for Exhausting {
    async fn handle(&self, incoming: Incoming) -> Outcome {
        let is_first = incoming.payload[..] == [1, 0];
        let mut performed = pin!(self.served.handle(incoming));
        if is_first {
            let exhausted = std::future::poll_fn(|cx| {
                while coop::has_budget_remaining() {
                    let _ = pin!(coop::consume_budget()).poll(cx);
                }
                std::task::Poll::Ready(performed.as_mut().poll(cx))
            });
            assert!(exhausted.await.is_pending());
            self.let_on.notified().await;
        }
        performed.await
    }
}

#[tokio::test]
async fn the_order_is_that_of_arrival_also_for_a_task_without_budget() {
    let (out, jobs) = mpsc::unbounded_channel();
    let let_on = Arc::new(Notify::new());
    let served = Arc::new(serve::<Lab, _>(Server(out)));
    let (connection, peer) = asking(Exhausting { served, let_on: Arc::clone(&let_on) });
    let mut bench = Bench { lab: connection.into(), _peer: peer, jobs };
    let calls = [9, 1, 2].map(|number| bench.asks::<First>(number));
    let before = bench.begins(9).await;
    before.ends(End::Done);
    bench.begins_nothing().await;
    let_on.notify_one();
    bench.begins(1).await.ends(End::Done);
    bench.begins(2).await.ends(End::Done);
    for call in calls {
        in_time(call).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_and_its_handler_dropped() {
    let mut bench = Bench::new();
    let start = Instant::now();
    let call = bench.asks::<Quick>(1);
    let mut job = bench.begins(1).await;
    assert!(!job.cx.is_cancelled());
    assert_eq!(refusal(in_time(call).await), "not done within 5s");
    assert_eq!(start.elapsed(), FIVE_SECONDS);
    in_time(job.gone()).await;
    // What it had spawned would see it.
    in_time(job.cx.cancelled()).await;
    assert!(job.cx.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_has_spawned_may_go_on_behind_the_answer() {
    let mut bench = Bench::new();
    let call = bench.asks::<Quick>(1);
    let job = bench.begins(1).await;
    let cx = Arc::clone(&job.cx);
    job.ends(End::Done);
    assert_eq!(in_time(call).await.unwrap(), 1);
    tokio::time::advance(FIVE_SECONDS * 2).await;
    bench.begins_nothing().await;
    assert!(!cx.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_makes_room() {
    let mut bench = Bench::new();
    for number in 1..4 {
        let call = bench.asks::<OneQuick>(number);
        let _job = bench.begins(number).await;
        assert_eq!(refusal(in_time(call).await), "not done within 5s");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_takes_time_and_who_gives_up_leaves_the_queue() {
    let mut bench = Bench::new();
    let long = bench.asks::<First>(1);
    let job = bench.begins(1).await;
    let given_up = bench.asks::<QuickTurn>(2);
    let patient = bench.asks::<First>(3);
    assert_eq!(refusal(in_time(given_up).await), "not done within 5s");
    job.ends(End::Done);
    in_time(long).await.unwrap();
    bench.begins(3).await.ends(End::Done);
    in_time(patient).await.unwrap();
}

#[tokio::test]
async fn a_blocking_handler_has_a_thread_of_its_own_and_its_panic_is_one_failure() {
    struct Blocks(Mutex<Option<std::sync::mpsc::Receiver<()>>>);
    impl<R: Numbered> Fulfil<R> for Blocks {
        async fn fulfil(&self, request: R, _: Context) -> Result<u64, Failure> {
            if request.number() == 1 {
                let unblocked = self.0.lock().unwrap().take().unwrap();
                unblocked.recv_timeout(Duration::from_mins(2)).unwrap();
            }
            assert_ne!(request.number(), 2, "panics");
            Ok(request.number())
        }
    }
    let (unblock, unblocked) = std::sync::mpsc::channel();
    let (connection, _peer) = asking(serve::<Lab, _>(Blocks(Mutex::new(Some(unblocked)))));
    let lab = Client::<Lab>::from(connection);
    let blocked = lab.call(Blocking::numbered(1));
    in_time(async {
        assert_eq!(refusal(lab.call(Blocking::numbered(2)).await), "exception during handler");
        assert_eq!(lab.call(Free::numbered(3)).await.unwrap(), 3);
        unblock.send(()).unwrap();
        assert_eq!(blocked.await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_blocking_handler_may_wait_for_what_is_asynchronous() {
    let mut bench = Bench::new();
    let call = bench.asks::<Blocking>(1);
    let job = bench.begins(1).await;
    assert_ne!(job.thread, thread::current().id());
    job.ends(End::Done);
    assert_eq!(in_time(call).await.unwrap(), 1);
}

// The clock does not move by itself while a thread blocks.
#[tokio::test(start_paused = true)]
async fn a_blocking_handler_that_takes_too_long_goes_on_and_can_see_it() {
    let mut bench = Bench::new();
    let call = bench.asks::<QuickBlocking>(1);
    let job = bench.begins(1).await;
    assert!(!job.cx.is_cancelled());
    tokio::time::advance(FIVE_SECONDS).await;
    assert_eq!(refusal(in_time(call).await), "not done within 5s");
    in_time(job.cx.cancelled()).await;
    assert!(job.cx.is_cancelled());
    job.ends(End::Done);
}

#[tokio::test]
async fn a_blocking_handler_sees_that_its_connection_is_gone() {
    let (out, jobs) = mpsc::unbounded_channel();
    let (here, there) = Stream::pair(1 << 10);
    let (peer, driver) = PacketConnection::builder().handler(serve::<Lab, _>(Server(out))).build(there);
    let driver = tokio::spawn(driver.run());
    let lab = PacketConnection::builder().spawn(here).into();
    let mut bench = Bench { lab, _peer: peer, jobs };
    let call = bench.asks::<Blocking>(1);
    let job = bench.begins(1).await;
    driver.abort();
    let error = in_time(call).await.unwrap_err();
    assert!(matches!(error, RequestError::Lost(_)), "{error:?}");
    in_time(job.cx.cancelled()).await;
    assert!(job.cx.is_cancelled());
    job.ends(End::Done);
}

#[test]
fn a_blocking_request_that_is_given_up_before_there_is_a_thread_for_it_is_not_performed() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let mut bench = Bench::new();
        let first = bench.asks::<Blocking>(1);
        let job = bench.begins(1).await;
        let given_up = bench.asks::<QuickBlocking>(2);
        bench.begins_nothing().await;
        tokio::time::advance(FIVE_SECONDS).await;
        assert_eq!(refusal(in_time(given_up).await), "not done within 5s");
        let third = bench.asks::<Blocking>(3);
        bench.begins_nothing().await;
        job.ends(End::Done);
        in_time(first).await.unwrap();
        bench.begins(3).await.ends(End::Done);
        in_time(third).await.unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_handler_that_blocks_keeps_its_place_and_its_turn_until_it_ends() {
    let mut bench = Bench::new();
    let call = bench.asks::<All>(1);
    let job = bench.begins(1).await;
    let next = bench.asks::<First>(2);
    let error = in_time(bench.connection().submit(10, 0, vec![0; 17])).await.unwrap_err();
    let text = refusal::<(), Failure>(Err(error.into()));
    assert_eq!(text, "payload of 17 bytes exceeds the limit of 16");
    assert_eq!(refusal(in_time(bench.asks::<All>(3)).await), "busy: at most 1 of `All` at once");

    tokio::time::advance(FIVE_SECONDS).await;
    assert_eq!(refusal(in_time(call).await), "not done within 5s");
    assert_eq!(refusal(in_time(bench.asks::<All>(4)).await), "busy: at most 1 of `All` at once");
    bench.begins_nothing().await;
    assert!(job.cx.is_cancelled());
    job.ends(End::Panic);

    bench.begins(2).await.ends(End::Done);
    in_time(next).await.unwrap();
    let again = bench.asks::<All>(5);
    bench.begins(5).await.ends(End::Done);
    assert_eq!(in_time(again).await.unwrap(), 5);
}

#[tokio::test]
async fn a_request_that_waits_for_its_turn_has_its_place() {
    let mut bench = Bench::new();
    let first = bench.asks::<First>(1);
    let job = bench.begins(1).await;
    let waits = bench.asks::<All>(2);
    assert_eq!(refusal(in_time(bench.asks::<All>(3)).await), "busy: at most 1 of `All` at once");
    job.ends(End::Done);
    in_time(first).await.unwrap();
    bench.begins(2).await.ends(End::Done);
    in_time(waits).await.unwrap();
}
