//! What callers are told of requests that never left: what ended the connection, wherever the request was.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time};
use packetstream_core::{
    Call, CallError, ConnectionError, Limits, MAX_REQUEST_TYPE, NotSent, Packet, PacketConnection,
    SubmitError,
};
use tokio::io::duplex;

/// Why a request was not sent.
async fn not_sent(call: Call) -> NotSent {
    match in_time(call).await {
        Err(CallError::NotSent(reason)) => reason,
        other => panic!("sent: {other:?}"),
    }
}

fn is_no_goodbye(reason: &NotSent) -> bool {
    matches!(reason, NotSent::Lost(ConnectionError::NoGoodbye))
}

// Rules: L-13
#[tokio::test]
async fn a_request_that_comes_too_late() {
    let (peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    drop(peer);
    in_time(connection.closed()).await.result.unwrap_err();
    for _ in 0..3 {
        let reason = not_sent(connection.submit(0, 0, "x")).await;
        assert!(is_no_goodbye(&reason) && reason.is_retryable(), "{reason:?}");
    }
}

// Rules: L-7, L-13
#[tokio::test]
async fn a_request_that_waits_its_turn() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let sent = connection.submit(0, 0, "sent");
    let queued = tokio::spawn(not_sent(connection.submit(0, 0, "queued")));
    in_time(async {
        peer.hears().await.unwrap();
        drop(peer);
        let error = sent.await.unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::NoGoodbye)), "{error:?}");
        let reason = queued.await.unwrap();
        assert!(is_no_goodbye(&reason), "{reason:?}");
    })
    .await;
}

// Rules: L-7
#[tokio::test]
async fn a_request_that_the_driver_has_left_in_the_inbox() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_call_bytes: 10, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let _sent = connection.submit(0, 0, "ten bytes!");
    let left = connection.submit(0, 0, "more");
    in_time(async {
        peer.hears().await.unwrap();
        drop(peer);
        let reason = not_sent(left).await;
        assert!(is_no_goodbye(&reason), "{reason:?}");
    })
    .await;
}

// Rules: none: the driver
#[tokio::test]
async fn a_request_that_the_driver_has_never_seen() {
    let (_peer, stream) = Script::new();
    let (connection, driver) = PacketConnection::builder().build(stream);
    let unseen = connection.submit(0, 0, "x");
    drop(driver);
    let late = connection.submit(0, 0, "x");
    for call in [unseen, late] {
        let reason = not_sent(call).await;
        assert!(matches!(reason, NotSent::Lost(ConnectionError::Dropped)), "{reason:?}");
    }
}

// Rules: L-7
#[tokio::test]
async fn a_request_that_the_state_holds() {
    let (peer, stream) = Script::new();
    let (connection, driver) = PacketConnection::builder().build(stream);
    let unsent = connection.submit(0, 0, "x");
    drop(peer);
    // Its first turn takes the request, reads the end, and only then would write.
    tokio::spawn(driver.run());
    let reason = not_sent(unsent).await;
    assert!(is_no_goodbye(&reason), "{reason:?}");
}

// Rules: L-19
#[tokio::test]
async fn a_request_that_cannot_be_written() {
    let (peer_in, ours_out) = duplex(1 << 10);
    let (ours_in, _peer_out) = duplex(1 << 10);
    let connection = PacketConnection::builder().spawn(tokio::io::join(ours_in, ours_out));
    in_time(async {
        // More than is made ready for the transport at a time: the second is in the state.
        let begun = connection.submit(0, 0, vec![0; 1 << 20]);
        let unsent = connection.submit(0, 0, "x");
        let mut peer_in = peer_in;
        tokio::io::AsyncReadExt::read_u8(&mut peer_in).await.unwrap();
        drop(peer_in);
        for call in [unsent, connection.submit(0, 0, "x")] {
            let reason = not_sent(call).await;
            assert!(matches!(reason, NotSent::Lost(ConnectionError::Write(_))), "{reason:?}");
        }
        connection.close();
        drop(begun);
    })
    .await;
}

// Rules: L-7
#[tokio::test]
async fn a_goodbye_is_no_failure() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let _sent = connection.submit(0, 0, "sent");
    let queued = tokio::spawn(not_sent(connection.submit(0, 0, "queued")));
    in_time(async {
        peer.hears().await.unwrap();
        peer.sends(Packet::end_of_stream()).await;
        let reason = queued.await.unwrap();
        assert!(matches!(reason, NotSent::Closed) && reason.is_retryable(), "{reason:?}");
        connection.closed().await.result.unwrap();
        drop(peer);
        let reason = not_sent(connection.submit(0, 0, "late")).await;
        assert!(matches!(reason, NotSent::Closed), "{reason:?}");
    })
    .await;
}

// Rules: L-12
#[tokio::test(start_paused = true)]
async fn the_first_cause_is_told_whatever_follows() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    // An empty body is no packet; the peer then does not take our goodbye either.
    peer.says(&[0]).await;
    in_time(connection.closed()).await.result.unwrap_err();
    drop(peer);
    let reason = not_sent(connection.submit(0, 0, "late")).await;
    assert!(matches!(reason, NotSent::Lost(ConnectionError::Decode(_))), "{reason:?}");
}

// Rules: W-14
#[tokio::test]
async fn a_request_that_no_connection_would_take_is_not_worth_asking_again() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    let reason = not_sent(connection.submit(MAX_REQUEST_TYPE + 1, 0, "x")).await;
    assert!(matches!(reason, NotSent::Submit(SubmitError::Packet(_))), "{reason:?}");
    assert!(!reason.is_retryable());
    let reason = not_sent(connection.submit(0, 0, vec![0; 16 << 20])).await;
    assert!(matches!(reason, NotSent::TooLong { .. }) && !reason.is_retryable(), "{reason:?}");
    in_time(async {
        let call = connection.submit(0, 0, Bytes::new());
        peer.hears().await.unwrap();
        peer.sends(answer(2, b"alive")).await;
        assert_eq!(call.await.unwrap().payload, "alive");
    })
    .await;
}
