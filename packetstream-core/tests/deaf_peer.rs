//! Peers that have stopped reading: what they still say counts, for as long as they say something.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use common::{answer, in_time, reverse};
use packetstream_core::{ConnectionError, Packet, PacketConnection};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

/// A connection whose peer has stopped reading, and the other end of what it still reads.
fn deaf_peer() -> (PacketConnection, DuplexStream, DuplexStream) {
    // Two streams, of each of which one direction is used: like pipes, they end apart.
    let (peer_in, ours_out) = duplex(1 << 10);
    let (ours_in, peer_out) = duplex(1 << 10);
    let connection = PacketConnection::builder().handler(reverse).spawn(tokio::io::join(ours_in, ours_out));
    (connection, peer_in, peer_out)
}

// Rules: L-19
#[tokio::test(start_paused = true)]
async fn a_peer_that_stopped_reading_still_brings_its_last_words_however_slowly() {
    let (connection, mut peer_in, mut peer_out) = deaf_peer();
    let calls = [(); 5].map(|()| connection.submit(0, 0, "question"));
    in_time(async {
        let mut questions = [0; 5 * 12];
        peer_in.read_exact(&mut questions).await.unwrap();
        drop(peer_in);
        let unheard = connection.submit(0, 0, "too late");
        for tag in 2..7 {
            tokio::time::sleep(Duration::from_millis(600)).await;
            peer_out.write_all(&answer(tag, b"answer").transcribe()).await.unwrap();
        }
        peer_out.write_all(&Packet::end_of_stream().transcribe()).await.unwrap();
        for call in calls {
            assert_eq!(call.await.unwrap().payload, "answer");
        }
        unheard.await.unwrap_err();
        connection.closed().await.result.unwrap();
    })
    .await;
}

// Rules: L-19
#[tokio::test(start_paused = true)]
async fn a_peer_that_stopped_reading_is_listened_to_no_longer_than_a_goodbye_takes() {
    let (connection, peer_in, mut peer_out) = deaf_peer();
    let start = Instant::now();
    drop(peer_in);
    let unheard = connection.submit(0, 0, "question");
    let drip = tokio::spawn(async move {
        peer_out.write_all(&[200]).await.unwrap();
        while peer_out.write_all(&[1]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    });
    in_time(async {
        assert!(connection.closed().await.result.is_err());
        assert_eq!(start.elapsed().as_secs(), 30);
        unheard.await.unwrap_err();
        drip.await.unwrap();
    })
    .await;
}

// Rules: L-19
#[tokio::test]
async fn a_peer_that_left_in_good_order_need_not_hear_our_goodbye() {
    let (connection, peer_in, mut peer_out) = deaf_peer();
    in_time(async {
        peer_out.write_all(&Packet::end_of_stream().transcribe()).await.unwrap();
        drop(peer_in);
        connection.closed().await.result.unwrap();
    })
    .await;
}

// Rules: L-19
#[tokio::test]
async fn an_answer_that_could_not_be_written_is_no_good_end() {
    let (connection, peer_in, mut peer_out) = deaf_peer();
    in_time(async {
        let request = Packet::request(0, 2, 1, 0, "abc".into()).unwrap();
        drop(peer_in);
        peer_out.write_all(&request.transcribe()).await.unwrap();
        peer_out.write_all(&Packet::end_of_stream().transcribe()).await.unwrap();
        let error = connection.closed().await.result.unwrap_err();
        assert!(matches!(error, ConnectionError::Write(_)), "{error:?}");
    })
    .await;
}

// Rules: L-19
#[tokio::test(start_paused = true)]
async fn a_peer_that_stopped_reading_is_not_served_and_its_silence_is_taken_for_the_end() {
    let (connection, peer_in, mut peer_out) = deaf_peer();
    in_time(async {
        drop(peer_in);
        let call = connection.submit(0, 0, "question");
        while connection.is_open() {
            tokio::task::yield_now().await;
        }
        let start = Instant::now();
        peer_out.write_all(&Packet::request(0, 2, 1, 0, "abc".into()).unwrap().transcribe()).await.unwrap();
        let report = connection.closed().await;
        assert_eq!((report.stats.requests, report.stats.requests_refused), (0, 1), "{report}");
        // The limit is 1 s; one that nothing has to keep exactly takes up to twice as long.
        assert!((1..=2).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        call.await.unwrap_err();
    })
    .await;
}
