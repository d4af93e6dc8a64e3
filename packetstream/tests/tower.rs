//! Clients, links and handlers as services, with layers of `tower` around them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{asking, in_time, protocol};
use packetstream::tower::{HandlerService, Layered, LayeredError, ServiceHandler};
use packetstream::{
    BaseRequest, CallError, Client, ConnectionError, Connector, Context, Contract, Failure, Fulfil,
    HasPacketConnection, Incoming, Limits, Link, LinkPhase, NotSent, Outgoing, PacketConnection, Payload,
    Reply, RequestError, Stream, serve,
};
use std::convert::Infallible;
use std::future::{self, pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc};
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Payload)]
struct Get(u64);

impl BaseRequest for Get {
    type Reply = u64;
    type Error = Missing;
    const CONTRACT: Contract = Contract { idempotent: true, max_payload: Some(5), ..Contract::NONE };
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Missing {
    id: u64,
}

/// Never answered.
#[derive(Clone, Debug, Payload)]
struct Wait();

impl BaseRequest for Wait {
    type Reply = ();
    type Error = Failure;
}

protocol!(Store { 0 => Get, 1 => Wait });

struct Server;

impl Fulfil<Get> for Server {
    async fn fulfil(&self, Get(id): Get, _: Context) -> Result<u64, Missing> {
        if id < 100 { Ok(id) } else { Err(Missing { id }) }
    }
}

impl Fulfil<Wait> for Server {
    async fn fulfil(&self, _: Wait, _: Context) -> Result<(), Failure> {
        pending().await
    }
}

fn server() -> packetstream::Served<Store, Server> {
    serve::<Store, _>(Server)
}

/// A client that has so many calls in flight at most, and its peer, which is to be kept.
fn store(max_calls: usize) -> (Client<Store>, PacketConnection) {
    let (here, there) = Stream::pair(1 << 12);
    let peer = PacketConnection::builder().handler(server()).spawn(there);
    let limits = Limits { max_calls, ..Limits::default() };
    (PacketConnection::builder().limits(limits).spawn(here).into(), peer)
}

/// Whether a service is ready at once.
fn is_ready<R, S: Service<R>>(service: &mut S) -> bool
where
    S::Error: std::fmt::Debug,
{
    service.poll_ready(&mut std::task::Context::from_waker(Waker::noop())).map(Result::unwrap).is_ready()
}

fn get(id: u64) -> Outgoing {
    Outgoing::of::<Store, _>(&Get(id)).unwrap()
}

#[tokio::test]
async fn a_client_is_ready_when_it_has_a_place_that_nobody_can_take() {
    let (mut store, _peer) = store(2);
    in_time(async {
        assert!(is_ready::<Get, _>(&mut store) && is_ready::<Get, _>(&mut store), "it takes one place");
        let mut other = store.clone();
        assert!(is_ready::<Outgoing, _>(&mut other));
        let mut third = store.clone();
        assert!(!is_ready::<Outgoing, _>(&mut third));
        assert!(is_ready::<Get, _>(&mut store), "its place stays its own while others wait");
        assert!(store.connection().submit(1, 0, "").is_queued());

        assert_eq!(Service::<Get>::call(&mut store, Get(7)).await.unwrap(), 7);
        poll_fn(|cx| Service::<Outgoing>::poll_ready(&mut third, cx)).await.unwrap();
        assert!(!is_ready::<Get, _>(&mut store), "the answer has let the third in");
        drop(third);
        poll_fn(|cx| Service::<Get>::poll_ready(&mut store, cx)).await.unwrap();
        assert_eq!(Service::<Outgoing>::call(&mut other, get(8)).await.unwrap(), Reply::from(8));
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_closed_fails_before_it_is_called() {
    let (mut store, peer) = store(2);
    assert!(is_ready::<Get, _>(&mut store));
    in_time(async {
        peer.close();
        drop(peer);
        store.connection().closed().await.result.unwrap();
        let error = poll_fn(|cx| Service::<Outgoing>::poll_ready(&mut store, cx)).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Closed)), "{error:?}");
        let error = poll_fn(|cx| Service::<Get>::poll_ready(&mut store, cx)).await.unwrap_err();
        assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn load_is_shed_when_too_much_is_in_flight() {
    let (store, _peer) = store(2);
    let layered = Layered::<Store, _>::new(ServiceBuilder::new().load_shed().service(store));
    let mut waiting = [Box::pin(layered.call(Wait())), Box::pin(layered.call(Wait()))];
    in_time(async {
        for call in &mut waiting {
            let mut cx = std::task::Context::from_waker(Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
        let error = layered.call(Get(1)).await.unwrap_err();
        let LayeredError::Layer(error) = error else { panic!("{error:?}") };
        assert!(error.is::<Overloaded>(), "{error:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn typed_calls_through_layers_tell_what_came_of_them() {
    let (store, _peer) = store(2);
    let connection = store.connection().clone();
    let layered =
        Layered::<Store, _>::new(ServiceBuilder::new().concurrency_limit(1).timeout(SECOND).service(store));
    in_time(async {
        assert_eq!(layered.call(Get(5)).await.unwrap(), 5);
        let error = layered.call(Get(500)).await.unwrap_err();
        let LayeredError::Request(RequestError::Failed(missing)) = error else { panic!("{error:?}") };
        assert_eq!(missing, Missing { id: 500 });
        let error = layered.call(Get(u64::MAX)).await.unwrap_err();
        let LayeredError::Request(RequestError::NotSent(NotSent::TooLong { .. })) = error else {
            panic!("{error:?}")
        };
        let error = layered.call(Wait()).await.unwrap_err();
        let LayeredError::Layer(error) = error else { panic!("{error:?}") };
        assert!(error.is::<Elapsed>(), "{error:?}");
        connection.close();
        let error = layered.call(Get(5)).await.unwrap_err();
        let LayeredError::Request(RequestError::NotSent(NotSent::Closed)) = error else {
            panic!("{error:?}")
        };
    })
    .await;
}

/// A link whose streams the test opens, and how it does.
fn link() -> (Link<Store>, mpsc::UnboundedReceiver<tokio::sync::oneshot::Sender<Result<Stream, Infallible>>>)
{
    let (attempts, knocks) = mpsc::unbounded_channel();
    let open = move || {
        let (attempt, opened) = tokio::sync::oneshot::channel();
        attempts.send(attempt).unwrap();
        async move { opened.await.unwrap() }
    };
    (Connector::new(open).link(), knocks)
}

#[tokio::test(start_paused = true)]
async fn a_link_is_ready_when_it_is_connected_and_again_when_it_is_connected_anew() {
    let (mut link, mut knocks) = link();
    in_time(async {
        assert!(!is_ready::<Outgoing, _>(&mut link));
        let attempt = knocks.recv().await.unwrap();
        tokio::task::yield_now().await;
        assert!(!is_ready::<Outgoing, _>(&mut link));
        let (here, there) = Stream::pair(1 << 12);
        attempt.send(Ok(here)).unwrap();
        let peer = PacketConnection::builder().handler(server()).build(there);
        let driver = tokio::spawn(peer.1.run());
        assert_eq!(link.ready().await.unwrap().call(get(3)).await.unwrap(), Reply::from(3));

        assert!(is_ready::<Outgoing, _>(&mut link));
        driver.abort();
        let knock = knocks.recv();
        let (attempt, ()) = tokio::join!(knock, async {
            // As long as the loss is not noticed it is ready; then it is not, and connects.
            while is_ready::<Outgoing, _>(&mut link) {
                tokio::task::yield_now().await;
            }
        });
        let (here, there) = Stream::pair(1 << 12);
        attempt.unwrap().send(Ok(here)).unwrap();
        let _peer = PacketConnection::builder().handler(server()).spawn(there);
        assert_eq!(link.ready().await.unwrap().call(get(4)).await.unwrap(), Reply::from(4));
        assert_eq!(link.call(Get(6)).await.unwrap(), 6, "and by itself");

        let late = Service::<Outgoing>::call(&mut link.clone(), get(5));
        assert_eq!(late.await.unwrap(), Reply::from(5), "though nobody has asked whether it is ready");
        link.close();
        let error = poll_fn(|cx| link.poll_ready(cx)).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Closed)), "{error:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_link_as_a_service_asks_once() {
    let (mut link, mut knocks) = link();
    in_time(async {
        assert!(!is_ready::<Outgoing, _>(&mut link));
        let (here, mut there) = Stream::pair(1 << 12);
        knocks.recv().await.unwrap().send(Ok(here)).unwrap();
        let answer = link.ready().await.unwrap().call(get(3));
        tokio::io::AsyncReadExt::read_u8(&mut there).await.unwrap();
        drop(there);
        let error = answer.await.unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::NoGoodbye)), "{error:?}");
        let mut state = link.state();
        state.wait_for(|state| state.phase == LinkPhase::Idle).await.unwrap();
        assert!(knocks.try_recv().is_err());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_longer_than_a_goodbye_though_the_link_is_dropped() {
    for waits_until_ready in [true, false] {
        let (mut link, mut knocks) = link();
        let answer = tokio::spawn(async move {
            if waits_until_ready {
                link.ready().await.unwrap();
            }
            let answer = Service::call(&mut link, get(3));
            drop(link);
            answer.await
        });
        let slow = async |_: Incoming| {
            tokio::time::sleep(2 * Limits::default().answer_timeout).await;
            Ok(Reply::from(3))
        };
        in_time(async {
            let (here, there) = Stream::pair(1 << 12);
            knocks.recv().await.unwrap().send(Ok(here)).unwrap();
            let peer = PacketConnection::builder().handler(slow).spawn(there);
            assert_eq!(answer.await.unwrap().unwrap(), Reply::from(3));
            // Then nobody has it any more.
            peer.closed().await.result.unwrap();
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_waits_for_a_place_takes_one_on_the_next_connection() {
    let (attempts, mut knocks) = mpsc::unbounded_channel();
    let open = move || {
        let (here, there) = Stream::pair(1 << 12);
        attempts.send(there).unwrap();
        async move { Ok::<_, Infallible>(here) }
    };
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let builder = move || PacketConnection::builder().limits(limits);
    let mut first: Link<Store> = Connector::new(open).builder(builder).link();
    in_time(async {
        first.ready().await.unwrap();
        let mut second = first.clone();
        assert!(!is_ready::<Outgoing, _>(&mut second));
        // The first has its place still, on a connection that ends.
        let ended = knocks.recv().await.unwrap();
        drop(ended);
        second.ready().await.unwrap();
        let _peer = PacketConnection::builder().handler(server()).spawn(knocks.recv().await.unwrap());
        assert_eq!(Service::call(&mut second, get(7)).await.unwrap(), Reply::from(7));
    })
    .await;
}

/// In what words each of these errors reaches the peer.
async fn refusal<E: Into<BoxError> + Send + 'static>(
    error: impl Fn() -> E + Clone + Send + 'static,
) -> String {
    let service = service_fn(move |_: Incoming| {
        let error = error();
        async move { Err::<Reply, E>(error) }
    });
    let (connection, _peer) = asking(ServiceHandler::new(service));
    common::refusal(in_time(Client::<Store>::from(connection).call(Wait())).await)
}

#[tokio::test]
async fn what_the_peer_is_told_of_errors_of_services() {
    assert_eq!(refusal(|| Failure::new("no such chunk")).await, "no such chunk");
    assert_eq!(refusal(|| -> BoxError { Box::new(Failure::new("boxed")) }).await, "boxed");
    assert_eq!(refusal(Overloaded::new).await, "busy");
    assert_eq!(refusal(Elapsed::new).await, "not done in time");
    assert_eq!(refusal(|| "a secret").await, "exception during handler");
}

/// Is never ready.
#[derive(Clone)]
struct Broken;

impl Service<Incoming> for Broken {
    type Response = Reply;
    type Error = Failure;
    type Future = future::Pending<Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Err(Failure::new("out of order")))
    }

    fn call(&mut self, _: Incoming) -> Self::Future {
        panic!("it is not ready")
    }
}

#[tokio::test]
async fn a_service_that_will_never_be_ready_is_not_called() {
    let (connection, _peer) = asking(ServiceHandler::new(Broken));
    let answer = in_time(Client::<Store>::from(connection).call(Wait())).await;
    assert_eq!(common::refusal(answer), "out of order");
}

#[tokio::test]
async fn a_service_answers_and_may_be_a_closure() {
    let service = service_fn(|request: Incoming| async move { Ok::<_, Failure>(request.flags + 1) });
    let (connection, _peer) = asking(ServiceHandler::new(service));
    assert_eq!(in_time(connection.submit(0, 41, "")).await.unwrap(), Reply::from(42));
}

/// A connection to a server of its own.
fn connected(handler: impl packetstream::Handler) -> (Client<Store>, PacketConnection) {
    let (connection, peer) = asking(handler);
    (connection.into(), peer)
}

/// How many of four requests, two over each of two connections, are answered `busy` while none is answered.
async fn shed(handlers: [impl packetstream::Handler; 2]) -> usize {
    let stores = handlers.map(connected);
    let (told, mut tells) = mpsc::unbounded_channel();
    for (store, _) in &stores {
        for _ in 0..2 {
            let (call, told) = (store.call(Wait()), told.clone());
            tokio::spawn(async move { told.send(call.await) });
        }
    }
    drop(told);
    // Asked later over the same connections, and answered: by then the others have been begun or shed.
    let mut count = 0;
    in_time(async {
        for (store, _) in &stores {
            let error = store.call(Get(1)).await;
            assert!(matches!(&error, Err(RequestError::Refused(failure)) if failure.is_busy()), "{error:?}");
        }
        while let Ok(result) = tells.try_recv() {
            assert_eq!(common::refusal(result), "busy");
            count += 1;
        }
    })
    .await;
    count
}

#[tokio::test]
async fn layers_hold_for_each_connection_or_for_all() {
    let stack = |places| {
        ServiceBuilder::new().load_shed().concurrency_limit(places).service(HandlerService::new(server()))
    };
    let shared = stack(1);
    assert_eq!(shed([ServiceHandler::new(shared.clone()), ServiceHandler::new(shared)]).await, 3);
    assert_eq!(shed([ServiceHandler::new(stack(1)), ServiceHandler::new(stack(1))]).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_out_of_a_layer_ends_the_handler() {
    struct Ends(Arc<AtomicU32>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let ended = Arc::new(AtomicU32::new(0));
    let ends = Arc::clone(&ended);
    let handler = move |_: Incoming| {
        let ends = Ends(Arc::clone(&ends));
        async move {
            let _ends = ends;
            pending().await
        }
    };
    let service = ServiceBuilder::new().timeout(SECOND).service(HandlerService::new(handler));
    let (store, _peer) = connected(ServiceHandler::new(service));
    assert_eq!(common::refusal(in_time(store.call(Wait())).await), "not done in time");
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_request_waits_until_its_service_is_ready() {
    let places = Arc::new(Semaphore::new(0));
    let service =
        tower::limit::ConcurrencyLimit::with_semaphore(HandlerService::new(server()), Arc::clone(&places));
    let (store, _peer) = connected(ServiceHandler::new(service));
    let (go, call) = (Arc::new(Notify::new()), store.call(Get(9)));
    let waits = tokio::spawn({
        let go = Arc::clone(&go);
        async move {
            go.notified().await;
            places.add_permits(1);
        }
    });
    go.notify_one();
    assert_eq!(in_time(call).await.unwrap(), 9);
    in_time(waits).await.unwrap();
}

#[test]
fn services_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn handles<T: packetstream::Handler>() {}
    shared::<Client<Store>>();
    shared::<Link<Store>>();
    shared::<Layered<Store, Link<Store>>>();
    shared::<HandlerService<packetstream::Served<Store, Server>>>();
    // A service that is not `Sync` will do.
    handles::<ServiceHandler<tower::util::BoxCloneService<Incoming, Reply, BoxError>>>();
}
