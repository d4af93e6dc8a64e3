//! Connections on demand: when they are made, who shares them, what becomes of calls when they are lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod attempts;
mod calls;
#[path = "../common/mod.rs"]
mod common;
mod ends;

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
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
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

/// Waits for both sides' goodbye.
async fn ends_well(connection: &PacketConnection) {
    connection.closed().await.result.unwrap();
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

#[test]
fn links_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<Link<Store>>();
    sent::<LinkCall<Get>>();
}
