//! What outlives a handler learns that nobody can be answered any more.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use common::{Script, in_time};
use packetstream_core::{Incoming, Packet, PacketConnection, Reply};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A connection whose handler hands its requests out and never answers.
fn handing_out<S>(
    stream: S,
) -> (PacketConnection, packetstream_core::Driver<S>, mpsc::UnboundedReceiver<Incoming>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (out, requests) = mpsc::unbounded_channel();
    let handler = move |request: Incoming| {
        out.send(request).unwrap();
        std::future::pending()
    };
    let (connection, driver) = PacketConnection::builder().handler(handler).build(stream);
    (connection, driver, requests)
}

// Rules: L-12
#[tokio::test]
async fn a_request_is_cancelled_when_its_connection_fails() {
    let (mut peer, stream) = Script::new();
    let (_connection, driver, mut requests) = handing_out(stream);
    tokio::spawn(driver.run());
    in_time(async {
        peer.asks(2, b"").await;
        let request = requests.recv().await.unwrap();
        assert!(!request.is_cancelled());
        let spawned = tokio::spawn(async move {
            request.cancelled().await;
            request
        });
        peer.says(&[0]).await;
        let request = spawned.await.unwrap();
        assert!(request.is_cancelled());
        request.cancelled().await;
    })
    .await;
}

// Rules: none: the driver
#[tokio::test]
async fn a_request_is_cancelled_when_its_driver_is_dropped() {
    let (mut peer, stream) = Script::new();
    let (_connection, driver, mut requests) = handing_out(stream);
    let driver = tokio::spawn(driver.run());
    in_time(async {
        peer.asks(2, b"").await;
        let request = requests.recv().await.unwrap();
        driver.abort();
        request.cancelled().await;
        assert!(request.is_cancelled());
    })
    .await;
}

// Rules: L-19
#[tokio::test(start_paused = true)]
async fn a_request_is_cancelled_when_no_answer_can_be_written() {
    let (peer_in, ours_out) = tokio::io::duplex(1 << 10);
    let (ours_in, mut peer_out) = tokio::io::duplex(1 << 10);
    let (connection, driver, mut requests) = handing_out(tokio::io::join(ours_in, ours_out));
    tokio::spawn(driver.run());
    let start = Instant::now();
    in_time(async {
        let request = Packet::request(0, 2, 1, 0, "x".into()).unwrap().transcribe();
        peer_out.write_all(&request).await.unwrap();
        let request = requests.recv().await.unwrap();
        drop(peer_in);
        let _notices_it = connection.submit(0, 0, "");
        request.cancelled().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "not only when the peer has said its last");
    })
    .await;
}

// Rules: L-12
#[tokio::test(start_paused = true)]
async fn a_request_is_cancelled_before_the_peer_has_heard_that_the_connection_failed() {
    let (mut peer, stream) = tokio::io::duplex(2);
    let (_connection, driver, mut requests) = handing_out(stream);
    tokio::spawn(driver.run());
    let start = Instant::now();
    in_time(async {
        let request = Packet::request(0, 2, 1, 0, "x".into()).unwrap().transcribe();
        peer.write_all(&request).await.unwrap();
        let request = requests.recv().await.unwrap();
        peer.write_all(&[0]).await.unwrap();
        request.cancelled().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    })
    .await;
}

// Rules: L-8
#[tokio::test]
async fn a_request_is_not_cancelled_while_a_connection_that_closes_can_answer_it() {
    let (mut peer, stream) = Script::new();
    let (out, mut requests) = mpsc::unbounded_channel();
    let handler = move |request: Incoming| {
        let (answer, answered) = tokio::sync::oneshot::channel();
        out.send((request, answer)).unwrap();
        async { Ok(Reply::from(answered.await.unwrap_or(0_u64))) }
    };
    let connection = PacketConnection::builder().handler(handler).spawn(stream);
    in_time(async {
        peer.asks(2, b"").await;
        let (request, answer) = requests.recv().await.unwrap();
        connection.close();
        peer.sends(Packet::end_of_stream()).await;
        peer.expects(Packet::end_of_requests()).await;
        assert!(!request.is_cancelled());
        answer.send(7).unwrap();
        peer.expects(Packet::response(0, 2, Ok(Reply::from(7))).unwrap()).await;
        connection.closed().await.result.unwrap();
        assert!(request.is_cancelled(), "it has ended");
    })
    .await;
}
