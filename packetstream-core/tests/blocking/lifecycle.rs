//! The verbs of a connection's life, each against a scripted peer.

use super::support::{Script, answer, builder, in_time, never, pair, reverse, spawn};
use bytes::Bytes;
use packetstream_core::blocking;
use packetstream_core::{
    CallError, ConnectionError, EndedBy, Incoming, Kind, Limits, NotSent, Packet, Reply,
};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(100);

// Rules: L-2, L-3, L-9
#[test]
fn draining_says_erq_gets_its_answers_and_answers_on_until_the_peer_says_erq_too() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder().handler(reverse), stream);
        let call = connection.submit(7, 0, Bytes::new());
        connection.drain();
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(7));
        peer.expects(Packet::end_of_requests());
        let late = connection.call(7, 0, Bytes::new()).unwrap_err();
        assert!(matches!(late, CallError::NotSent(NotSent::Closed)), "{late:?}");
        assert!(!connection.is_open());

        peer.sends(answer(2, b"answered"));
        assert_eq!(call.wait().unwrap().payload, "answered");
        peer.asks(2, b"abc");
        peer.expects(answer(2, b"cba"));
        peer.sends(Packet::end_of_requests());
        connection.peer_drained().unwrap();
        peer.expects(Packet::end_of_stream());
        peer.sends(Packet::end_of_stream());
        connection.peer_closed().unwrap();
        assert!(connection.closed().unwrap().result.is_ok());
    });
}

// Rules: L-9
#[test]
fn two_sides_that_both_drain_end_the_connection() {
    in_time(|| {
        let (a, b) = pair();
        a.drain();
        b.peer_drained().unwrap();
        assert_eq!(b.call(0, 0, "ab").unwrap().payload, "ba", "the other side still answers");
        b.drain();
        assert!(a.closed().unwrap().result.is_ok() && b.closed().unwrap().result.is_ok());
    });
}

// Rules: L-5, L-11
#[test]
fn a_goodbye_is_both_markers_and_waits_for_the_peers() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder(), stream);
        connection.close();
        peer.expects_goodbye();
        assert_eq!(connection.stats().packets_received, 0);
        peer.says(&[3, 1, 2, 0, 3, 0, 2, 0]);
        let report = connection.closed().unwrap();
        report.result.unwrap();
        assert_eq!(report.stats.packets_received, 2);
    });
}

// Rules: none: barriers
#[test]
fn a_barrier_waits_for_earlier_calls_and_not_for_later_ones() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder(), stream);
        let calls = [0, 0].map(|rq_type| connection.submit(rq_type, 0, Bytes::new()));
        let answered = Arc::new(AtomicBool::new(false));
        let waiting = {
            // It stands where this is called, wherever it is waited for.
            let barrier = connection.as_ref().barrier();
            let answered = Arc::clone(&answered);
            thread::spawn(move || {
                blocking::block_on(barrier).unwrap();
                answered.load(Ordering::SeqCst)
            })
        };
        for _ in 0..2 {
            peer.hears().unwrap();
        }
        peer.sends(answer(3, b""));
        let later = connection.submit(0, 0, Bytes::new());
        peer.hears().unwrap();
        answered.store(true, Ordering::SeqCst);
        peer.sends(answer(2, b""));
        assert!(waiting.join().unwrap(), "the first call had no answer");
        drop((later, calls));
    });
}

// Rules: none: barriers
#[test]
fn a_barrier_is_reached_when_the_calls_before_it_are_lost() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder(), stream);
        let call = connection.submit(0, 0, Bytes::new());
        peer.hears().unwrap();
        drop(peer);
        connection.barrier().unwrap();
        assert!(matches!(call.wait(), Err(CallError::Lost(ConnectionError::NoGoodbye))));
        connection.closed().unwrap();
        connection.barrier().unwrap();
    });
}

// Rules: L-17
#[test]
fn aborting_ends_calls_and_handlers_and_tells_the_peer_at_once() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder().handler(never), stream);
        let call = connection.submit(0, 0, Bytes::new());
        peer.hears().unwrap();
        peer.asks(2, b"");
        while connection.stats().performing == 0 {
            thread::yield_now();
        }
        assert!(connection.stats().oldest_handler.is_some());
        connection.abort();
        assert!(matches!(call.wait(), Err(CallError::Lost(ConnectionError::Aborted))));
        peer.expects(Packet::end_of_stream());
        let report = connection.closed().unwrap();
        assert!(matches!(report.result, Err(ConnectionError::Aborted)), "{report:?}");
        assert_eq!((report.calls_lost, report.requests_unanswered), (1, 1));
        assert_eq!(report.ended_by, EndedBy::Us);
        assert_eq!(peer.hears(), None, "the socket is shut down");
    });
}

// Rules: none: how long an abort takes
#[test]
fn aborting_waits_no_longer_than_a_second_for_a_peer_that_reads_nothing() {
    in_time(|| {
        let (_peer, stream) = UnixStream::pair().unwrap();
        let connection = spawn(builder(), stream);
        let _call = connection.submit(0, 0, vec![0; 10 << 20]);
        while connection.stats().bytes_sent == 0 {
            thread::yield_now();
        }
        let start = Instant::now();
        connection.abort();
        let report = connection.closed().unwrap();
        assert!(matches!(report.result, Err(ConnectionError::Aborted)), "{report:?}");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        assert!(report.shut_down.is_none(), "{report}");
    });
}

// Rules: none: reports
#[test]
fn the_report_says_who_ended_the_connection_and_what_it_did() {
    in_time(|| {
        let (a, b) = pair();
        a.call(0, 0, "ping").unwrap();
        a.close();
        let (ours, theirs) = (a.closed().unwrap(), b.closed().unwrap());
        assert_eq!((ours.ended_by, theirs.ended_by), (EndedBy::Us, EndedBy::Peer));
        assert_eq!((ours.stats.calls, ours.stats.calls_ok, ours.stats.requests), (1, 1, 0));
        assert_eq!((theirs.stats.requests, theirs.stats.requests_answered), (1, 1));
        // A request or its answer, and both end markers.
        assert_eq!((ours.stats.packets_sent, ours.stats.packets_received), (3, 3));
        assert_eq!((ours.stats.bytes_sent, theirs.stats.bytes_sent), (8 + 4 + 4, 7 + 4 + 4));
        assert_eq!(ours.stats.bytes_sent, theirs.stats.bytes_received);
        assert_eq!((ours.calls_lost, ours.calls_unsent, ours.requests_unanswered), (0, 0, 0));
        assert!(ours.shut_down.is_none(), "{ours:?}");
        assert_eq!(a.closed().unwrap().to_string(), ours.to_string(), "it is told to whoever asks, whenever");
    });
}

// Rules: R-19
#[test]
fn an_unsent_call_that_is_dropped_is_never_sent() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder(), stream);
        // More than the socket holds, and than is made ready at once: the others stay behind it.
        let large = connection.submit(1, 0, vec![0; 4 << 20]);
        let unwanted = connection.submit(2, 0, Bytes::new());
        let wanted = connection.submit(3, 0, Bytes::new());
        while connection.stats().bytes_sent == 0 {
            thread::yield_now();
        }
        drop(unwanted);
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(1));
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(3));
        assert_eq!(connection.stats().calls_withdrawn, 1);
        drop((large, wanted));
    });
}

// Rules: R-19
#[test]
fn a_call_waits_no_longer_than_its_timeout_sent_or_not() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_calls: 1, ..Limits::default() };
        let connection = spawn(builder().limits(limits), stream);
        let start = Instant::now();
        let sent = connection.submit(0, 0, Bytes::new()).timeout(3 * SHORT);
        let queued = connection.submit(0, 0, Bytes::new()).timeout(SHORT);
        let error = queued.wait().unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::NoTurn(_))), "{error:?}");
        assert!(start.elapsed() >= SHORT);
        let error = sent.wait().unwrap_err();
        assert!(matches!(error, CallError::Unanswered(_)), "{error:?}");
        assert!(start.elapsed() >= 3 * SHORT);

        peer.hears().unwrap();
        peer.sends(answer(2, b"too late"));
        let next = {
            let connection = connection.clone();
            thread::spawn(move || connection.call(9, 0, Bytes::new()))
        };
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(9), "the place is free again");
        peer.sends(answer(3, b""));
        next.join().unwrap().unwrap();
    });
}

// Rules: L-16
#[test]
fn a_thousand_connections_in_sequence_share_a_stream_and_lose_nothing() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let serving = thread::spawn(move || {
            let mut ended = blocking::serve(builder().handler(reverse), there).unwrap();
            for _ in 1..1_000 {
                assert!(ended.report.result.is_ok(), "{}", ended.report);
                let (connection, driver) = ended.reuse(builder().handler(reverse)).unwrap();
                ended = driver.run().unwrap();
                drop(connection);
            }
            ended
        });
        let (mut connection, mut driver) = blocking::build(builder(), here).unwrap();
        for life in 0..1_000_u64 {
            let running = thread::spawn(move || driver.run().unwrap());
            let reply = connection.call(0, life, "abc").unwrap();
            assert_eq!((reply.flags, &reply.payload[..]), (life, &b"cba"[..]));
            connection.close();
            let ended = running.join().unwrap();
            assert!(ended.report.result.is_ok(), "{}", ended.report);
            if life == 999 {
                assert!(ended.unread.is_empty());
                let mut stream = ended.transport.unwrap();
                stream.write_all(b"whatever else").unwrap();
                break;
            }
            (connection, driver) = ended.reuse(builder()).unwrap();
        }
        let ended = serving.join().unwrap();
        assert!(ended.report.result.is_ok() && ended.unread.is_empty());
    });
}

// Rules: L-16
#[test]
fn the_transport_is_handed_back_with_what_was_read_past_the_end_and_serves_again() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        // The second conversation begins in the same write as the first one's end.
        let mut bytes = Packet::end_of_stream().transcribe().to_vec();
        bytes.extend(Packet::request(0, 2, 1, 0, "again".into()).unwrap().transcribe());
        peer.says(&bytes);
        let ended = blocking::serve(builder().handler(reverse), stream).unwrap();
        assert!(ended.report.result.is_ok());
        peer.expects_goodbye();

        let (_connection, driver) = ended.reuse(builder().handler(reverse)).unwrap();
        peer.expects(answer(2, b"niaga"));
        drop(driver);
    });
}

/// Something to read from that tells when it is read, and holds up whoever does.
struct HeldUp(Sender<Sender<()>>);

impl Read for HeldUp {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let (go_on, goes_on) = mpsc::channel();
        self.0.send(go_on).unwrap();
        goes_on.recv().unwrap_err();
        Ok(0)
    }
}

// Rules: none: memory
#[test]
fn an_ended_connection_keeps_no_handler_even_if_a_thread_is_left_behind() {
    in_time(|| {
        let (reads, reading) = mpsc::channel();
        let kept = Arc::new(());
        let in_handler = Arc::clone(&kept);
        let handler = move |_: Incoming| {
            assert!(Arc::strong_count(&in_handler) > 0);
            std::future::ready(Ok(Reply::default()))
        };
        let connection = spawn(builder().handler(handler), (HeldUp(reads), Vec::new()));
        let held = reading.recv().unwrap();
        assert_eq!(Arc::strong_count(&kept), 2);
        connection.abort();
        assert!(connection.closed().unwrap().shut_down.is_some());
        // Whoever has told of the end lets go right after that.
        while Arc::strong_count(&kept) > 1 {
            thread::yield_now();
        }
        drop(held);
    });
}
