//! Services: typed requests over a connection, performed by number.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{asking, in_time, pair, protocol, refusal};
use packetstream::{
    BaseRequest, Bytes, Client, Context, Failure, Fulfil, PacketConnection, ParseRequestError, Payload,
    Protocol, RequestError, Stream, serve,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

#[derive(Clone, Debug, PartialEq, Payload)]
struct Add(u64, u64);

impl BaseRequest for Add {
    type Reply = u64;
    type Error = Failure;
}

/// How many requests this connection has counted.
#[derive(Debug, Payload)]
struct Count();

impl BaseRequest for Count {
    type Reply = u64;
    type Error = Failure;
}

/// Has the other side add, and is answered with its sum.
#[derive(Debug, Payload)]
struct AddForMe(u64, u64);

impl BaseRequest for AddForMe {
    type Reply = u64;
    type Error = Failure;
}

protocol!(Calc { 0 => Add, 300 => Count });
protocol!(Asker { 0 => AddForMe });
protocol!(Nothing {});

struct Server;

impl Fulfil<Add> for Server {
    async fn fulfil(&self, Add(a, b): Add, _: Context) -> Result<u64, Failure> {
        a.checked_add(b).ok_or_else(|| Failure::new("too large"))
    }
}

impl Fulfil<Count> for Server {
    async fn fulfil(&self, _: Count, cx: Context) -> Result<u64, Failure> {
        let counter = cx.extensions().get_or_insert_with(AtomicU64::default);
        Ok(counter.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Fulfil<AddForMe> for Server {
    async fn fulfil(&self, AddForMe(a, b): AddForMe, cx: Context) -> Result<u64, Failure> {
        let calc: Client<Calc> = cx.peer();
        calc.call(Add(a, b)).await.map_err(|error| Failure::new(error.to_string()))
    }
}

#[test]
fn a_protocol_reads_requests_by_their_number() {
    let (flags, payload) = Add(1, 300).transcribe_request();
    let Ok(Calc::Add(request)) = Calc::from_request(0, flags, payload) else { panic!() };
    assert_eq!(request, Add(1, 300));
    assert!(matches!(Calc::from_request(300, 0, Bytes::new()), Ok(Calc::Count(Count()))));

    let error = Calc::from_request(1, 0, Bytes::new()).unwrap_err();
    assert_eq!(error, ParseRequestError::UnknownType(1));
    let error = Calc::from_request(0, 0, Bytes::from_static(b"\x01")).unwrap_err();
    assert!(matches!(error, ParseRequestError::Payload(_)), "{error:?}");
    assert_eq!(Nothing::from_request(0, 0, Bytes::new()).unwrap_err(), ParseRequestError::UnknownType(0));
}

#[tokio::test]
async fn requests_are_performed_by_number() {
    let (connection, _peer) = asking(serve::<Calc, _>(Server));
    let calc = Client::<Calc>::from(connection);
    in_time(async {
        assert_eq!(calc.call(Add(1, 2)).await.unwrap(), 3);
        assert_eq!(calc.call(Count()).await.unwrap(), 1);
        assert_eq!(refusal(calc.call(Add(1, u64::MAX)).await), "too large");
    })
    .await;
}

#[tokio::test]
async fn a_request_is_on_its_way_when_call_returns() {
    let (connection, _peer) = asking(serve::<Calc, _>(Server));
    let calc = Client::<Calc>::from(connection);
    let first = calc.call(Count());
    let second = calc.call(Count());
    in_time(async {
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(first.await.unwrap(), 1);
    })
    .await;
}

// Rules: R-8
#[tokio::test]
async fn what_cannot_be_read_is_refused_and_the_connection_lives() {
    let (connection, _peer) = asking(serve::<Calc, _>(Server));
    let ask = async |rq_type, payload: &'static [u8]| {
        let error = connection.submit(rq_type, 0, payload).await.unwrap_err();
        refusal::<(), Failure>(Err(error.into()))
    };
    in_time(async {
        assert_eq!(ask(7, b"").await, "unknown request type 7");
        let text = ask(0, b"\x01").await;
        assert!(text.starts_with("malformed request: "), "{text}");
        connection.submit(0, 0, &b"\x01\x02"[..]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_a_service_keeps_with_a_connection_is_not_seen_on_another() {
    let (first, _peer) = asking(serve::<Calc, _>(Server));
    let (second, _peer) = asking(serve::<Calc, _>(Server));
    let (first, second) = (Client::<Calc>::from(first), Client::<Calc>::from(second));
    in_time(async {
        for expected in 1..4 {
            assert_eq!(first.call(Count()).await.unwrap(), expected);
        }
        assert_eq!(second.call(Count()).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_the_builder_was_given_is_there_for_the_first_request() {
    let (here, there) = Stream::pair(1 << 10);
    let counted_before = AtomicU64::new(41);
    let builder = PacketConnection::builder().handler(serve::<Calc, _>(Server)).extension(counted_before);
    let peer = builder.spawn(there);
    let calc = Client::<Calc>::from(PacketConnection::builder().spawn(here));
    assert_eq!(in_time(calc.call(Count())).await.unwrap(), 42);
    assert_eq!(peer.extensions().get::<AtomicU64>().unwrap().load(Ordering::Relaxed), 42);
}

// Rules: R-18
#[tokio::test]
async fn each_side_serves_a_protocol_of_its_own() {
    let (a, b) = pair(serve::<Asker, _>(Server), serve::<Calc, _>(Server));
    let calc = Client::<Calc>::from(a);
    let asker = Client::<Asker>::from(b);
    in_time(async {
        assert_eq!(calc.call(Add(1, 2)).await.unwrap(), 3);
        // Number 0 there, too, and performed by asking back over the same connection.
        assert_eq!(asker.call(AddForMe(3, 4)).await.unwrap(), 7);
        let text = refusal(asker.call(AddForMe(3, u64::MAX)).await);
        assert_eq!(text, "the peer answered not-ok: too large");
    })
    .await;
}

#[tokio::test]
async fn a_side_that_serves_nothing_can_still_ask() {
    let (a, b) = pair(serve::<Nothing, _>(()), serve::<Calc, _>(Server));
    in_time(async {
        let calc = Client::<Calc>::from(a);
        assert_eq!(calc.call(Add(1, 2)).await.unwrap(), 3);
        assert_eq!(refusal(Client::<Calc>::from(b).call(Count()).await), "unknown request type 300");
    })
    .await;
}

/// Hands the contexts of its requests out.
struct HandsOut(mpsc::UnboundedSender<Context>);

impl Fulfil<AddForMe> for HandsOut {
    async fn fulfil(&self, _: AddForMe, cx: Context) -> Result<u64, Failure> {
        self.0.send(cx).unwrap();
        std::future::pending().await
    }
}

#[tokio::test]
async fn what_a_handler_has_spawned_sees_that_the_connection_is_gone() {
    let (out, mut contexts) = mpsc::unbounded_channel();
    let (here, mut there) = Stream::pair(1 << 10);
    let _connection = PacketConnection::builder().handler(serve::<Asker, _>(HandsOut(out))).spawn(here);
    in_time(async {
        // Length, tag, flags with the mark of a request, type, two numbers.
        there.write_all(&[5, 2, 2, 1, 1, 2]).await.unwrap();
        let cx = contexts.recv().await.unwrap();
        assert!(!cx.is_cancelled());
        let spawned = tokio::spawn(async move {
            cx.cancelled().await;
            cx.is_cancelled()
        });
        // No packet has an empty body.
        there.write_all(&[0]).await.unwrap();
        assert!(spawned.await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_context_knows_which_request_it_is_of() {
    let (out, mut contexts) = mpsc::unbounded_channel();
    let (connection, _peer) = asking(serve::<Asker, _>(HandsOut(out)));
    let _first = connection.submit(0, 0, &b"\x01\x02"[..]);
    let _second = connection.submit(0, 5, &b"\x01\x02"[..]);
    in_time(async {
        let (first, second) = (contexts.recv().await.unwrap(), contexts.recv().await.unwrap());
        assert_eq!((first.id().channel, first.id().tag, first.flags()), (0, 2, 0));
        assert_eq!((second.id().channel, second.id().tag, second.flags()), (0, 3, 5));
    })
    .await;
}

#[test]
fn contexts_calls_and_errors_can_be_sent_to_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send + Unpin + 'static>() {}
    shared::<Context>();
    shared::<RequestError>();
    sent::<packetstream::TypedCall<Add>>();
    let _: fn(RequestError) -> Arc<dyn std::error::Error + Send + Sync> = |error| Arc::new(error);
}
