//! Connections in sequence over one stream.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time, reverse};
use packetstream_core::{Packet, PacketConnection, Reply};
use tokio::io::duplex;

// Rules: L-16
#[tokio::test]
async fn the_transport_is_handed_back_with_what_was_read_past_the_end_and_serves_again() {
    let (mut peer, stream) = Script::new();
    in_time(async {
        let (connection, driver) = PacketConnection::builder().handler(reverse).build(stream);
        // The second conversation begins in the same write as the first one's end.
        let mut bytes = Packet::end_of_stream().transcribe().to_vec();
        bytes.extend(Packet::request(0, 2, 1, 0, "again".into()).unwrap().transcribe());
        peer.says(&bytes).await;
        let ended = driver.run().await;
        assert!(ended.report.result.is_ok());
        connection.closed().await.result.unwrap();
        peer.expects_goodbye().await;

        let (_connection, driver) = ended.reuse(PacketConnection::builder().handler(reverse));
        tokio::spawn(driver.run());
        peer.expects(answer(2, b"niaga")).await;
    })
    .await;
}

// Rules: L-16
#[tokio::test]
async fn what_is_read_behind_the_peers_last_packet_counts_for_the_next_connection() {
    let (mut peer, stream) = Script::new();
    let (connection, driver) = PacketConnection::builder().build(stream);
    in_time(async {
        let erq_eof_request = b"\x03\x01\x02\0\x03\0\x02\0\x04\x02\x02\x02!";
        peer.says(erq_eof_request).await;
        let ended = driver.run().await;
        assert_eq!((ended.report.stats.bytes_received, ended.unread.len()), (8, 5));
        assert_eq!(connection.closed().await.stats.bytes_received, 8);
        peer.expects_goodbye().await;

        let (connection, driver) = ended.reuse(PacketConnection::builder().handler(reverse));
        let life = async {
            peer.expects(answer(2, b"!")).await;
            peer.sends(Packet::end_of_stream()).await;
        };
        let (ended, ()) = tokio::join!(driver.run(), life);
        assert_eq!(ended.report.stats.bytes_received, 5 + 4);
        drop(connection);
    })
    .await;
}

// Rules: L-16
#[tokio::test]
async fn a_thousand_connections_in_sequence_share_a_stream_and_lose_nothing() {
    let (here, there) = duplex(64);
    let serve = async {
        let mut ended = PacketConnection::builder().handler(reverse).serve(there).await;
        for _ in 1..1_000 {
            assert!(ended.report.result.is_ok(), "{}", ended.report);
            let (connection, driver) = ended.reuse(PacketConnection::builder().handler(reverse));
            ended = driver.run().await;
            drop(connection);
        }
        ended
    };
    let ask = async {
        let (mut connection, mut driver) = PacketConnection::builder().build(here);
        for life in 0..1_000_u64 {
            let running = tokio::spawn(driver.run());
            let Reply { flags, payload } = connection.submit(0, life, "abc").await.unwrap();
            assert_eq!((flags, &payload[..]), (life, &b"cba"[..]));
            connection.close();
            let ended = running.await.unwrap();
            assert!(ended.report.result.is_ok(), "{}", ended.report);
            (connection, driver) = ended.reuse(PacketConnection::builder());
        }
        drop(connection);
        driver
    };
    let both = Box::pin(async { tokio::join!(serve, ask) });
    let (_, never_run) = in_time(both).await;
    drop(never_run);
}

// Rules: L-16, W-25
#[tokio::test]
async fn the_next_connection_begins_with_the_first_tag() {
    let (mut peer, stream) = Script::new();
    let (mut connection, mut driver) = PacketConnection::builder().build(stream);
    in_time(async {
        for _ in 0..2 {
            let running = tokio::spawn(driver.run());
            let call = connection.submit(1, 0, Bytes::new());
            peer.expects(Packet::request(0, 2, 1, 0, Bytes::new()).unwrap()).await;
            peer.sends(answer(2, b"")).await;
            call.await.unwrap();
            connection.close();
            peer.expects_goodbye().await;
            peer.sends(Packet::end_of_stream()).await;
            (connection, driver) = running.await.unwrap().reuse(PacketConnection::builder());
        }
    })
    .await;
}
