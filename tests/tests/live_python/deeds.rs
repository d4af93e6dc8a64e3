//! What either side can be asked, and does.

use crate::Trials;
use crate::party::{Medium, Party, Side};
use bytes::Bytes;
use packetstream::{
    Call, CallError, ConnectionError, DecodeError, Failure, Incoming, Limits, Outcome, PacketConnection,
    Reply,
};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Notify;

/// The types of requests, as `tests/python/party.py` has them.
const ECHO: u64 = 1;
const REVERSE: u64 = 2;
const ERROR: u64 = 3;
const FORM: u64 = 4;
const SLOW: u64 = 5;
const RELEASE: u64 = 6;
const CALL_BACK: u64 = 7;
const MUCH: u64 = 8;

/// Requests on one connection, so that tags have three bytes.
const MANY: u64 = 70_000;
const LARGE: usize = 10 << 20;
/// How many handlers Python runs at once.
const PYTHONS_HANDLERS: u64 = 4;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules, W-11, W-12, W-13
    trials.everywhere("payloads and flags come back", Side::Rust, |medium| asks(medium, echo));
    trials.everywhere("payloads and flags come back", Side::Python, |medium| is_asked(medium, "echo"));

    // Rules: W-10, W-12, W-25
    trials.everywhere("the request of the specification", Side::Rust, |medium| asks(medium, reverse));
    trials.everywhere("the request of the specification", Side::Python, |medium| is_asked(medium, "reverse"));

    // Rules: R-6
    trials.everywhere("what fails is an answer", Side::Rust, |medium| asks(medium, error));
    trials.everywhere("what fails is an answer", Side::Python, |medium| is_asked(medium, "error"));

    // Rules
    trials.everywhere("every form of a result", Side::Rust, |medium| asks(medium, forms));
    trials.everywhere("every form of a result", Side::Python, |medium| is_asked(medium, "forms"));

    // Rules: R-2
    trials.everywhere("answers overtake slow ones", Side::Rust, |medium| asks(medium, slow));
    trials.everywhere("answers overtake slow ones", Side::Python, |medium| is_asked(medium, "slow"));

    // Rules: R-18, W-27
    trials.everywhere("handlers ask back", Side::Rust, |medium| asks(medium, call_back));
    trials.everywhere("handlers ask back", Side::Python, |medium| is_asked(medium, "call-back"));

    // Rules: W-6, W-20, W-24
    trials.everywhere("ten mebibytes there and back", Side::Rust, |medium| asks(medium, large));
    trials.everywhere("ten mebibytes there and back", Side::Python, |medium| is_asked(medium, "large"));

    // Rules: R-16
    trials.everywhere("an answer that is too long is another", Side::Python, |medium| {
        is_asked(medium, "too-large")
    });

    // Rules: W-24, L-12
    trials.one("a request that is too long is the end, python asks", oversized);

    // Rules: W-14
    trials.one("a request that is too long is not sent, rust asks", || asks(Medium::Unix, not_sent));

    // Rules: W-1, W-25, W-26
    trials.one("70,000 requests on one connection, rust asks", || asks(Medium::Unix, many));
    trials.one("70,000 requests on one connection, python asks", || is_asked(Medium::Unix, "many"));
}

/// What this side performs.
async fn perform(request: Incoming, released: Arc<Notify>) -> Outcome {
    let (flags, payload) = (request.flags, request.payload.clone());
    Ok(match request.rq_type {
        ECHO => Reply { flags, payload },
        REVERSE => Reply { flags: 0x11, payload: payload.iter().rev().copied().collect() },
        ERROR => panic!("a secret"),
        FORM => match &payload[..] {
            b"None" => ().into(),
            b"int" => 300.into(),
            b"bool" => u64::from(true).into(),
            b"bytes" => Bytes::from_static(b"\x00\xff").into(),
            b"str" => "Gr\u{fc}\u{df}e".to_owned().into(),
            b"tuple" => Reply::from((5, Bytes::from_static(b"five"))),
            _ => panic!("a secret"),
        },
        SLOW => {
            released.notified().await;
            // For the next one.
            released.notify_one();
            Reply { flags, payload }
        }
        RELEASE => {
            released.notify_one();
            ().into()
        }
        CALL_BACK => {
            let peer = request.peer().clone();
            peer.submit(REVERSE, flags, payload).await.map_err(|error| Failure::new(error.to_string()))?
        }
        MUCH => {
            let count = str::from_utf8(&payload).unwrap().parse().unwrap();
            Bytes::from(vec![7; count]).into()
        }
        _ => return Err(Failure::new("unknown type")),
    })
}

fn builder() -> packetstream::Builder {
    let released = Arc::new(Notify::new());
    PacketConnection::builder().handler(move |request| perform(request, Arc::clone(&released)))
}

/// We do the deed, and both ends are content.
async fn asks<F: Future<Output = ()>>(medium: Medium, deed: fn(PacketConnection) -> F) {
    let (stream, process) = Party::start("party.py", &["serve", "{}"], medium).await.into_parts();
    let connection = builder().limits(Limits::python()).spawn(stream);
    deed(connection.clone()).await;
    connection.close();
    let report = connection.closed().await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    process.ends_well().await;
}

/// Python does the deed, and both ends are content.
async fn is_asked(medium: Medium, deed: &'static str) {
    let party = Party::start("party.py", &["ask", "{}", deed], medium).await;
    let (stream, process) = party.into_parts();
    let connection = builder().spawn(stream);
    let report = connection.closed().await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    assert!(report.stats.requests > 0, "{report}");
    assert_eq!(report.stats.requests_answered, report.stats.requests);
    process.ends_well().await;
}

/// What a failure says, and its flags.
fn failed(answer: Result<Reply, CallError>) -> (u64, Bytes) {
    match answer {
        Err(CallError::Failed(Failure { flags, payload })) => (flags, payload),
        other => panic!("{other:?}"),
    }
}

async fn echo(peer: PacketConnection) {
    for (flags, payload) in
        [(0, vec![]), (1, b"a".to_vec()), (0x55, b"\x00\xff".repeat(300)), (1 << 40, vec![0x80; 70_000])]
    {
        let payload = Bytes::from(payload);
        let reply = peer.submit(ECHO, flags, payload.clone()).await.unwrap();
        assert_eq!(reply, Reply { flags, payload });
    }
}

async fn reverse(peer: PacketConnection) {
    let reply = peer.submit(REVERSE, 0x55, &b"\x02\x03"[..]).await.unwrap();
    assert_eq!(reply, Reply { flags: 0x11, payload: Bytes::from_static(b"\x03\x02") });
}

async fn error(peer: PacketConnection) {
    let answer = peer.submit(ERROR, 0, "").await;
    assert_eq!(failed(answer), (0, "exception during handler".into()));
    reverse(peer).await;
}

async fn forms(peer: PacketConnection) {
    for (name, flags, payload) in [
        ("None", 0, &b""[..]),
        ("int", 300, b""),
        ("bool", 1, b""),
        ("bytes", 0, b"\x00\xff"),
        ("str", 0, "Gr\u{fc}\u{df}e".as_bytes()),
        ("surrogate", 0, b"a&#56448;b"),
        ("tuple", 5, b"five"),
        ("list", 6, b"six"),
        ("dict", 7, b"seven"),
    ] {
        let reply = peer.submit(FORM, 0, name).await.unwrap();
        assert_eq!(reply, Reply { flags, payload: Bytes::copy_from_slice(payload) }, "{name}");
    }
    for name in ["float", "one", "three", "bytearray", "Exception"] {
        let answer = peer.submit(FORM, 0, name).await;
        assert_eq!(failed(answer), (0, "exception during handler".into()), "{name}");
    }
}

async fn slow(peer: PacketConnection) {
    let slow: Vec<Call> = (0..3).map(|number| peer.submit(SLOW, number, number.to_string())).collect();
    // The fourth handler that Python has.
    assert_eq!(peer.submit(ECHO, 9, "quick").await.unwrap().payload, "quick");
    peer.submit(RELEASE, 0, "").await.unwrap();
    for (number, call) in slow.into_iter().enumerate().rev() {
        let reply = call.await.unwrap();
        assert_eq!((reply.flags, reply.payload), (number as u64, number.to_string().into()));
    }
}

async fn call_back(peer: PacketConnection) {
    let calls: Vec<Call> =
        (0..PYTHONS_HANDLERS).map(|n| peer.submit(CALL_BACK, n, format!("{n}!"))).collect();
    for (number, call) in calls.into_iter().enumerate() {
        let reply = call.await.unwrap();
        assert_eq!((reply.flags, reply.payload), (0x11, format!("!{number}").into()));
    }
}

async fn large(peer: PacketConnection) {
    let sent: Bytes = (0..LARGE).map(|n| (n ^ n >> 8 ^ n >> 16).to_le_bytes()[0]).collect();
    let reply = peer.submit(REVERSE, 0, sent.clone()).await.unwrap();
    assert!(reply.payload.iter().rev().eq(sent.iter()));
    let reply = peer.submit(MUCH, 0, LARGE.to_string()).await.unwrap();
    assert!(reply.payload.len() == LARGE && reply.payload.iter().all(|byte| *byte == 7));
}

async fn not_sent(peer: PacketConnection) {
    let error = peer.submit(ECHO, 0, vec![0; 17 << 20]).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(_)), "{error:?}");
    reverse(peer).await;
}

async fn oversized() {
    let party = Party::start("party.py", &["ask", "{}", "oversized"], Medium::Unix).await;
    // Python goes with this test: its thread that sends dies of a broken pipe.
    let (stream, _process) = party.into_parts();
    let report = builder().spawn(stream).closed().await;
    let error = report.result.unwrap_err();
    let ConnectionError::Decode(DecodeError::TooLong { announced, limit }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((announced, limit), ((17 << 20) + 3, 16 << 20));
}

async fn many(peer: PacketConnection) {
    let mut calls = VecDeque::new();
    let ask = |number: u64| peer.submit(ECHO, number % 1000, number.to_string());
    for number in 0..MANY {
        if calls.len() == 64 {
            let (asked, call): (u64, Call) = calls.pop_front().unwrap();
            let reply = call.await.unwrap();
            assert_eq!((reply.flags, reply.payload), (asked % 1000, asked.to_string().into()));
        }
        calls.push_back((number, ask(number)));
    }
    for (asked, call) in calls {
        assert_eq!(call.await.unwrap().payload, asked.to_string());
    }
    let stats = peer.stats();
    assert_eq!((stats.calls_ok, stats.in_flight, stats.queued), (MANY, 0, 0));
}
