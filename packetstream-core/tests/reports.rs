//! What is said of a connection at its end: who ended it, why, and numbers that add up.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Reader, Script, in_time, never, pair, reverse};
use packetstream_core::{
    CallError, ConnectionError, EndedBy, Incoming, Limits, NotSent, Packet, PacketConnection, Reply,
};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

fn request(tag: u64, payload: &'static [u8]) -> Bytes {
    Packet::request(0, tag, 1, 0, Bytes::from_static(payload)).unwrap().transcribe()
}

/// A connection whose peer has closed its receiving half, which writing has noticed; and the peer's sending half.
async fn unheard(
    connection: impl FnOnce(tokio::io::Join<DuplexStream, DuplexStream>) -> PacketConnection,
) -> (PacketConnection, DuplexStream) {
    let (peer_in, ours_out) = duplex(1 << 10);
    let (ours_in, mut peer_out) = duplex(1 << 10);
    let connection = connection(tokio::io::join(ours_in, ours_out));
    peer_out.write_all(&request(2, b"first")).await.unwrap();
    while connection.stats().requests < 1 {
        tokio::task::yield_now().await;
    }
    drop(peer_in);
    let _notices_it = connection.submit(0, 0, Bytes::new());
    while connection.is_open() {
        tokio::task::yield_now().await;
    }
    (connection, peer_out)
}

// Rules: L-9
#[tokio::test]
async fn of_two_sides_that_drain_the_second_ends_the_connection() {
    let (a, b) = pair(64);
    in_time(async {
        a.drain();
        b.peer_drained().await;
        b.drain();
        assert_eq!((a.closed().await.ended_by, b.closed().await.ended_by), (EndedBy::Peer, EndedBy::Us));
    })
    .await;
}

// Rules: W-23
#[tokio::test]
async fn a_stream_that_ends_inside_a_packet_is_the_transports_end() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        peer.says(b"\x05\x02").await;
        drop(peer);
        let report = connection.closed().await;
        assert!(matches!(report.result, Err(ConnectionError::Decode(_))), "{report}");
        assert_eq!(report.ended_by, EndedBy::Transport, "{report}");
    })
    .await;
}

// Rules: L-19
#[tokio::test]
async fn a_peer_that_has_said_its_last_ended_the_connection_although_writing_failed_first() {
    let (peer_in, ours_out) = duplex(1 << 10);
    let (ours_in, mut peer_out) = duplex(1 << 10);
    let connection = PacketConnection::builder().spawn(tokio::io::join(ours_in, ours_out));
    in_time(async {
        drop(peer_in);
        let call = connection.submit(0, 0, Bytes::new());
        while connection.is_open() {
            tokio::task::yield_now().await;
        }
        peer_out.write_all(&Packet::end_of_requests().transcribe()).await.unwrap();
        peer_out.write_all(&Packet::end_of_stream().transcribe()).await.unwrap();
        assert!(matches!(call.await, Err(CallError::Lost(ConnectionError::ClosedByPeer))));
        let report = connection.closed().await;
        assert!(report.result.is_ok(), "{report}");
        assert_eq!(report.ended_by, EndedBy::Peer, "{report}");
    })
    .await;
}

// Rules: L-19
#[tokio::test]
async fn a_transport_that_fails_both_ways_ended_the_connection() {
    in_time(async {
        for says_erq in [false, true] {
            let (connection, mut peer) =
                unheard(|stream| PacketConnection::builder().handler(reverse).spawn(stream)).await;
            if says_erq {
                peer.write_all(&Packet::end_of_requests().transcribe()).await.unwrap();
            }
            drop(peer);
            let report = connection.closed().await;
            assert!(matches!(report.result, Err(ConnectionError::Write(_))), "{report}");
            assert_eq!(report.ended_by, EndedBy::Transport, "{report}");
        }
    })
    .await;
}

// Rules: L-19
#[tokio::test]
async fn a_request_that_came_when_nothing_could_be_written_any_more_is_no_good_end() {
    in_time(async {
        let (connection, mut peer) =
            unheard(|stream| PacketConnection::builder().handler(reverse).spawn(stream)).await;
        let last = [&request(3, b"second")[..], &Packet::end_of_stream().transcribe()].concat();
        peer.write_all(&last).await.unwrap();
        let report = connection.closed().await;
        assert_eq!((report.requests_unanswered, report.ended_by), (1, EndedBy::Transport), "{report}");
        assert!(matches!(report.result, Err(ConnectionError::Write(_))), "{report}");
    })
    .await;
}

// Rules: none: counters
#[tokio::test]
async fn nothing_is_held_when_a_connection_ends_while_its_handlers_run() {
    in_time(async {
        let (connection, mut peer) =
            unheard(|stream| PacketConnection::builder().handler(never).spawn(stream)).await;
        peer.write_all(&Packet::end_of_stream().transcribe()).await.unwrap();
        let report = connection.closed().await;
        assert_eq!(report.requests_unanswered, 1, "{report}");
        let stats = report.stats;
        assert_eq!((stats.performing, stats.request_bytes, stats.unsent_bytes), (0, 0, 0));
    })
    .await;
}

// Rules: none: reports
#[tokio::test(start_paused = true)]
async fn answers_that_wait_in_vain_for_the_transport_are_unanswered_requests() {
    let (mut peer, stream) = duplex(16);
    let large = async |_: Incoming| Ok(Reply::from(Bytes::from_static(&[0; 1000])));
    let connection = PacketConnection::builder().handler(large).spawn(stream);
    in_time(async {
        peer.write_all(&request(2, b"")).await.unwrap();
        while connection.stats().requests_answered < 1 {
            tokio::task::yield_now().await;
        }
        connection.abort();
        let report = connection.closed().await;
        assert_eq!(report.requests_unanswered, 1, "{report}");
        assert_eq!((report.stats.unsent_responses, report.stats.unsent_bytes), (0, 0));
    })
    .await;
}

// Rules: none: reports
#[tokio::test]
async fn the_report_of_a_driver_that_was_dropped_is_as_complete_as_others() {
    let (mut peer, stream) = duplex(16);
    let echo = async |request: Incoming| {
        let length = if request.payload.is_empty() { 0 } else { 1000 };
        Ok(Reply::from(Bytes::from(vec![0; length])))
    };
    let (connection, driver) = PacketConnection::builder().handler(echo).build(stream);
    let running = tokio::spawn(driver.run());
    in_time(async {
        peer.write_all(&request(2, b"")).await.unwrap();
        Reader::new(&mut peer).hears().await.unwrap();
        peer.write_all(&request(3, b"large")).await.unwrap();
        while connection.stats().requests_answered < 2 {
            tokio::task::yield_now().await;
        }
        running.abort();
        let report = connection.closed().await;
        assert!(matches!(report.result, Err(ConnectionError::Dropped)), "{report}");
        assert_eq!(report.requests_unanswered, 1, "{report}");
        assert_eq!(report.stats.flushes, 1);
        assert_eq!((report.stats.unsent_responses, report.stats.unsent_bytes), (0, 0));
    })
    .await;
}

// Rules: none: reports
#[tokio::test(start_paused = true)]
async fn a_handler_that_finishes_when_its_answer_goes_nowhere_has_not_answered() {
    let (mut peer, stream) = duplex(16);
    let until_cancelled = async |request: Incoming| {
        request.cancelled().await;
        Ok(Reply::from(Bytes::new()))
    };
    let connection = PacketConnection::builder().handler(until_cancelled).spawn(stream);
    in_time(async {
        let _keeps_it_from_ending_at_once = connection.submit(0, 0, vec![0; 1000]);
        peer.write_all(&request(2, b"")).await.unwrap();
        while connection.stats().performing < 1 {
            tokio::task::yield_now().await;
        }
        connection.abort();
        let report = connection.closed().await;
        assert_eq!((report.stats.requests, report.requests_unanswered), (1, 1), "{report}");
        assert_eq!(report.stats.requests_answered, 0);
    })
    .await;
}

// Rules: none: counters
#[tokio::test(start_paused = true)]
async fn every_call_that_was_taken_is_in_one_other_number_at_the_end() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_call_bytes: 4, max_calls: 3, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    in_time(async {
        let _sent = connection.submit(1, 0, "four");
        let unwanted = connection.submit(2, 0, "more");
        let too_late = connection.submit(3, 0, "more");
        let _too_late_either = connection.submit(4, 0, "more");
        peer.hears().await.unwrap();
        drop(unwanted);
        peer.sends(common::answer(2, b"")).await;
        peer.hears().await.unwrap();
        let _too_late_too = connection.submit(5, 0, "more");
        let without_a_place = connection.submit(6, 0, "more");
        assert!(without_a_place.is_queued());
        peer.sends(Packet::end_of_stream()).await;
        let report = connection.closed().await;
        assert!(matches!(too_late.await, Err(CallError::Lost(_))));
        assert!(matches!(without_a_place.await, Err(CallError::NotSent(NotSent::Closed))));
        let stats = report.stats;
        assert_eq!((stats.calls, stats.calls_ok, stats.calls_withdrawn), (5, 1, 1), "{report}");
        assert_eq!((report.calls_lost, report.calls_unsent), (1, 2), "{report}");
    })
    .await;
}

// Rules: none: counters
#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_for_what_it_is_counts_for_nothing() {
    let (_peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let refused = connection.submit(u64::MAX, 0, "").await;
        assert!(matches!(refused, Err(CallError::NotSent(NotSent::Submit(_)))), "{refused:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let stats = connection.stats();
        assert_eq!((stats.calls, stats.in_flight, stats.abandoned, stats.queued), (0, 0, 0, 0));
    })
    .await;
}
