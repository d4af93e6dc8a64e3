//! The bounds of a connection, in count and in time. The clock is paused: it moves when all tasks wait.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time, never, refusal, reverse};
use packetstream_core::{
    CallError, ConnectionError, Incoming, Kind, Limits, NotSent, Packet, PacketConnection, Reply,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::duplex;
use tokio::time::Instant;

/// What the connection came to, and after how long.
async fn ends(connection: &PacketConnection) -> (ConnectionError, Duration) {
    let start = Instant::now();
    let error = in_time(connection.closed()).await.result.unwrap_err();
    (error, start.elapsed())
}

// Rules: L-11, L-15
#[tokio::test(start_paused = true)]
async fn a_peer_that_never_says_goodbye_is_waited_for_no_longer_than_the_limit() {
    let (_peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    connection.close();
    let (error, after) = ends(&connection).await;
    assert!(matches!(error, ConnectionError::GoodbyeTimedOut(_)), "{error:?}");
    assert_eq!(after.as_secs(), 30);
}

// Rules: L-5
#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_holds_a_closing_connection_no_longer_than_the_limit() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(never).spawn(stream);
    peer.asks(2, b"").await;
    peer.says(&[3, 0, 2, 0]).await;
    let (error, after) = ends(&connection).await;
    assert!(matches!(error, ConnectionError::CloseTimedOut { in_flight: 0, owed: 1, .. }), "{error:?}");
    assert_eq!(after.as_secs(), 30);
}

// Rules: L-18
#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_given_up_after_the_stall_limit() {
    let (_peer, stream) = duplex(1 << 10);
    let connection = PacketConnection::builder().spawn(stream);
    let call = connection.submit(0, 0, vec![0; 1 << 20]);
    let (error, after) = ends(&connection).await;
    assert!(matches!(error, ConnectionError::WriteStalled { .. }), "{error:?}");
    assert!((30..33).contains(&after.as_secs()), "{after:?}");
    let error = call.await.unwrap_err();
    assert!(matches!(error, CallError::Lost(ConnectionError::WriteStalled { .. })), "{error:?}");
}

// Rules: L-18
#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_not_given_up() {
    let (peer, stream) = duplex(1 << 10);
    let connection = PacketConnection::builder().spawn(stream);
    let call = connection.submit(0, 0, vec![0; 5 << 10]);
    let (mut peer, mut decoder) = (peer, packetstream_core::Decoder::new(1 << 20));
    tokio::time::timeout(Duration::from_hours(1), async {
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            tokio::io::AsyncReadExt::read_buf(&mut peer, decoder.room()).await.unwrap();
            if decoder.next_packet().unwrap().is_some() {
                break;
            }
        }
        tokio::io::AsyncWriteExt::write_all(&mut peer, &answer(2, b"at last").transcribe()).await.unwrap();
        assert_eq!(call.await.unwrap().payload, "at last");
    })
    .await
    .unwrap();
}

// Rules: L-18
#[tokio::test(start_paused = true)]
async fn a_peer_that_stalls_inside_a_packet_is_given_up_after_the_stall_limit() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    peer.says(&[200, 1]).await;
    let (error, after) = ends(&connection).await;
    assert!(matches!(error, ConnectionError::ReadStalled(_)), "{error:?}");
    assert!((30..32).contains(&after.as_secs()), "{after:?}");
}

// Rules: L-18
#[tokio::test(start_paused = true)]
async fn between_packets_a_connection_may_idle_for_ever() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    let call = connection.submit(0, 0, Bytes::new());
    tokio::time::sleep(Duration::from_hours(24 * 30)).await;
    peer.sends(answer(2, b"late")).await;
    assert_eq!(in_time(call).await.unwrap().payload, "late");
}

// Rules: none: limits of the caller
#[tokio::test]
async fn calls_beyond_the_limit_wait_their_turn() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 2, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let calls = [0, 1, 2].map(|rq_type| connection.submit(rq_type, 0, Bytes::new()));
    in_time(async {
        let all = tokio::spawn(async move {
            for call in calls {
                call.await.unwrap();
            }
        });
        assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(0));
        assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(1));
        peer.sends(answer(3, b"")).await;
        peer.sends(answer(2, b"")).await;
        assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(2));
        peer.sends(answer(4, b"")).await;
        all.await.unwrap();
    })
    .await;
}

// Rules: none: limits of the caller
#[tokio::test]
async fn calls_that_wait_are_sent_in_their_order_polled_or_not_unless_they_are_dropped() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let mut calls = [0, 1, 2, 3].map(|rq_type| Some(connection.submit(rq_type, 0, Bytes::new())));
    in_time(async {
        let late = tokio::spawn({
            let last = calls[3].take().unwrap();
            async move { last.await.unwrap() }
        });
        drop(calls[1].take());
        for (tag, rq_type) in [(2, 0), (3, 2), (4, 3)] {
            assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(rq_type));
            peer.sends(answer(tag, b"")).await;
        }
        late.await.unwrap();
    })
    .await;
    assert_eq!(connection.stats().queued, 0);
}

// Rules: R-19
#[tokio::test]
async fn asking_and_giving_up_does_not_get_past_the_limit() {
    let (here, there) = duplex(1 << 16);
    let performing = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&performing);
    let handler = move |_: Incoming| {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::pending()
    };
    let _peer = PacketConnection::builder().handler(handler).spawn(there);
    let limits = Limits { max_calls: 10, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(here);
    in_time(async {
        for _ in 0..1_000 {
            let call = connection.submit(0, 0, Bytes::new());
            tokio::task::yield_now().await;
            drop(call);
        }
    })
    .await;
    assert_eq!(performing.load(Ordering::Relaxed), 10);
    assert_eq!(connection.stats().abandoned, 10);
}

// Rules: W-14
#[tokio::test]
async fn a_request_over_the_packet_limit_is_not_sent() {
    let (_peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    let error = in_time(connection.submit(0, 0, vec![0; 16 << 20])).await.unwrap_err();
    let CallError::NotSent(NotSent::TooLong { payload, limit }) = error else { panic!("{error:?}") };
    assert_eq!((payload, limit), (16 << 20, (16 << 20) - 40));
}

// Rules: R-16
#[tokio::test]
async fn a_response_over_the_packet_limit_is_a_failure_and_the_connection_lives() {
    let (here, there) = duplex(1 << 16);
    let handler = async |request: Incoming| {
        Ok(Reply::from(Bytes::from(vec![0; usize::try_from(request.flags).unwrap()])))
    };
    let _peer = PacketConnection::builder().handler(handler).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        let result = connection.submit(0, 17 << 20, Bytes::new()).await;
        assert_eq!(refusal(result), "response of 17825792 bytes exceeds the limit of 16777176");
        assert_eq!(connection.submit(0, 3, Bytes::new()).await.unwrap().payload.len(), 3);
    })
    .await;
}

// Rules: R-20
#[tokio::test]
async fn a_peer_that_asks_too_much_is_left_unread_and_loses_nothing() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_handlers: 4, max_queued: 4, ..Limits::default() };
    let performing = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&performing);
    let handler = move |_: Incoming| {
        let counter = Arc::clone(&counter);
        async move {
            let now = counter.fetch_add(1, Ordering::Relaxed) + 1;
            assert!(now <= 4, "{now} at once");
            tokio::task::yield_now().await;
            counter.fetch_sub(1, Ordering::Relaxed);
            Ok(Reply::default())
        }
    };
    let _connection = PacketConnection::builder().limits(limits).handler(handler).spawn(stream);
    in_time(async {
        for tag in 2..5_002 {
            peer.asks(tag, b"").await;
        }
        let mut answered: Vec<u64> = Vec::new();
        while answered.len() < 5_000 {
            let packet = peer.hears().await.unwrap();
            assert_eq!(packet.kind(), Kind::Response { ok: true });
            answered.push(packet.tag());
        }
        answered.sort_unstable();
        assert!(answered.into_iter().eq(2..5_002));
    })
    .await;
}

// Rules
#[tokio::test(start_paused = true)]
async fn excess_requests_are_refused_rather_than_hide_the_answers_behind_them() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_handlers: 2, max_queued: 2, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).handler(never).spawn(stream);
    let call = connection.submit(0, 0, Bytes::new());
    in_time(async {
        peer.hears().await.unwrap();
        for tag in 2..12 {
            peer.asks(tag, b"").await;
        }
        peer.sends(answer(2, b"behind them")).await;
        let start = Instant::now();
        assert_eq!(call.await.unwrap().payload, "behind them");
        assert_eq!(start.elapsed().as_secs(), 1);
        for tag in 6..12 {
            let busy = Err(packetstream_core::Failure::new("busy"));
            peer.expects(Packet::response(0, tag, busy).unwrap()).await;
        }
    })
    .await;
}

// Rules: R-21
#[tokio::test(start_paused = true)]
async fn refusals_for_a_peer_that_does_not_read_are_bounded() {
    let (mut peer, stream) = duplex(1 << 10);
    let limits = Limits { max_handlers: 2, max_queued: 2, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).handler(never).spawn(stream);
    let _call = connection.submit(0, 0, Bytes::new());
    let flood = tokio::spawn(async move {
        for tag in 2..100_000 {
            // The first wait for a handler; once more are refused, so are those of a channel there is not.
            let channel = if tag < 10 { 0 } else { 9 };
            let packet = Packet::request(channel, tag, 1, 0, Bytes::new()).unwrap().transcribe();
            if tokio::io::AsyncWriteExt::write_all(&mut peer, &packet).await.is_err() {
                return tag;
            }
        }
        panic!("all were taken")
    });
    let (error, _) = ends(&connection).await;
    assert!(matches!(error, ConnectionError::Overload { unsent: 1029.., .. }), "{error:?}");
    // What was read at once when it was one too many is not taken.
    assert!(in_time(flood).await.unwrap() < 30_000);
}

// Rules: L-5
#[tokio::test(start_paused = true)]
async fn closing_is_noticed_while_nothing_more_may_be_in_flight() {
    let (_peer, stream) = duplex(1 << 10);
    let limits =
        Limits { max_call_bytes: 1 << 10, stall_timeout: Duration::from_hours(1), ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let calls = [(); 3].map(|()| connection.submit(0, 0, vec![0; 1 << 20]));
    connection.close();
    let (error, after) = ends(&connection).await;
    assert!(matches!(error, ConnectionError::CloseTimedOut { .. }), "{error:?}");
    assert!((30..33).contains(&after.as_secs()), "{after:?}");
    let [sent, unsent, _] = calls.map(|call| async { call.await.unwrap_err() });
    assert!(matches!(sent.await, CallError::Lost(_)));
    assert!(matches!(unsent.await, CallError::NotSent(_)), "it never left this side");
}

// Rules: R-20
#[tokio::test]
async fn default_peers_never_refuse_each_other_whatever_the_size() {
    for length in [192 << 10, 512 << 10] {
        let (a, b) = common::pair(1 << 16);
        let ask = async |connection: &PacketConnection| {
            let calls: Vec<_> = (0..100).map(|_| connection.submit(0, 0, vec![0; length])).collect();
            for call in calls {
                assert_eq!(call.await.unwrap().payload.len(), length);
            }
        };
        in_time(async { tokio::join!(ask(&a), ask(&b)) }).await;
    }
}

// Rules: R-18
#[tokio::test]
async fn our_own_requests_do_not_keep_the_peers_from_being_performed() {
    let limits = Limits { max_call_bytes: 64 << 20, max_unsent_bytes: 1 << 10, ..Limits::default() };
    let (mut peer, stream) = duplex(1 << 10);
    let connection = PacketConnection::builder().limits(limits).handler(reverse).spawn(stream);
    let _call = connection.submit(0, 0, vec![0; 1 << 20]);
    let _queued = connection.submit(0, 0, vec![0; 1 << 20]);
    in_time(async {
        // Some of the first has come, so both are queued.
        tokio::io::AsyncReadExt::read_u8(&mut peer).await.unwrap();
        let request = Packet::request(0, 2, 1, 0, Bytes::from_static(b"abc")).unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut peer, &request.transcribe()).await.unwrap();
        let mut decoder = packetstream_core::Decoder::default();
        decoder.room().extend_from_slice(&[0xc0]);
        // The answer overtakes the second request.
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            match decoder.next_packet().unwrap() {
                Some(packet) => kinds.push(packet.kind()),
                None => {
                    tokio::io::AsyncReadExt::read_buf(&mut peer, decoder.room()).await.unwrap();
                }
            }
        }
        assert_eq!(kinds, [Kind::Request(0), Kind::Response { ok: true }]);
    })
    .await;
}

// Rules: none: limits of the caller
#[tokio::test]
async fn request_bytes_in_flight_are_limited_and_a_larger_request_goes_alone() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_call_bytes: 100, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let lengths = [60, 30, 500, 1];
    let calls = lengths.map(|length| connection.submit(0, 0, vec![0; length]));
    in_time(async {
        let mut hears = async |length| {
            assert_eq!(peer.hears().await.unwrap().payload().len(), length);
        };
        hears(60).await;
        hears(30).await;
        peer.sends(answer(2, b"")).await;
        peer.sends(answer(3, b"")).await;
        assert_eq!(peer.hears().await.unwrap().payload().len(), 500);
        peer.sends(answer(4, b"")).await;
        assert_eq!(peer.hears().await.unwrap().payload().len(), 1);
        peer.sends(answer(5, b"")).await;
        for call in calls {
            call.await.unwrap();
        }
    })
    .await;
}

// Rules: R-16
#[tokio::test(start_paused = true)]
async fn packets_are_long_enough_for_whatever_connections_say_by_themselves() {
    let (here, there) = duplex(1 << 16);
    let limits = Limits { max_packet: 0, ..Limits::default() };
    let too_long = async |_: Incoming| Ok(Reply::from(Bytes::from(vec![0; 1_000])));
    let a = PacketConnection::builder().limits(limits).spawn(here);
    let b = PacketConnection::builder().limits(limits).handler(too_long).spawn(there);
    assert!(refusal(in_time(a.submit(0, 0, "")).await).starts_with("response of 1000 bytes"));
    assert_eq!(refusal(in_time(b.submit(0, 0, "")).await), "no request handler");
    assert_eq!(
        refusal(in_time(a.channel(u64::MAX).submit(0, 0, "")).await),
        format!("unknown channel {}", u64::MAX)
    );
    a.close();
    assert!(in_time(a.closed()).await.result.is_ok() && in_time(b.closed()).await.result.is_ok());
}

// Rules: none: races of threads
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_is_forgotten_when_a_connection_ends_meanwhile() {
    for _ in 0..2_000 {
        let (peer, stream) = duplex(1 << 10);
        let connection = PacketConnection::builder().spawn(stream);
        let asking = {
            let connection = connection.clone();
            tokio::spawn(async move { while connection.submit(0, 0, "x").await.is_ok() {} })
        };
        tokio::task::yield_now().await;
        drop(peer);
        in_time(asking).await.unwrap();
    }
}
