//! Watching a connection: its numbers, its observers, when it flushes.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time, never, reverse};
use packetstream_core::{
    Builder, Call, CallError, CloseReport, ConnectionError, Direction, EndedBy, Failure, Incoming, Limits,
    NotSent, Observer, Outcome, Packet, PacketConnection, RequestId, Stats,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, duplex};
use tokio::time::Instant;

/// Writes down what it sees.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl Observer for Notes {
    fn opened(&self, name: Option<&str>) {
        self.note(format!("opened {name:?}"));
    }

    fn sent(&self, packet: &Packet) {
        self.note(format!("> {:?} {}", packet.kind(), packet.payload().len()));
    }

    fn received(&self, packet: &Packet) {
        self.note(format!("< {:?} {}", packet.kind(), packet.payload().len()));
    }

    fn flushed(&self, packets: u64) {
        self.note(format!("flushed {packets}"));
    }

    fn call_answered(&self, rq_type: u64, waited: Duration, outcome: &Outcome) {
        self.note(format!("call {rq_type} {waited:?} {}", outcome.is_ok()));
    }

    fn call_unanswered(&self, rq_type: u64, waited: Duration, error: &CallError) {
        self.note(format!("call {rq_type} {waited:?} {error:?}"));
    }

    fn request_answered(&self, id: RequestId, rq_type: u64, took: Duration, outcome: &Outcome) {
        self.note(format!("request {} of type {rq_type} {took:?} {}", id.tag, outcome.is_ok()));
    }

    fn turned(&self, stats: &Stats) {
        assert!(stats.packets_sent >= stats.calls_ok);
    }

    fn ended(&self, report: &CloseReport) {
        self.note(format!("ended by {}", report.ended_by));
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_every_packet_and_what_came_of_requests() {
    let (here, there) = duplex(1 << 12);
    let slowly = async |request: Incoming| {
        tokio::time::sleep(Duration::from_secs(2)).await;
        reverse(request).await
    };
    let (ours, theirs) = (Notes::default(), Notes::default());
    let peer = PacketConnection::builder().handler(slowly).observer(theirs.clone()).spawn(there);
    let connection = PacketConnection::builder().name("ours").observer(ours.clone()).spawn(here);
    in_time(async {
        connection.submit(5, 0, "abc").await.unwrap();
        connection.close();
        connection.closed().await;
        peer.closed().await;
    })
    .await;
    assert_eq!(
        *ours.0.lock().unwrap(),
        [
            "opened Some(\"ours\")",
            "> Request(5) 3",
            "flushed 1",
            "< Response { ok: true } 3",
            "call 5 2s true",
            "> Control 0",
            "> Control 0",
            "flushed 2",
            "< Control 0",
            "< Control 0",
            "ended by us",
        ]
    );
    assert_eq!(
        *theirs.0.lock().unwrap(),
        [
            "opened None",
            "< Request(5) 3",
            "request 2 of type 5 2s true",
            "> Response { ok: true } 3",
            "flushed 1",
            "< Control 0",
            "< Control 0",
            "> Control 0",
            "> Control 0",
            "flushed 2",
            "ended by the peer",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_age_of_the_oldest_handler_is_known() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(never).spawn(stream);
    assert_eq!(connection.stats().oldest_handler, None);
    in_time(async {
        peer.asks(2, b"").await;
        while connection.stats().performing < 1 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_secs(40)).await;
        peer.asks(3, b"").await;
        while connection.stats().performing < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(connection.stats().oldest_handler, Some(Duration::from_secs(40)));
        connection.abort();
        connection.closed().await;
        assert_eq!(connection.stats().oldest_handler, None, "none is left");
    })
    .await;
}

#[tokio::test]
async fn the_numbers_tell_what_is_held_now() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_handlers: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).handler(never).spawn(stream);
    in_time(async {
        let _calls = [(); 3].map(|()| connection.submit(0, 0, "four"));
        for _ in 0..3 {
            peer.hears().await.unwrap();
        }
        peer.asks(2, b"seven b").await;
        peer.asks(3, b"two").await;
        while connection.stats().waiting < 1 {
            tokio::task::yield_now().await;
        }
        let stats = connection.stats();
        assert_eq!((stats.calls, stats.in_flight, stats.in_flight_bytes), (3, 3, 12));
        assert_eq!((stats.requests, stats.performing, stats.waiting, stats.request_bytes), (2, 1, 1, 10));
        assert_eq!((stats.packets_sent, stats.packets_received, stats.flushes), (3, 2, 1));
        assert_eq!(stats.packets_per_flush(), Some(3.0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_calls_that_have_no_answer() {
    let (mut peer, stream) = Script::new();
    let notes = Notes::default();
    let limits = Limits { max_call_bytes: 4, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).observer(notes.clone()).spawn(stream);
    in_time(async {
        let _lost = connection.submit(5, 0, "four");
        let _unsent = connection.submit(6, 0, "more");
        let refused = connection.submit(u64::MAX, 0, "");
        peer.hears().await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        peer.sends(Packet::end_of_stream()).await;
        assert!(matches!(refused.await, Err(CallError::NotSent(_))));
        connection.closed().await;
    })
    .await;
    let ends = notes.0.lock().unwrap();
    let ends: Vec<_> = ends.iter().filter(|note| note.starts_with("call")).collect();
    assert_eq!(
        ends,
        [
            "call 5 3s Lost(ClosedByPeer)",
            "call 6 3s NotSent(Closed)",
            "call 18446744073709551615 3s NotSent(Closed)"
        ]
    );
}

#[tokio::test]
async fn a_closure_sees_packets_both_ways() {
    let (here, there) = duplex(1 << 12);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = {
        let seen = Arc::clone(&seen);
        move |direction: Direction, packet: &Packet| {
            seen.lock().unwrap().push(format!("{direction} {:?}", packet.kind()));
        }
    };
    let _peer = PacketConnection::builder().handler(reverse).spawn(there);
    let connection = PacketConnection::builder().on_packet(see).spawn(here);
    in_time(connection.submit(5, 0, "abc")).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["sent Request(5)", "received Response { ok: true }"]);
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_to_be_sent_are_queued_wherever_they_wait() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 3, max_call_bytes: 8, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    in_time(async {
        let mut calls = Vec::from([(); 3].map(|()| connection.submit(0, 0, "four")));
        // The third is over the bytes, these are over the number.
        let turns = [(); 2].map(|()| connection.submit(0, 0, "four"));
        assert!(turns.iter().all(Call::is_queued));
        peer.hears().await.unwrap();
        peer.hears().await.unwrap();
        let stats = connection.stats();
        assert_eq!((stats.calls, stats.in_flight, stats.queued), (2, 2, 3));

        drop(turns);
        assert_eq!(connection.stats().queued, 1, "who waits for a turn is counted as it goes");
        peer.sends(answer(2, b"")).await;
        calls.remove(0).await.unwrap();
        peer.hears().await.unwrap();
        let stats = connection.stats();
        assert_eq!((stats.calls, stats.in_flight, stats.queued), (3, 2, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_the_transport_does_not_take_is_queued() {
    let (mut peer, stream) = duplex(1);
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        // More than is made ready for the transport at a time.
        let _large = connection.submit(0, 0, vec![0; 200_000]);
        let _small = [(); 2].map(|()| connection.submit(0, 0, ""));
        peer.read_u8().await.unwrap();
        connection.close();
        peer.read_u8().await.unwrap();
        let stats = connection.stats();
        assert_eq!((stats.in_flight, stats.queued), (3, 2), "the end of requests is none");
    })
    .await;
}

#[tokio::test]
async fn failures_and_panics_of_handlers_and_packets_without_a_meaning_are_counted() {
    let (mut peer, stream) = Script::new();
    let handler = async |request: Incoming| match &request.payload[..] {
        b"panic" => panic!("as asked"),
        b"fail" => Err(Failure::new("as asked")),
        _ => reverse(request).await,
    };
    let connection = PacketConnection::builder().handler(handler).spawn(stream);
    in_time(async {
        for (tag, payload) in [(2, &b"panic"[..]), (3, b"fail"), (4, b"ok")] {
            peer.asks(tag, payload).await;
            peer.hears().await.unwrap();
        }
        peer.sends(answer(77, b"nobody asked")).await;
        while connection.stats().packets_received < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let stats = connection.stats();
    assert_eq!((stats.requests_answered, stats.requests_failed, stats.requests_panicked), (3, 2, 1));
    assert_eq!(stats.packets_ignored, 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_grace_a_packet_is_flushed_at_once() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    let start = Instant::now();
    let _call = connection.submit(0, 0, Bytes::new());
    in_time(peer.hears()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn with_a_grace_packets_wait_for_each_other() {
    let (mut peer, stream) = Script::new();
    let grace = Builder::PYTHON_PACKET_GRACE;
    let connection = PacketConnection::builder().packet_grace(grace).spawn(stream);
    in_time(async {
        let start = Instant::now();
        let _first = connection.submit(0, 0, Bytes::new());
        tokio::time::sleep(grace / 2).await;
        let _second = connection.submit(0, 0, Bytes::new());
        peer.hears().await.unwrap();
        peer.hears().await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 10, "both leave when the first has waited");
        assert_eq!(connection.stats().packets_per_flush(), Some(2.0));

        let large = connection.submit(0, 0, vec![0; 100_000]);
        let start = Instant::now();
        peer.hears().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "what is large does not wait");
        for tag in 2..5 {
            peer.sends(answer(tag, b"")).await;
        }
        large.await.unwrap();
        connection.close();
        peer.expects_goodbye().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "nor does the end");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn packets_that_wait_for_each_other_are_not_stalled() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { stall_timeout: Duration::from_secs(1), ..Limits::default() };
    let grace = Duration::from_secs(10);
    let connection = PacketConnection::builder().limits(limits).packet_grace(grace).spawn(stream);
    let start = Instant::now();
    let _call = connection.submit(0, 0, Bytes::new());
    in_time(peer.hears()).await.unwrap();
    assert_eq!(start.elapsed(), grace);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_stalled_once_packets_wait_for_each_other_no_more() {
    let (_peer, stream) = duplex(16);
    let limits = Limits { stall_timeout: Duration::from_secs(1), ..Limits::default() };
    let grace = Builder::PYTHON_PACKET_GRACE;
    let connection = PacketConnection::builder().limits(limits).packet_grace(grace).spawn(stream);
    let start = Instant::now();
    let lost = in_time(connection.submit(0, 0, vec![0; 100])).await;
    assert!(matches!(lost, Err(CallError::Lost(_))), "{lost:?}");
    assert!(start.elapsed() <= Duration::from_secs(3), "{:?}", start.elapsed());
}

/// Panics whenever it may.
struct Panics;

impl Observer for Panics {
    fn received(&self, _: &Packet) {
        panic!("as it likes");
    }

    fn call_unanswered(&self, _: u64, _: Duration, _: &CallError) {
        panic!("once more");
    }

    fn ended(&self, _: &CloseReport) {
        panic!("and at the end");
    }
}

#[tokio::test]
async fn an_observer_that_panics_ends_its_connection_and_nothing_else() {
    let (mut peer, stream) = Script::new();
    let notes = Notes::default();
    let connection = PacketConnection::builder().observer(Panics).observer(notes.clone()).spawn(stream);
    in_time(async {
        let (first, second) = (connection.submit(0, 0, ""), connection.submit(1, 0, ""));
        peer.hears().await.unwrap();
        peer.sends(answer(2, b"")).await;
        assert_eq!(first.await.unwrap().payload, "", "what has come has come");
        assert!(matches!(second.await, Err(CallError::Lost(ConnectionError::ObserverPanicked))));
        let late = connection.call(2, 0, "").await;
        assert!(matches!(late, Err(CallError::NotSent(NotSent::Lost(ConnectionError::ObserverPanicked)))));
        peer.hears().await.unwrap();
        peer.expects(Packet::end_of_stream()).await;
        let report = connection.closed().await;
        assert!(matches!(report.result, Err(ConnectionError::ObserverPanicked)), "{report:?}");
        assert_eq!(report.ended_by, EndedBy::Us);
    })
    .await;
    let ends = notes.0.lock().unwrap().iter().filter(|note| note.starts_with("ended")).count();
    assert_eq!(ends, 1, "others are still told");
}

#[tokio::test]
async fn an_observer_that_panics_at_the_end_keeps_nobody_from_hearing_of_it() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().observer(Panics).spawn(stream);
    connection.close();
    in_time(async {
        peer.expects_goodbye().await;
        drop(peer);
        assert!(matches!(connection.closed().await.result, Err(ConnectionError::NoGoodbye)));
    })
    .await;
}

#[tokio::test]
async fn an_observer_that_panics_while_the_driver_is_dropped_keeps_nobody_from_hearing_of_it() {
    let (_peer, stream) = duplex(16);
    let (connection, driver) = PacketConnection::builder().observer(Panics).build(stream);
    let calls = [(); 3].map(|()| connection.submit(0, 0, ""));
    drop(driver);
    in_time(async {
        for call in calls {
            assert!(matches!(call.await, Err(CallError::NotSent(NotSent::Lost(ConnectionError::Dropped)))));
        }
        assert!(matches!(connection.closed().await.result, Err(ConnectionError::Dropped)));
        assert_eq!(connection.stats().abandoned, 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_has_waited_for_the_peer_since_it_had_its_turn() {
    let (mut peer, stream) = Script::new();
    let notes = Notes::default();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).observer(notes.clone()).spawn(stream);
    let calls = [5, 6].map(|rq_type| connection.submit(rq_type, 0, ""));
    in_time(async {
        for tag in [2, 3] {
            peer.hears().await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            peer.sends(answer(tag, b"")).await;
        }
        for call in calls {
            call.await.unwrap();
        }
    })
    .await;
    let ends = notes.0.lock().unwrap();
    let ends: Vec<_> = ends.iter().filter(|note| note.starts_with("call")).collect();
    assert!(ends.len() == 2 && ends.iter().all(|end| end.contains(" 3s ")), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_each_turn_is_not_called_without_end() {
    struct EachTurn(Arc<AtomicUsize>);
    impl Observer for EachTurn {
        fn turned(&self, _: &Stats) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("as the test wants");
        }
    }
    let turns = Arc::new(AtomicUsize::new(0));
    // It takes no goodbye.
    let (_peer, stream) = duplex(1);
    let connection = PacketConnection::builder().observer(EachTurn(Arc::clone(&turns))).spawn(stream);
    let report = in_time(connection.closed()).await;
    assert!(matches!(report.result, Err(ConnectionError::ObserverPanicked)), "{report:?}");
    assert!((1..10).contains(&turns.load(Ordering::Relaxed)), "{turns:?}");
}

#[tokio::test]
async fn an_observer_that_panics_between_packets_ends_its_connection_too() {
    struct AtTurns;
    impl Observer for AtTurns {
        fn turned(&self, _: &Stats) {
            panic!("as the test wants");
        }
    }
    let (_peer, stream) = duplex(16);
    let connection = PacketConnection::builder().observer(AtTurns).spawn(stream);
    let report = in_time(connection.closed()).await;
    assert!(matches!(report.result, Err(ConnectionError::ObserverPanicked)), "{report:?}");
}
