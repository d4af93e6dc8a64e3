//! The verbs of a connection's life, each against a scripted peer.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time, never, pair, refusal, reverse};
use packetstream_core::{
    CallError, ConnectionError, EndedBy, Kind, Limits, NotSent, Packet, PacketConnection,
};
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::duplex;
use tokio::time::Instant;

/// Whether a future is ready once everything else had its turn.
async fn is_ready<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let mut future = future;
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

// Rules: L-2, L-3, L-9
#[tokio::test]
async fn draining_says_erq_gets_its_answers_and_answers_on_until_the_peer_says_erq_too() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    in_time(async {
        let call = connection.submit(7, 0, Bytes::new());
        connection.drain();
        assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(7));
        peer.expects(Packet::end_of_requests()).await;
        let late = connection.submit(7, 0, Bytes::new()).await.unwrap_err();
        assert!(matches!(late, CallError::NotSent(NotSent::Closed)), "{late:?}");
        assert!(!connection.is_open());

        peer.sends(answer(2, b"answered")).await;
        assert_eq!(call.await.unwrap().payload, "answered");
        peer.asks(2, b"abc").await;
        peer.expects(answer(2, b"cba")).await;
        peer.asks(3, b"once more").await;
        peer.expects(answer(3, b"erom ecno")).await;

        peer.sends(Packet::end_of_requests()).await;
        peer.expects(Packet::end_of_stream()).await;
        peer.sends(Packet::end_of_stream()).await;
        assert!(connection.closed().await.result.is_ok());
    })
    .await;
}

// Rules: L-2, L-18
#[tokio::test(start_paused = true)]
async fn a_drained_connection_stays_for_as_long_as_the_peer_likes_and_closes_when_told() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    connection.drain();
    tokio::time::sleep(Duration::from_hours(24)).await;
    peer.asks(2, b"abc").await;
    peer.expects(Packet::end_of_requests()).await;
    peer.expects(answer(2, b"cba")).await;
    connection.close();
    peer.expects(Packet::end_of_stream()).await;
    peer.sends(Packet::end_of_stream()).await;
    assert_eq!(in_time(connection.closed()).await.ended_by, EndedBy::Us);
}

// Rules: L-9
#[tokio::test]
async fn two_sides_that_both_drain_end_the_connection() {
    let (a, b) = pair(64);
    in_time(async {
        a.drain();
        b.peer_drained().await;
        assert_eq!(b.submit(0, 0, "ab").await.unwrap().payload, "ba", "the other side still answers");
        b.drain();
        assert!(a.closed().await.result.is_ok() && b.closed().await.result.is_ok());
    })
    .await;
}

// Rules: none: barriers
#[tokio::test]
async fn a_barrier_waits_for_earlier_calls_and_not_for_later_ones() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let (_first, _second) =
            (connection.submit(0, 0, Bytes::new()), connection.submit(0, 0, Bytes::new()));
        let mut barrier = pin!(connection.barrier());
        let _later = connection.submit(0, 0, Bytes::new());
        for _ in 0..3 {
            peer.hears().await.unwrap();
        }
        peer.sends(answer(3, b"")).await;
        assert!(!is_ready(barrier.as_mut()).await, "the first call has no answer");
        peer.sends(answer(2, b"")).await;
        barrier.await;
        let mut next = pin!(connection.barrier());
        assert!(!is_ready(next.as_mut()).await, "the later call has no answer");
    })
    .await;
}

// Rules: none: barriers
#[tokio::test]
async fn a_barrier_is_reached_when_the_calls_before_it_are_lost() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let call = connection.submit(0, 0, Bytes::new());
        let barrier = connection.barrier();
        peer.hears().await.unwrap();
        drop(peer);
        barrier.await;
        assert!(matches!(call.await, Err(CallError::Lost(ConnectionError::NoGoodbye))));
        connection.closed().await;
        connection.barrier().await;
    })
    .await;
}

// Rules: none: barriers
#[tokio::test]
async fn a_barrier_may_follow_a_drain() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let _call = connection.submit(0, 0, Bytes::new());
        connection.drain();
        let mut barrier = pin!(connection.barrier());
        assert!(!is_ready(barrier.as_mut()).await);
        peer.sends(answer(2, b"")).await;
        barrier.await;
    })
    .await;
}

// Rules: L-17
#[tokio::test]
async fn aborting_ends_calls_and_handlers_and_tells_the_peer_at_once() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(never).spawn(stream);
    in_time(async {
        let call = connection.submit(0, 0, Bytes::new());
        peer.hears().await.unwrap();
        peer.asks(2, b"").await;
        while connection.stats().performing == 0 {
            tokio::task::yield_now().await;
        }
        connection.abort();
        assert!(matches!(call.await, Err(CallError::Lost(ConnectionError::Aborted))));
        peer.expects(Packet::end_of_stream()).await;
        let report = connection.closed().await;
        assert!(matches!(report.result, Err(ConnectionError::Aborted)), "{report:?}");
        assert_eq!((report.calls_lost, report.requests_unanswered), (1, 1));
        assert_eq!(report.ended_by, EndedBy::Us);
        let late = connection.submit(0, 0, Bytes::new()).await;
        assert!(matches!(late, Err(CallError::NotSent(NotSent::Lost(ConnectionError::Aborted)))));
    })
    .await;
}

// Rules: none: how long an abort takes
#[tokio::test(start_paused = true)]
async fn aborting_waits_no_longer_than_a_second_for_a_peer_that_reads_nothing() {
    let (_peer, stream) = duplex(16);
    let connection = PacketConnection::builder().spawn(stream);
    let _call = connection.submit(0, 0, vec![0; 1000]);
    tokio::task::yield_now().await;
    let start = Instant::now();
    connection.abort();
    let report = in_time(connection.closed()).await;
    assert!(matches!(report.result, Err(ConnectionError::Aborted)), "{report:?}");
    assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
}

// Rules: none: who is told
#[tokio::test]
async fn whoever_waits_hears_of_each_step_of_the_peers_goodbye() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(never).spawn(stream);
    in_time(async {
        let (mut drained, mut closed) = (pin!(connection.peer_drained()), pin!(connection.peer_closed()));
        assert!(!is_ready(drained.as_mut()).await);
        peer.asks(2, b"").await;
        peer.sends(Packet::end_of_requests()).await;
        drained.await;
        assert!(!is_ready(closed.as_mut()).await);
        peer.sends(Packet::end_of_stream()).await;
        closed.await;
        let mut ended = pin!(connection.closed());
        assert!(!is_ready(ended.as_mut()).await, "an answer is owed");
    })
    .await;
}

// Rules: none: who is told
#[tokio::test]
async fn waiting_for_the_peers_goodbye_ends_with_the_connection() {
    let (peer, stream) = Script::new();
    let (connection, driver) = PacketConnection::builder().build(stream);
    drop(driver);
    in_time(async {
        connection.peer_drained().await;
        connection.peer_closed().await;
    })
    .await;
    drop(peer);
}

// Rules: none: reports
#[tokio::test]
async fn the_report_says_who_ended_the_connection_and_what_it_did() {
    let (a, b) = pair(1 << 16);
    in_time(async {
        a.submit(0, 0, "ping").await.unwrap();
        a.close();
        let (ours, theirs) = (a.closed().await, b.closed().await);
        assert_eq!((ours.ended_by, theirs.ended_by), (EndedBy::Us, EndedBy::Peer));
        assert_eq!((ours.stats.calls, ours.stats.calls_ok, ours.stats.requests), (1, 1, 0));
        assert_eq!((theirs.stats.requests, theirs.stats.requests_answered), (1, 1));
        // A request or its answer, and both end markers.
        assert_eq!((ours.stats.packets_sent, ours.stats.packets_received), (3, 3));
        assert_eq!((ours.stats.bytes_sent, theirs.stats.bytes_sent), (8 + 4 + 4, 7 + 4 + 4));
        assert_eq!(ours.stats.bytes_sent, theirs.stats.bytes_received);
        assert_eq!((ours.calls_lost, ours.calls_unsent, ours.requests_unanswered), (0, 0, 0));
        assert!(ours.shut_down.is_none(), "{ours:?}");
        assert_eq!(a.closed().await.to_string(), ours.to_string(), "it is told to whoever asks, whenever");
    })
    .await;
}

// Rules: none: reports
#[tokio::test]
async fn the_report_counts_what_was_lost_and_what_was_never_sent() {
    let (peer, stream) = duplex(16);
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        // The first is more than the driver makes ready at once, so that the second stays behind it.
        let sent = connection.submit(0, 0, vec![0; 200_000]);
        let unsent = connection.submit(0, 0, Bytes::new());
        while connection.stats().bytes_sent == 0 {
            tokio::task::yield_now().await;
        }
        drop(peer);
        let report = connection.closed().await;
        assert_eq!((report.calls_lost, report.calls_unsent), (1, 1));
        assert_eq!(report.ended_by, EndedBy::Transport);
        assert!(matches!(sent.await, Err(CallError::Lost(_))));
        assert!(matches!(unsent.await, Err(CallError::NotSent(_))));
    })
    .await;
}

// Rules: L-19
#[tokio::test]
async fn the_report_counts_answers_that_the_peer_did_not_get() {
    let (peer_in, ours_out) = duplex(1 << 10);
    let (ours_in, mut peer_out) = duplex(1 << 10);
    let connection = PacketConnection::builder().handler(never).spawn(tokio::io::join(ours_in, ours_out));
    in_time(async {
        let request = Packet::request(0, 2, 1, 0, Bytes::new()).unwrap().transcribe();
        tokio::io::AsyncWriteExt::write_all(&mut peer_out, &request).await.unwrap();
        drop(peer_in);
        let _notices_it = connection.submit(0, 0, Bytes::new());
        while connection.is_open() {
            tokio::task::yield_now().await;
        }
        tokio::io::AsyncWriteExt::write_all(&mut peer_out, &[3, 0, 2, 0]).await.unwrap();
        let report = connection.closed().await;
        assert_eq!(report.requests_unanswered, 1, "{report}");
        assert!(matches!(report.result, Err(ConnectionError::Write(_))), "{report}");
    })
    .await;
}

// Rules: L-5, L-15
#[tokio::test(start_paused = true)]
async fn the_wait_for_answers_and_the_wait_for_the_goodbye_have_limits_of_their_own() {
    let limits = Limits {
        answer_timeout: Duration::from_secs(5),
        close_timeout: Duration::from_secs(11),
        ..Limits::default()
    };
    for answers in [false, true] {
        let (mut peer, stream) = Script::new();
        let connection = PacketConnection::builder().limits(limits).spawn(stream);
        let _call = connection.submit(0, 0, Bytes::new());
        connection.close();
        let start = Instant::now();
        if answers {
            peer.sends(answer(2, b"")).await;
        }
        let report = in_time(connection.closed()).await;
        if answers {
            assert!(matches!(report.result, Err(ConnectionError::GoodbyeTimedOut(_))), "{report}");
            assert_eq!(start.elapsed().as_secs(), 11);
        } else {
            let Err(ConnectionError::CloseTimedOut { in_flight: 1, owed: 0, .. }) = report.result else {
                panic!("{report}")
            };
            assert_eq!(start.elapsed().as_secs(), 5);
        }
    }
}

// Rules: R-19
#[tokio::test]
async fn an_unsent_call_that_is_dropped_is_never_sent() {
    let (mut peer, stream) = duplex(16);
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let large = connection.submit(1, 0, vec![0; 200_000]);
        let unwanted = connection.submit(2, 0, Bytes::new());
        let wanted = connection.submit(3, 0, Bytes::new());
        while connection.stats().bytes_sent == 0 {
            tokio::task::yield_now().await;
        }
        drop(unwanted);
        let mut script = common::Reader::new(&mut peer);
        assert_eq!(script.hears().await.unwrap().kind(), Kind::Request(1));
        assert_eq!(script.hears().await.unwrap().kind(), Kind::Request(3));
        assert_eq!(connection.stats().calls_withdrawn, 1);
        assert_eq!((connection.stats().abandoned, connection.stats().in_flight), (0, 2));
        drop((large, wanted));
    })
    .await;
}

// Rules: R-19
#[tokio::test]
async fn a_sent_call_that_is_dropped_keeps_its_place_until_the_answer() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    in_time(async {
        let call = connection.submit(0, 0, Bytes::new());
        peer.hears().await.unwrap();
        drop(call);
        assert_eq!((connection.stats().abandoned, connection.stats().in_flight), (1, 1));
        let mut next = pin!(connection.submit(0, 0, Bytes::new()));
        assert!(!is_ready(next.as_mut()).await && next.is_queued());
        peer.sends(answer(2, b"for nobody")).await;
        assert!(!is_ready(next.as_mut()).await && !is_ready(next.as_mut()).await && !next.is_queued());
        assert_eq!((connection.stats().abandoned, connection.stats().in_flight), (0, 1));
        peer.sends(answer(3, b"next")).await;
        assert_eq!(next.await.unwrap().payload, "next");
    })
    .await;
}

// Rules: R-19
#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_than_its_timeout_sent_or_not() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    in_time(async {
        let sent = connection.submit(0, 0, Bytes::new()).timeout(Duration::from_secs(3)).label("first");
        let queued = connection.submit(0, 0, Bytes::new()).timeout(Duration::from_secs(2));
        assert_eq!(format!("{sent:?} {queued:?}"), r#"Call(sent, "first") Call(queued)"#);
        let start = Instant::now();
        let error = queued.await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::NoTurn(_))), "{error:?}");
        let error = sent.await.unwrap_err();
        assert!(matches!(error, CallError::Unanswered(_)), "{error:?}");
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        peer.hears().await.unwrap();
        peer.sends(answer(2, b"too late")).await;
        let answers = async {
            assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(9), "the place is free again");
            peer.sends(answer(3, b"")).await;
        };
        let (next, ()) = tokio::join!(connection.submit(9, 0, Bytes::new()), answers);
        next.unwrap();
    })
    .await;
}

// Rules: none: names
#[tokio::test]
async fn a_name_is_in_the_debug_of_a_connection() {
    let (_peer, stream) = Script::new();
    let connection = PacketConnection::builder().name("to the store").spawn(stream);
    assert_eq!(connection.name(), Some("to the store"));
    assert!(format!("{connection:?}").contains("to the store"));
}

// Rules: R-11
#[tokio::test]
async fn requests_of_the_peer_after_its_own_end_of_requests_are_refused_and_counted() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    in_time(async {
        peer.sends(Packet::end_of_requests()).await;
        peer.asks(2, b"").await;
        let refused = peer.hears().await.unwrap();
        assert!(matches!(refused.kind(), Kind::Response { ok: false }));
        assert_eq!(refused.payload(), "requests no longer allowed");
        assert_eq!((connection.stats().requests_refused, connection.stats().requests), (1, 0));
        let result = connection.submit(0, 0, Bytes::new());
        peer.hears().await.unwrap();
        peer.sends(Packet::response(0, 2, Err(packetstream_core::Failure::new("no"))).unwrap()).await;
        assert_eq!(refusal(result.await), "no");
        assert_eq!(connection.stats().calls_failed, 1);
    })
    .await;
}

// Rules: L-11
#[tokio::test]
async fn the_transport_stays_open_both_ways_until_the_peers_goodbye_has_been_read() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    in_time(async {
        connection.close();
        peer.expects_goodbye().await;
        let mut end = Box::pin(peer.hears());
        assert!(!is_ready(end.as_mut()).await, "the peer would find the transport shut");
        drop(end);
        peer.sends(Packet::end_of_requests()).await;
        peer.sends(Packet::end_of_stream()).await;
        assert_eq!(peer.hears().await, None);
        connection.closed().await.result.unwrap();
    })
    .await;
}
