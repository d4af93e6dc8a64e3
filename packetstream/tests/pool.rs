//! A pool of peers by `tower`, each behind a link: a slow one is asked less, a dead one not at all until it is back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{in_time, protocol};
use futures_util::stream;
use packetstream::tower::{Layered, LayeredError};
use packetstream::{
    Address, Backoff, BaseRequest, Connector, Context, Contract, Failure, Fulfil, Link, LinkPhase, Listener,
    Outgoing, PacketConnection, Payload, Reply, serve,
};
use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tower::balance::p2c::Balance;
use tower::discover::Change;
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::retry::Policy;
use tower::timeout::error::Elapsed;
use tower::util::BoxCloneService;
use tower::{BoxError, ServiceBuilder};

/// Which server has it, is the answer.
#[derive(Debug, Payload)]
struct Get(u64);

impl BaseRequest for Get {
    type Reply = u64;
    type Error = Failure;
    const CONTRACT: Contract = Contract { idempotent: true, ..Contract::NONE };
}

/// The same, but twice it is twice.
#[derive(Debug, Payload)]
struct Add(u64);

impl BaseRequest for Add {
    type Reply = u64;
    type Error = Failure;
}

protocol!(Store { 0 => Get, 1 => Add });

/// How often each server was asked.
type Counts = [usize; 3];

/// What a server knows of itself, which outlives it.
struct Books {
    name: u64,
    counts: watch::Sender<Counts>,
    /// Each answer takes one.
    pace: Semaphore,
}

/// More than any test asks.
const FAST: usize = 1 << 20;

impl Books {
    fn of_all() -> [Arc<Self>; 3] {
        let counts = watch::Sender::new([0; 3]);
        [0, 1, 2].map(|name| Arc::new(Self { name, counts: counts.clone(), pace: Semaphore::new(FAST) }))
    }

    /// Answers nothing before it may.
    fn stop(&self) {
        self.pace.forget_permits(FAST);
    }

    fn go_on(&self) {
        self.pace.add_permits(FAST);
    }

    async fn answer(&self) -> u64 {
        self.counts.send_modify(|counts| counts[usize::try_from(self.name).unwrap()] += 1);
        self.pace.acquire().await.unwrap().forget();
        self.name
    }
}

struct Server(Arc<Books>);

impl Fulfil<Get> for Server {
    async fn fulfil(&self, _: Get, _: Context) -> Result<u64, Failure> {
        Ok(self.0.answer().await)
    }
}

impl Fulfil<Add> for Server {
    async fn fulfil(&self, _: Add, _: Context) -> Result<u64, Failure> {
        Ok(self.0.answer().await)
    }
}

/// Serves at an address, until the task is aborted: that kills the server and its connections.
async fn start(address: &str, books: &Arc<Books>) -> (Address, JoinHandle<()>) {
    let listener = Listener::bind(&address.parse().unwrap()).await.unwrap();
    let (address, books) = (listener.local_address(), Arc::clone(books));
    let builder = move || PacketConnection::builder().handler(serve::<Store, _>(Server(Arc::clone(&books))));
    let serving = tokio::spawn(async move { listener.serve(builder).await.unwrap() });
    (address, serving)
}

fn link(address: Address) -> Link<Store> {
    let backoff =
        Backoff { first: Duration::from_millis(5), most: Duration::from_millis(5), ..Backoff::default() };
    Connector::to(address).backoff(backoff).link()
}

/// Asks up to so many more times, where that does no harm.
#[derive(Clone)]
struct Again(u32);

impl Policy<Outgoing, Reply, BoxError> for Again {
    type Future = future::Ready<()>;

    fn retry(&mut self, asked: &mut Outgoing, result: &mut Result<Reply, BoxError>) -> Option<Self::Future> {
        let error = result.as_ref().err()?;
        self.0 = self.0.checked_sub(1)?;
        asked.may_be_asked_again(&**error).then(|| future::ready(()))
    }

    fn clone_request(&mut self, asked: &Outgoing) -> Option<Outgoing> {
        Some(asked.clone())
    }
}

type Pool = Layered<Store, BoxCloneService<Outgoing, Reply, BoxError>>;

/// A pool whose members come and go as told.
fn pool() -> (Pool, mpsc::UnboundedSender<Change<u64, Link<Store>>>) {
    let (told, mut tells) = mpsc::unbounded_channel();
    let members = stream::poll_fn(move |cx| {
        tells.poll_recv(cx).map(|change: Option<Change<u64, Link<Store>>>| {
            change.map(|change| {
                Ok::<_, Infallible>(match change {
                    Change::Insert(name, link) => {
                        Change::Insert(name, PendingRequests::new(link, CompleteOnResponse::default()))
                    }
                    Change::Remove(name) => Change::Remove(name),
                })
            })
        })
    });
    let stack = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(64)
        .timeout(Duration::from_mins(1))
        .retry(Again(5))
        .buffer(64)
        .service(Balance::new(Box::pin(members)));
    (Layered::new(BoxCloneService::new(stack)), told)
}

#[tokio::test]
async fn calls_go_on_when_one_is_slow_and_one_dies_and_comes_back() {
    let books = Books::of_all();
    let [steady, mortal, slow] = &books;
    let counts = steady.counts.clone();
    // Waits until as many have been asked.
    let arrived = async |total: usize| {
        let mut counts = counts.subscribe();
        *counts.wait_for(|counts| counts.iter().sum::<usize>() >= total).await.unwrap()
    };
    let (store, told) = pool();
    in_time(async {
        let (mut links, mut tasks, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for books in &books {
            let (address, serving) = start("tcp://127.0.0.1:0", books).await;
            let link = link(address.clone());
            told.send(Change::Insert(books.name, link.clone())).unwrap();
            links.push(link);
            tasks.push(serving);
            addresses.push(address);
        }
        // All are asked while all are fast, so all are connected.
        while counts.borrow().contains(&0) {
            store.call(Get(0)).await.unwrap();
        }

        // One answers no more. From then on it has a call in flight, where the others have none.
        slow.stop();
        let then = *counts.borrow();
        let mut waiting = Vec::new();
        for n in 0..200 {
            let before: Counts = *counts.borrow();
            let call = tokio::spawn(store.call(Get(n)));
            if arrived(before.iter().sum::<usize>() + 1).await[2] > before[2] {
                waiting.push(call);
            } else {
                assert_ne!(call.await.unwrap().unwrap(), 2);
            }
        }
        let asked = *counts.borrow();
        assert_eq!(waiting.len(), asked[2] - then[2]);
        assert!(waiting.len() <= 2, "{then:?} to {asked:?}");
        let others = [0, 1].map(|name| asked[name] - then[name]);
        assert!(others.iter().all(|count| *count > 20), "both are asked: {then:?} to {asked:?}");

        // One dies with calls in flight: they go to the others, since they may.
        steady.stop();
        mortal.stop();
        let before = *counts.borrow();
        while counts.borrow()[1] < before[1] + 3 {
            let total = counts.borrow().iter().sum::<usize>();
            waiting.push(tokio::spawn(store.call(Get(0))));
            arrived(total + 1).await;
        }
        tasks.remove(1).abort();
        steady.go_on();
        slow.go_on();
        for call in waiting {
            assert_ne!(call.await.unwrap().unwrap(), 1);
        }
        let dead = counts.borrow()[1];
        for n in 0..50 {
            assert_ne!(store.call(Add(n)).await.unwrap(), 1, "what is not idempotent is asked, too");
        }
        assert_eq!(counts.borrow()[1], dead);
        assert_ne!(links[1].state().borrow().phase, LinkPhase::Connected);

        // It comes back.
        mortal.go_on();
        let (_, serving) = start(&addresses[1].to_string(), mortal).await;
        while counts.borrow()[1] == dead {
            store.call(Add(0)).await.unwrap();
        }
        serving.abort();
    })
    .await;
}

#[tokio::test]
async fn members_come_and_go_as_they_are_discovered() {
    let [first, second, _] = Books::of_all();
    let (store, told) = pool();
    in_time(async {
        let (address, _serving) = start("tcp://127.0.0.1:0", &first).await;
        let leaves = link(address);
        let mut state = leaves.state();
        told.send(Change::Insert(0, leaves)).unwrap();
        assert_eq!(store.call(Get(1)).await.unwrap(), 0);

        let (address, _serving) = start("tcp://127.0.0.1:0", &second).await;
        told.send(Change::Insert(1, link(address))).unwrap();
        told.send(Change::Remove(0)).unwrap();
        for n in 0..10 {
            assert_eq!(store.call(Get(n)).await.unwrap(), 1);
        }
        state.wait_for(|state| state.phase == LinkPhase::Closed).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_of_dead_peers_fails_calls_in_time() {
    let (store, told) = pool();
    let refused = Connector::new(async || Err::<packetstream::Stream, _>("nobody there"));
    told.send(Change::Insert(0, refused.link())).unwrap();
    let error = in_time(store.call(Get(0))).await.unwrap_err();
    let LayeredError::Layer(error) = error else { panic!("{error:?}") };
    assert!(error.is::<Elapsed>(), "{error:?}");
}
