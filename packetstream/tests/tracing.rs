//! What the typed layer tells `tracing`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::in_time;
use common::log::Log;
use packetstream::{
    Address, Client, Connector, Context, Failure, Fulfil, HasPacketConnection, Link, Listener,
    PacketConnection, Payload, Protocol, Request, RequestError, Stream, connect, serve,
};
use tracing::{Dispatch, Level, info};

#[derive(Debug, Request)]
#[request(reply = u64)]
struct Count {
    text: String,
}

#[derive(Debug, Request)]
#[request(reply = Said, error = Declared)]
struct Fail {
    text: String,
}

#[derive(Debug, Request)]
#[request(reply = Said, blocking)]
struct Block {
    text: String,
}

/// To which the peer's answer is none.
#[derive(Debug, Request)]
#[request(reply = Number)]
struct Misread {
    text: String,
}

#[derive(Debug, Payload)]
struct Said {
    text: String,
}

#[derive(Debug, Payload)]
struct Number(u64);

#[derive(Debug, Payload)]
enum Declared {
    Because { text: String },
}

#[derive(Protocol)]
enum Asked {
    #[request(0)]
    Count(Count),
    #[request(1)]
    Fail(Fail),
    #[request(2)]
    Block(Block),
    #[request(3)]
    Misread(Misread),
}

/// The same, as the other side has it.
#[derive(Protocol)]
enum Served {
    #[request(0)]
    Count(Count),
    #[request(1)]
    Fail(Fail),
    #[request(2)]
    Block(Block),
    #[request(3)]
    Echo(Echo),
}

#[derive(Debug, Request)]
#[request(reply = Said)]
struct Echo {
    text: String,
}

/// With who is told of what threads of its own do.
struct Server(Dispatch);

impl Fulfil<Count> for Server {
    async fn fulfil(&self, Count { text }: Count, _: Context) -> Result<u64, Failure> {
        info!("counting");
        Ok(text.len() as u64)
    }
}

impl Fulfil<Fail> for Server {
    async fn fulfil(&self, Fail { text }: Fail, _: Context) -> Result<Said, Declared> {
        Err(Declared::Because { text })
    }
}

impl Fulfil<Block> for Server {
    async fn fulfil(&self, Block { text }: Block, _: Context) -> Result<Said, Failure> {
        tracing::dispatcher::with_default(&self.0, || info!("blocking"));
        match text.as_str() {
            "" => Ok(Said { text }),
            _ => panic!("{text}"),
        }
    }
}

impl Fulfil<Echo> for Server {
    async fn fulfil(&self, Echo { text }: Echo, _: Context) -> Result<Said, Failure> {
        Ok(Said { text })
    }
}

fn server() -> Server {
    Server(tracing::dispatcher::get_default(Clone::clone))
}

fn connected() -> (Client<Asked>, PacketConnection) {
    let (here, there) = Stream::pair(1 << 12);
    let served = PacketConnection::builder().name("there").handler(serve::<Served, _>(server())).spawn(there);
    (PacketConnection::builder().name("here").spawn(here).into(), served)
}

#[tokio::test]
async fn spans_have_the_names_of_typed_requests_at_either_end() {
    let log = Log::with_spans(Level::DEBUG);
    let (client, _served) = connected();
    in_time(async { client.call(Count { text: "four".into() }).await.unwrap() }).await;
    log.line(&["packetstream::call{connection=\"here\"", "request=\"Count\"", "outcome=\"ok\"", "close"]);
    log.line(&["packetstream::request{connection=\"there\"", "request=\"Count\"", "counting"]);
}

#[tokio::test]
async fn spans_have_the_names_of_what_a_link_asks_too() {
    let log = Log::with_spans(Level::DEBUG);
    let open = || {
        let (here, there) = Stream::pair(1 << 12);
        tokio::spawn(PacketConnection::builder().handler(serve::<Served, _>(server())).serve(there));
        std::future::ready(Ok::<_, std::convert::Infallible>(here))
    };
    let link: Link<Asked> = Connector::new(open).link();
    in_time(async { link.call(Count { text: "four".into() }).await.unwrap() }).await;
    log.line(&["packetstream::call{", "request=\"Count\"", "outcome=\"ok\"", "close"]);
}

#[tokio::test]
async fn what_blocks_on_a_thread_of_its_own_lies_in_the_span_too() {
    let log = Log::with_spans(Level::DEBUG);
    let (client, _served) = connected();
    in_time(async { client.call(Block { text: String::new() }).await.unwrap() }).await;
    log.line(&["packetstream::request{connection=\"there\"", "request=\"Block\"}: tracing: blocking"]);
}

#[tokio::test]
async fn a_panic_on_a_thread_of_its_own_is_an_error_as_any_other() {
    let log = Log::with_spans(Level::ERROR);
    let (client, served) = connected();
    let result = in_time(client.call(Block { text: "as asked".into() })).await;
    assert!(matches!(result, Err(RequestError::Refused(failure)) if failure == Failure::internal()));
    log.line(&["ERROR packetstream: a handler has panicked connection=\"there\" channel=0 tag=2 rq_type=2"]);
    while served.stats().requests_answered < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(served.stats().requests_panicked, 1);
}

#[tokio::test]
async fn spans_of_connections_say_who_the_peer_is() {
    let log = Log::with_spans(Level::DEBUG);
    in_time(async {
        let listener = Listener::bind(&Address::Tcp("127.0.0.1:0".into())).await.unwrap();
        let address = listener.local_address().to_string();
        let builder = || PacketConnection::builder().name("there").handler(serve::<Served, _>(server()));
        let _serving = tokio::spawn(listener.serve(builder));
        let client: Client<Asked> = connect(&address).await.unwrap();
        client.call(Count { text: String::new() }).await.unwrap();
        let port = address.rsplit(':').next().unwrap();
        log.line(&["connection opened", &format!("connection{{peer=Tcp(127.0.0.1:{port})}}")]);
    })
    .await;
    log.line(&["connection opened", "connection{connection=\"there\" peer=Tcp(127.0.0.1:"]);
}

#[tokio::test]
async fn typed_values_and_declared_failures_are_never_logged() {
    let secret: String = std::iter::repeat_with(|| rand::random_range('a'..='z')).take(24).collect();
    let log = Log::with_spans(Level::TRACE);
    let (client, served) = connected();
    let text = || secret.clone();
    in_time(async {
        client.call(Count { text: text() }).label("counted").await.unwrap();
        let failed = client.call(Fail { text: text() }).await;
        assert!(matches!(failed, Err(RequestError::Failed(Declared::Because { text })) if text == secret));
        client.call(Block { text: text() }).await.unwrap_err();
        let misread = client.call(Misread { text: text() }).await;
        assert!(matches!(misread, Err(RequestError::Undecodable(_))));
        // Of the wrong shape for what is served.
        client.connection().submit(0, 0, format!("\u{7f}{secret}")).await.unwrap_err();
        client.connection().close();
        client.connection().closed().await;
        served.closed().await;
    })
    .await;
    let logged = log.text();
    assert!(logged.matches("packetstream::packet").count() >= 20, "{logged}");
    assert!(!logged.contains(&secret[..6]), "{logged}");
}
