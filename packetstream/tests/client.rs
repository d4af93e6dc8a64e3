//! Why a typed request has no reply: each reason, produced for real.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{asking, in_time, protocol};
use packetstream::{
    BaseRequest, Bytes, Client, ConnectionError, Context, Contract, Failure, Fulfil, Incoming, Limits,
    NotSent, PacketConnection, Payload, Reply, RequestError, Stream, serve,
};
use std::error::Error;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Debug, PartialEq, Payload)]
struct Full {
    left: u64,
}

#[derive(Clone, Debug, Payload)]
struct Put(Bytes);

impl BaseRequest for Put {
    type Reply = u64;
    type Error = Full;
    const CONTRACT: Contract = Contract { max_payload: Some(100), ..Contract::NONE };
}

/// Never answered.
#[derive(Debug, Payload)]
struct Wait();

impl BaseRequest for Wait {
    type Reply = ();
    type Error = Failure;
}

protocol!(Store { 0 => Put, 1 => Wait });

struct Server;

impl Fulfil<Put> for Server {
    async fn fulfil(&self, Put(data): Put, _: Context) -> Result<u64, Full> {
        match &data[..] {
            b"panic" => panic!("as asked"),
            b"full" => Err(Full { left: 3 }),
            _ => Ok(data.len() as u64),
        }
    }
}

impl Fulfil<Wait> for Server {
    async fn fulfil(&self, _: Wait, _: Context) -> Result<(), Failure> {
        std::future::pending().await
    }
}

fn put(data: &'static [u8]) -> Put {
    Put(Bytes::from_static(data))
}

// Rules: R-15
#[tokio::test]
async fn a_declared_failure_is_a_value() {
    let (connection, _peer) = asking(serve::<Store, _>(Server));
    let store = Client::<Store>::from(connection);
    in_time(async {
        assert_eq!(store.call(put(b"data")).await.unwrap(), 4);
        let error = store.call(put(b"full")).await.unwrap_err();
        assert_eq!(error.to_string(), "the peer failed to perform the request");
        assert!(error.refusal().is_none() && !error.is_retryable());
        let RequestError::Failed(full) = error else { panic!("{error:?}") };
        assert_eq!(full, Full { left: 3 });
    })
    .await;
}

// Rules: R-6, R-15
#[tokio::test]
async fn a_refusal_is_words_also_where_failures_are_declared() {
    let (connection, _peer) = asking(serve::<Store, _>(Server));
    let error = in_time(Client::<Store>::from(connection).call(put(b"panic"))).await.unwrap_err();
    assert_eq!(error.to_string(), "the peer answered not-ok: exception during handler");
    assert_eq!(error.refusal().unwrap().reason(), "exception during handler");
    assert!(!error.is_retryable(), "half of it may have been done");
}

// Rules: R-14
#[tokio::test]
async fn a_busy_peer_may_be_asked_again() {
    let (connection, _peer) = asking(async |_: Incoming| Err(Failure::busy("come back later")));
    let error = in_time(Client::<Store>::from(connection).call(put(b"x"))).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_decode_is_told_apart() {
    let nonsense = async |request: Incoming| match &request.payload[..] {
        b"\x01r" => Ok(Reply::from("not a number in the flags".to_owned())),
        _ => Err(Failure { flags: 1, payload: Bytes::new() }),
    };
    let (connection, _peer) = asking(nonsense);
    let store = Client::<Store>::from(connection);
    in_time(async {
        for what in [b"r", b"f"] {
            let error = store.call(put(what)).await.unwrap_err();
            assert!(matches!(error, RequestError::Undecodable(_)) && !error.is_retryable(), "{error:?}");
            assert!(error.source().is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn a_payload_over_the_requests_own_limit_is_not_sent() {
    let (connection, _peer) = asking(async |_: Incoming| panic!("it was sent"));
    let store = Client::<Store>::from(connection);
    let error = in_time(store.call(Put(Bytes::from(vec![0; 100])))).await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "payload of 101 bytes exceeds the limit of 100");
    let RequestError::NotSent(NotSent::TooLong { payload: 101, limit: 100 }) = error else {
        panic!("{error:?}")
    };
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn what_was_not_sent_names_its_cause_and_may_be_asked_again() {
    let (connection, peer) = asking(serve::<Store, _>(Server));
    let store = Client::<Store>::from(connection.clone());
    connection.close();
    let error = in_time(store.call(put(b"x"))).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::Closed)) && error.is_retryable(), "{error:?}");
    drop(peer);

    let (here, there) = Stream::pair(1 << 10);
    let connection = PacketConnection::builder().spawn(here);
    drop(there);
    in_time(connection.closed()).await.result.unwrap_err();
    let error = in_time(Client::<Store>::from(connection).call(put(b"x"))).await.unwrap_err();
    assert!(error.is_retryable());
    let RequestError::NotSent(NotSent::Lost(ConnectionError::NoGoodbye)) = error else { panic!("{error:?}") };
}

#[tokio::test(start_paused = true)]
async fn a_wait_can_be_bounded_and_its_permit_stays_with_the_request() {
    let (here, there) = Stream::pair(1 << 10);
    let _peer = PacketConnection::builder().handler(serve::<Store, _>(Server)).spawn(there);
    let limits = Limits { max_calls: 2, ..Limits::default() };
    let store = Client::<Store>::from(PacketConnection::builder().limits(limits).spawn(here));
    in_time(async {
        let start = Instant::now();
        let error = store.call(Wait()).timeout(Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        assert_eq!(error.to_string(), "no answer within 5s");
        assert!(matches!(error, RequestError::Unanswered(_)) && !error.is_retryable(), "{error:?}");
        let answered = store.call(put(b"data")).timeout(Duration::from_secs(5)).await;
        assert_eq!(answered.unwrap(), 4, "one of two is left");

        store.call(Wait()).timeout(Duration::from_millis(1)).await.unwrap_err();
        let error = store.call(put(b"data")).timeout(Duration::from_secs(5)).await.unwrap_err();
        // Both are in flight, so this one never left.
        let RequestError::NotSent(reason) = &error else { panic!("{error:?}") };
        assert_eq!(reason.to_string(), "no turn to be sent within 5s");
        assert!(error.is_retryable());
    })
    .await;
}

#[tokio::test]
async fn a_call_that_loses_its_connection_has_an_unknown_outcome() {
    let (here, mut there) = Stream::pair(1 << 10);
    let store = Client::<Store>::from(PacketConnection::builder().spawn(here));
    let call = store.call(put(b"data"));
    in_time(async {
        tokio::io::AsyncReadExt::read_u8(&mut there).await.unwrap();
        drop(there);
        let error = call.await.unwrap_err();
        assert!(matches!(error, RequestError::Lost(_)) && !error.is_retryable(), "{error:?}");
        assert!(error.source().is_some());
    })
    .await;
}
