//! Connections on demand: when they are made, who shares them, what becomes of calls when they are lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{in_time, protocol};
use packetstream::{
    Backoff, BaseRequest, CallError, Client, ConnectionError, Connector, Context, Contract, Failure, Fulfil,
    Incoming, Limits, Link, LinkCall, LinkError, LinkPhase, NotSent, Outage, PacketConnection, Payload, Peer,
    Protocol, Reply, Request, RequestError, Stream, serve,
};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Asked twice it does twice as much.
#[derive(Debug, Payload)]
struct Add(u64);

impl BaseRequest for Add {
    type Reply = u64;
    type Error = Failure;
}

/// Asked twice it does no more than once.
#[derive(Debug, Payload)]
struct Get(u64);

impl BaseRequest for Get {
    type Reply = u64;
    type Error = Failure;
    const CONTRACT: Contract = Contract { idempotent: true, ..Contract::NONE };
}

protocol!(Store { 0 => Add, 1 => Get });

/// Answers each request with its payload's first byte, in the flags.
async fn echo(request: Incoming) -> Result<Reply, Failure> {
    Ok(Reply::from(u64::from(request.payload[0])))
}

/// Where attempts to open a stream arrive, for the test to decide.
struct Door {
    attempts: mpsc::UnboundedReceiver<Attempt>,
}

/// An attempt to open a stream, which hangs until something is done with it.
struct Attempt(oneshot::Sender<Result<Stream, String>>);

impl Door {
    async fn knock(&mut self) -> Attempt {
        in_time(self.attempts.recv()).await.unwrap()
    }

    fn is_quiet(&mut self) -> bool {
        self.attempts.try_recv().is_err()
    }
}

impl Attempt {
    fn refuse(self, why: &str) {
        let _ = self.0.send(Err(why.into()));
    }

    fn open(self) -> Stream {
        let (here, there) = Stream::pair(1 << 16);
        self.0.send(Ok(here)).unwrap();
        there
    }

    fn serve(self, handler: impl packetstream::Handler) -> PacketConnection {
        PacketConnection::builder().handler(handler).spawn(self.open())
    }
}

/// A connector that waits 1 s, 2 s, 4 s, and so on up to 8 s.
fn connector() -> (Connector, Door) {
    let (attempts, knocks) = mpsc::unbounded_channel();
    let open = move || {
        let (attempt, opened) = oneshot::channel();
        let _ = attempts.send(Attempt(attempt));
        async move { opened.await.unwrap_or_else(|_| Err("dropped".into())) }
    };
    let backoff = Backoff { first: SECOND, most: 8 * SECOND, factor: 2, jitter: false };
    (Connector::new(open).backoff(backoff), Door { attempts: knocks })
}

fn store() -> (Link<Store>, Door) {
    let (connector, door) = connector();
    (connector.link(), door)
}

/// Asks, and goes on.
fn asked<R: BaseRequest<Error = Failure> + Send + 'static>(
    call: LinkCall<R>,
) -> tokio::task::JoinHandle<Result<R::Reply, RequestError>>
where
    R::Reply: Send,
{
    tokio::spawn(call)
}

/// The one reason in a chain.
fn no_connection(error: &RequestError) -> &LinkError {
    let RequestError::NotSent(NotSent::NoConnection(reason)) = error else { panic!("{error:?}") };
    assert!(error.is_retryable());
    reason.downcast_ref().unwrap()
}

#[tokio::test]
async fn nothing_is_opened_before_something_is_asked() {
    let (store, mut door) = store();
    tokio::task::yield_now().await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Idle);
    drop(store.call(Get(1)));
    tokio::task::yield_now().await;
    assert!(door.is_quiet(), "a call that is not polled asks nothing");
    let call = asked(store.call(Get(7)));
    let attempt = door.knock().await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Connecting { attempt: 1 });
    let _peer = attempt.serve(echo);
    assert_eq!(in_time(call).await.unwrap().unwrap(), 7);
    assert_eq!(store.state().borrow().phase, LinkPhase::Connected);
}

#[tokio::test]
async fn all_who_ask_share_one_attempt_and_one_connection() {
    let (store, mut door) = store();
    let calls: Vec<_> = (0..100).map(|n| asked(store.clone().call(Get(n)))).collect();
    let attempt = door.knock().await;
    tokio::task::yield_now().await;
    let _peer = attempt.serve(echo);
    in_time(async {
        for (n, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap().unwrap(), n);
        }
        assert_eq!(store.call(Get(5)).await.unwrap(), 5);
    })
    .await;
    assert!(door.is_quiet());
    assert_eq!(store.state().borrow().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_repeated_after_a_wait_that_grows() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(3)));
    let start = Instant::now();
    for (attempt, seconds) in [(1, 0), (2, 1), (3, 3), (4, 7)] {
        let knock = door.knock().await;
        assert_eq!(start.elapsed(), seconds * SECOND);
        assert_eq!(store.state().borrow().phase, LinkPhase::Connecting { attempt });
        knock.refuse("not yet");
        let mut state = store.state();
        let state =
            in_time(state.wait_for(|state| matches!(state.phase, LinkPhase::Waiting { .. }))).await.unwrap();
        let until = start + [SECOND, 3 * SECOND, 7 * SECOND, 15 * SECOND][attempt as usize - 1];
        assert_eq!(state.phase, LinkPhase::Waiting { attempt: attempt + 1, until });
        assert_eq!(state.last_error.as_ref().unwrap().to_string(), "not yet");
    }
    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(call).await.unwrap().unwrap(), 3);
    assert!(store.state().borrow().last_error.is_some(), "it stays to be looked at");
}

#[tokio::test(start_paused = true)]
async fn enough_failed_attempts_are_the_answer_but_nobody_elses() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.attempts(2).link();
    let first = asked(store.call(Add(1)));
    door.knock().await.refuse("closed for lunch");
    // It comes between the attempts of another: two of its own have to fail.
    tokio::time::sleep(SECOND / 2).await;
    let second = asked(store.call(Add(2)));
    door.knock().await.refuse("still at lunch");

    let error = in_time(first).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "request not sent");
    let LinkError::Unreachable { attempts: 2, source: Outage::NotOpened(_) } = no_connection(&error) else {
        panic!("{error:?}")
    };
    let chain: Vec<_> =
        std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect();
    assert_eq!(chain, ["no connection to send it over", "no connection in 2 attempts", "still at lunch"]);

    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(second).await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_kept_for_those_who_come_later() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.attempts(1).link();
    let start = Instant::now();
    let failed = asked(store.call(Add(1)));
    door.knock().await.refuse("down");
    in_time(failed).await.unwrap().unwrap_err();
    // The next comes at once, and still does not hammer.
    let late = asked(store.call(Add(2)));
    let attempt = door.knock().await;
    assert_eq!(start.elapsed(), SECOND);
    let _peer = attempt.serve(echo);
    assert_eq!(in_time(late).await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_made_for_nobody() {
    let (store, mut door) = store();
    let start = Instant::now();
    let error = store.call(Add(1)).timeout(SECOND / 2);
    let call = asked(error);
    door.knock().await.refuse("down");
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(no_connection(&error), LinkError::TimedOut { source: Some(_), .. }), "{error:?}");
    let mut state = store.state();
    in_time(state.wait_for(|state| state.phase == LinkPhase::Idle)).await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
    assert!(door.is_quiet());

    let call = asked(store.call(Add(1)));
    let attempt = door.knock().await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Connecting { attempt: 2 }, "it remembers");
    let _peer = attempt.serve(echo);
    in_time(call).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up_and_so_is_the_wait_for_it() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.patience(5 * SECOND).link();
    let start = Instant::now();
    let call = asked(store.call(Add(1)));
    let _hangs = door.knock().await;
    tokio::time::sleep(SECOND).await;
    let second = asked(store.call(Add(2)));
    let error = in_time(call).await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), 5 * SECOND);
    let LinkError::TimedOut { limit, .. } = no_connection(&error) else { panic!("{error:?}") };
    assert_eq!(*limit, 5 * SECOND);
    let mut state = store.state();
    let state = in_time(state.wait_for(|state| state.last_error.is_some())).await.unwrap().clone();
    assert_eq!(state.last_error.unwrap().to_string(), "no stream within 5s");
    let error = in_time(second).await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), 6 * SECOND);
    assert!(matches!(
        no_connection(&error),
        LinkError::TimedOut { source: Some(Outage::OpenTimedOut(_)), .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_is_asked_again_only_if_that_does_no_harm() {
    let (store, mut door) = store();
    let (add, get) = (asked(store.call(Add(1))), asked(store.call(Get(2))));
    let (arrives, mut arrival) = mpsc::unbounded_channel();
    let peer = PacketConnection::builder().handler(move |_: Incoming| {
        arrives.send(()).unwrap();
        std::future::pending()
    });
    let (_connection, driver) = peer.build(door.knock().await.open());
    let driver = tokio::spawn(driver.run());
    in_time(async {
        arrival.recv().await.unwrap();
        arrival.recv().await.unwrap();
    })
    .await;
    driver.abort();
    let error = in_time(add).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Lost(ConnectionError::NoGoodbye)), "{error:?}");
    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(get).await.unwrap().unwrap(), 2);
    let state = store.state().borrow().clone();
    assert!(matches!(state.last_error, Some(Outage::Ended(ConnectionError::NoGoodbye))), "{state:?}");
    assert_eq!(state.connections, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_asked_over_the_next_connection() {
    let (connector, mut door) = connector();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let store: Link<Store> = connector.builder(move || PacketConnection::builder().limits(limits)).link();
    let first = asked(store.call(Get(1)));
    let ask = Arc::new(Semaphore::new(0));
    let asked_for = Arc::clone(&ask);
    let peer = door.knock().await.serve(move |_: Incoming| {
        asked_for.add_permits(1);
        std::future::pending()
    });
    in_time(ask.acquire()).await.unwrap().forget();
    let waits_its_turn = asked(store.call(Add(2)));
    tokio::task::yield_now().await;
    peer.close();
    let next = door.knock().await;
    let _peer = next.serve(echo);
    assert_eq!(in_time(waits_its_turn).await.unwrap().unwrap(), 2);
    drop((first, peer));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_tried_so_often_and_no_more() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.tries(2).link();
    let call = asked(store.call(Get(1)));
    for _ in 0..2 {
        let mut stream = door.knock().await.open();
        in_time(tokio::io::AsyncReadExt::read_u8(&mut stream)).await.unwrap();
    }
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Lost(_)), "{error:?}");
    assert!(door.is_quiet());
}

/// Is busy so many times, then echoes.
fn busy(times: u32) -> (impl packetstream::Handler, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let handler = move |request: Incoming| {
        let is_busy = count.fetch_add(1, Ordering::Relaxed) < times;
        async move { if is_busy { Err(Failure::busy("")) } else { echo(request).await } }
    };
    (handler, asked)
}

#[tokio::test(start_paused = true)]
async fn a_busy_peer_is_asked_again_after_a_while_over_the_same_connection() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(6)));
    let (handler, times) = busy(2);
    let _peer = door.knock().await.serve(handler);
    let start = Instant::now();
    assert_eq!(in_time(call).await.unwrap().unwrap(), 6);
    assert_eq!((start.elapsed(), times.load(Ordering::Relaxed)), (3 * SECOND, 3));
    assert_eq!(store.state().borrow().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_peer_is_not_waited_for_in_vain() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(6)));
    let (handler, times) = busy(u32::MAX);
    let _peer = door.knock().await.serve(handler);
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(error.refusal().unwrap().is_busy());
    assert_eq!(times.load(Ordering::Relaxed), 3, "the default");
    let start = Instant::now();
    let error = in_time(store.call(Add(6)).timeout(2 * SECOND)).await.unwrap_err();
    assert!(error.refusal().unwrap().is_busy(), "the second wait would take longer than there is time");
    assert_eq!((start.elapsed(), times.load(Ordering::Relaxed)), (SECOND, 5));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_other_words_is_final() {
    let (store, mut door) = store();
    let call = asked(store.call(Get(6)));
    let _peer = door.knock().await.serve(async |_: Incoming| Err(Failure::new("no")));
    let error = in_time(call).await.unwrap().unwrap_err();
    assert_eq!(error.refusal().unwrap().reason(), "no");
}

#[tokio::test(start_paused = true)]
async fn a_time_out_tells_whether_the_request_is_on_its_way() {
    let (connector, mut door) = connector();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let store: Link<Store> = connector.builder(move || PacketConnection::builder().limits(limits)).link();

    let start = Instant::now();
    let call = asked(store.call(Add(1)).timeout(SECOND));
    let attempt = door.knock().await;
    let error = in_time(call).await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(no_connection(&error).to_string(), "no connection within 1s");

    let _peer = attempt.serve(async |_: Incoming| std::future::pending().await);
    let error = in_time(store.call(Add(1)).timeout(SECOND)).await.unwrap_err();
    assert!(matches!(error, RequestError::Unanswered(SECOND)), "{error:?}");
    let error = in_time(store.call(Add(1)).timeout(SECOND)).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::NoTurn(SECOND))), "{error:?}");
    assert_eq!(start.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_connections_and_drops_them_is_not_hammered() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.tries(4).link();
    let start = Instant::now();
    let call = asked(store.call(Get(1)));
    for seconds in [0, 1, 3, 7] {
        let attempt = door.knock().await;
        assert_eq!(start.elapsed(), seconds * SECOND);
        drop(attempt.open());
    }
    in_time(call).await.unwrap().unwrap_err();
    // One that lasts longer than the next wait ends that.
    let call = asked(store.call(Get(1)));
    let peer = door.knock().await.serve(echo);
    in_time(call).await.unwrap().unwrap();
    tokio::time::sleep(8 * SECOND).await;
    peer.close();
    let mut state = store.state();
    in_time(state.wait_for(|state| state.phase == LinkPhase::Idle)).await.unwrap();
    let (start, call) = (Instant::now(), asked(store.call(Get(1))));
    let _peer = door.knock().await.serve(echo);
    in_time(call).await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_let_go() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.idle(10 * SECOND).link();
    let call = asked(store.call(Get(1)));
    let peer = door.knock().await.serve(async |request: Incoming| {
        tokio::time::sleep(30 * SECOND).await;
        echo(request).await
    });
    in_time(call).await.unwrap().unwrap();
    let answered = Instant::now();
    in_time(peer.closed()).await.unwrap();
    let idle = answered.elapsed();
    assert!(10 * SECOND <= idle && idle <= 20 * SECOND, "{idle:?}, and 30 s for the answer");
    assert_eq!(store.state().borrow().phase, LinkPhase::Idle);

    // It comes back without a wait.
    let (start, call) = (Instant::now(), asked(store.call(Get(2))));
    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(call).await.unwrap().unwrap(), 2);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_given_out_keeps_its_connection() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.idle(SECOND).link();
    let getting = tokio::spawn({
        let store = store.clone();
        async move { store.get::<Client<Store>>().await }
    });
    let peer = door.knock().await.serve(echo);
    let client = in_time(getting).await.unwrap().unwrap();
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Idle, "the link has let go");
    assert_eq!(in_time(client.call(Get(3))).await.unwrap(), 3);
    drop(client);
    in_time(peer.closed()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_closed_link_is_closed_for_good_and_for_all() {
    let (store, mut door) = store();
    let call = asked(store.call(Get(4)));
    let (arrives, arrival) = oneshot::channel();
    let arrives = std::sync::Mutex::new(Some(arrives));
    let peer = door.knock().await.serve(move |request: Incoming| {
        arrives.lock().unwrap().take().unwrap().send(()).unwrap();
        async move {
            tokio::time::sleep(SECOND).await;
            echo(request).await
        }
    });
    in_time(arrival).await.unwrap();
    store.clone().close();
    for error in
        [in_time(store.call(Get(1))).await.unwrap_err(), in_time(store.call(Add(1))).await.unwrap_err()]
    {
        assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    }
    let error = in_time(store.get::<PacketConnection>()).await.unwrap_err();
    assert!(matches!(error, LinkError::Closed), "{error:?}");
    assert_eq!(in_time(call).await.unwrap().unwrap(), 4, "what is on its way is answered");
    in_time(store.closed()).await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Closed);
    in_time(peer.closed()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_goodbye_of_a_closed_link() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(4)));
    let start = Instant::now();
    let peer = door.knock().await.serve(async |_: Incoming| std::future::pending().await);
    // It is answered never, so the goodbye takes as long as it may.
    tokio::time::sleep(SECOND).await;
    store.close();
    let late = in_time(store.get::<PacketConnection>()).await.unwrap_err();
    assert!(matches!(late, LinkError::Closed) && start.elapsed() == SECOND, "{late:?}");
    in_time(store.closed()).await;
    assert_eq!(start.elapsed(), SECOND + Limits::default().close_timeout);
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Lost(ConnectionError::CloseTimedOut { .. })), "{error:?}");
    drop(peer);
}

#[tokio::test]
async fn closing_tells_those_who_wait_for_a_connection() {
    let (store, mut door) = store();
    let call = asked(store.call(Get(4)));
    let _attempt = door.knock().await;
    store.close();
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    in_time(store.closed()).await;
}

#[tokio::test]
async fn a_connection_ends_with_the_last_handle_and_the_last_call() {
    let (store, mut door) = store();
    let (go, goes) = oneshot::channel::<()>();
    let goes = std::sync::Mutex::new(Some(goes));
    let call = asked(store.call(Get(4)));
    let state = store.state();
    drop(store);
    let peer = door.knock().await.serve(move |request: Incoming| {
        let goes = goes.lock().unwrap().take().unwrap();
        async move {
            goes.await.unwrap();
            echo(request).await
        }
    });
    go.send(()).unwrap();
    in_time(async {
        assert_eq!(call.await.unwrap().unwrap(), 4);
        peer.closed().await.unwrap();
    })
    .await;
    assert_eq!(state.borrow().phase, LinkPhase::Closed);
}

#[tokio::test]
async fn an_opener_that_panics_closes_the_link() {
    let panics =
        || async { if std::hint::black_box(true) { panic!("as told") } else { Err::<Stream, _>("no") } };
    let store: Link<Store> = Connector::new(panics).link();
    let error = in_time(store.call(Get(4))).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    assert_eq!(store.state().borrow().phase, LinkPhase::Closed);
}

#[derive(Debug, Request)]
#[request(reply = String)]
struct WhoAreYou;

#[derive(Debug, Protocol)]
#[packetstream(client = Person)]
enum Asking {
    #[request(0)]
    WhoAreYou(WhoAreYou),
}

struct Named(&'static str);

impl Fulfil<WhoAreYou> for Named {
    async fn fulfil(&self, _: WhoAreYou, cx: Context) -> Result<String, Failure> {
        let peer = cx.extensions().get::<Peer>();
        Ok(format!("{}, you are {:?}", self.0, peer.as_deref()))
    }
}

#[tokio::test]
async fn a_link_can_have_a_side_that_answers_and_generated_clients() {
    let (connector, mut door) = connector();
    let connector =
        connector.builder(|| PacketConnection::builder().handler(serve::<Asking, _>(Named("here"))));
    let link: Link<Asking> = connector.link();
    let getting = tokio::spawn({
        let link = link.clone();
        async move { link.get::<Person>().await }
    });
    let peer = Person::from(door.knock().await.serve(serve::<Asking, _>(Named("there"))));
    let person = in_time(getting).await.unwrap().unwrap();
    in_time(async {
        assert_eq!(person.who_are_you(WhoAreYou).await.unwrap(), "there, you are None");
        assert_eq!(peer.who_are_you(WhoAreYou).await.unwrap(), "here, you are Some(Memory)");
        assert_eq!(link.call(WhoAreYou).await.unwrap(), "there, you are None");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_no_connection_would_take_opens_none() {
    #[derive(Debug, Payload)]
    struct Large(Vec<u8>);

    impl BaseRequest for Large {
        type Reply = ();
        type Error = Failure;
        const CONTRACT: Contract = Contract { max_payload: Some(1), ..Contract::NONE };
    }

    protocol!(Odd { 0 => Large });

    let (connector, mut door) = connector();
    let odd: Link<Odd> = connector.link();
    let error = in_time(odd.call(Large(vec![1, 2]))).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::TooLong { payload: 3, limit: 1 })), "{error:?}");
    assert!(door.is_quiet());
}

#[test]
fn a_request_may_be_asked_again_as_its_error_and_its_contract_say() {
    use packetstream::Outgoing;
    let get = Outgoing::of::<Store, _>(&Get(1)).unwrap();
    let add = Outgoing::of::<Store, _>(&Add(1)).unwrap();
    assert_eq!((get.rq_type, &get.payload[..], get.idempotent), (1, &[1][..], true));
    let of = |error: CallError| (add.may_be_asked_again(&error), get.may_be_asked_again(&error));
    assert_eq!(of(CallError::Lost(ConnectionError::NoGoodbye)), (false, true));
    assert_eq!(of(CallError::NotSent(NotSent::Closed)), (true, true));
    assert_eq!(of(CallError::NotSent(NotSent::Unwritable)), (false, false));
    assert_eq!(of(CallError::Failed(Failure::busy("2 at once"))), (true, true));
    assert_eq!(of(CallError::Failed(Failure::new("no"))), (false, false));
    let boxed: Box<dyn Error + Send + Sync> = Box::new(CallError::Lost(ConnectionError::NoGoodbye));
    assert!(get.may_be_asked_again(&*boxed));
    assert!(!get.may_be_asked_again(&std::fmt::Error));
    assert!(!format!("{get:?}").contains("[1]"), "no payload is shown");
}

#[test]
fn links_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<Link<Store>>();
    sent::<LinkCall<Get>>();
}
