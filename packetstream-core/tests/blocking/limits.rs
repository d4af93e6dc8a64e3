//! The bounds of a connection, in count and in time. The clock is real, so the limits are short.

use super::support::{Script, answer, builder, in_time, narrow, never, refusal, reverse, spawn};
use bytes::Bytes;
use packetstream_core::{
    CallError, ConnectionError, Failure, Incoming, Kind, Limits, NotSent, Packet, PacketConnection, Reply,
};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(100);
/// What is meant to take a short time takes no longer, even on a machine that is busy.
const BUSY: Duration = Duration::from_secs(15);

fn short() -> Limits {
    Limits { stall_timeout: SHORT, answer_timeout: SHORT, close_timeout: SHORT, ..Limits::default() }
}

/// What the connection came to, no earlier than after a short time.
fn ends(start: Instant, connection: &packetstream_core::blocking::PacketConnection) -> ConnectionError {
    let error = connection.closed().unwrap().result.unwrap_err();
    assert!(start.elapsed() >= SHORT && start.elapsed() < BUSY, "{:?}", start.elapsed());
    error
}

// Rules: L-15
#[test]
fn a_peer_that_never_says_goodbye_is_waited_for_no_longer_than_the_limit() {
    in_time(|| {
        let (_peer, stream) = Script::new();
        let start = Instant::now();
        let connection = spawn(builder().limits(short()), stream);
        connection.close();
        let error = ends(start, &connection);
        assert!(matches!(error, ConnectionError::GoodbyeTimedOut(SHORT)), "{error:?}");
    });
}

// Rules: L-5
#[test]
fn a_handler_that_never_ends_holds_a_closing_connection_no_longer_than_the_limit() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let start = Instant::now();
        let connection = spawn(builder().limits(short()).handler(never), stream);
        peer.asks(2, b"");
        peer.says(&[3, 0, 2, 0]);
        let error = ends(start, &connection);
        assert!(matches!(error, ConnectionError::CloseTimedOut { in_flight: 0, owed: 1, .. }), "{error:?}");
    });
}

// Rules: L-18
#[test]
fn a_peer_that_reads_nothing_is_given_up_after_the_stall_limit() {
    in_time(|| {
        let (_peer, stream) = UnixStream::pair().unwrap();
        let start = Instant::now();
        let connection = spawn(builder().limits(short()), stream);
        let call = connection.submit(0, 0, vec![0; 10 << 20]);
        let error = ends(start, &connection);
        assert!(matches!(error, ConnectionError::WriteStalled { .. }), "{error:?}");
        let error = call.wait().unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::WriteStalled { .. })), "{error:?}");
    });
}

/// A stream whose writer tells when it writes, and is held up until the other half of that is dropped.
fn held_up() -> (Receiver<Sender<()>>, (UnixStream, HeldUp), UnixStream) {
    let (peer, stream) = UnixStream::pair().unwrap();
    let (writes, writing) = mpsc::channel();
    (writing, (stream, HeldUp(writes)), peer)
}

struct HeldUp(Sender<Sender<()>>);

impl Write for HeldUp {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let (go_on, goes_on) = mpsc::channel();
        self.0.send(go_on).unwrap();
        goes_on.recv().unwrap_err();
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// Rules: none: threads
#[test]
fn handles_are_obeyed_while_the_writer_is_held_up() {
    in_time(|| {
        let (writing, stream, _peer) = held_up();
        let connection = spawn(builder(), stream);
        let call = connection.submit(0, 0, Bytes::new());
        let held = writing.recv().unwrap();
        let more: Vec<_> = (2..20)
            .map(|in_flight| {
                let call = connection.submit(0, 0, Bytes::new());
                while connection.stats().in_flight < in_flight {
                    thread::yield_now();
                }
                call
            })
            .collect();
        let start = Instant::now();
        connection.abort();
        let error = call.wait().unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::Aborted)), "{error:?}");
        assert!(start.elapsed() < BUSY);
        connection.closed().unwrap();
        drop((held, writing, more));
    });
}

// Rules: none: threads
#[test]
fn reading_goes_on_while_the_writer_is_held_up() {
    in_time(|| {
        let (writing, stream, mut peer) = held_up();
        let connection = spawn(builder().handler(reverse), stream);
        let call = connection.submit(0, 0, Bytes::new());
        let held = writing.recv().unwrap();
        peer.write_all(&answer(2, b"already").transcribe()).unwrap();
        assert_eq!(call.wait().unwrap().payload, "already");
        drop((held, writing));
    });
}

// Rules: L-18
#[test]
fn a_peer_that_reads_slowly_is_not_given_up() {
    in_time(|| {
        let ((mut from, mut to), stream) = narrow(16);
        let limits = Limits { stall_timeout: SHORT * 4, ..Limits::default() };
        let connection = spawn(builder().limits(limits), stream);
        let call = connection.submit(0, 0, vec![0; 256]);
        let (start, mut heard) = (Instant::now(), 0);
        let mut bytes = [0; 16];
        while heard < 256 {
            heard += from.read(&mut bytes).unwrap();
            // Not to wait for anything, but to be slow: an eighth of what would be too slow.
            thread::sleep(SHORT / 2);
        }
        assert!(start.elapsed() > SHORT * 8, "twice the limit");
        to.write_all(&answer(2, b"at last").transcribe()).unwrap();
        assert_eq!(call.wait().unwrap().payload, "at last");
    });
}

// Rules: L-18
#[test]
fn a_peer_that_stalls_inside_a_packet_is_given_up_after_the_stall_limit() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let start = Instant::now();
        let connection = spawn(builder().limits(short()), stream);
        peer.says(&[200, 1]);
        let error = ends(start, &connection);
        assert!(matches!(error, ConnectionError::ReadStalled(SHORT)), "{error:?}");
    });
}

// Rules: none: threads
#[test]
fn a_thread_that_waits_in_a_pipe_is_left_behind_and_the_connection_ends() {
    in_time(|| {
        let (from_peer, mut to_us) = io::pipe().unwrap();
        let (_from_us, to_peer) = io::pipe().unwrap();
        let start = Instant::now();
        let connection = spawn(builder().limits(short()), (from_peer, to_peer));
        connection.close();
        let report = connection.closed().unwrap();
        assert!(start.elapsed() < BUSY);
        assert!(matches!(report.result, Err(ConnectionError::GoodbyeTimedOut(_))), "{report}");
        assert!(report.shut_down.unwrap().to_string().contains("still waits to read"));
        // It goes, with its half, when the peer says anything.
        to_us.write_all(&[0]).unwrap();
        while to_us.write_all(&[0]).is_ok() {
            thread::yield_now();
        }
    });
}

// Rules: none: limits of the caller
#[test]
fn calls_beyond_the_limit_wait_their_turn() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_calls: 2, ..Limits::default() };
        let connection = spawn(builder().limits(limits), stream);
        let [first, second, third] = [0, 1, 2].map(|rq_type| connection.submit(rq_type, 0, Bytes::new()));
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(0));
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(1));
        assert!(third.is_queued());
        let waiting = thread::spawn(move || third.wait());
        peer.sends(answer(3, b""));
        peer.sends(answer(2, b""));
        assert_eq!(peer.hears().unwrap().kind(), Kind::Request(2));
        peer.sends(answer(4, b""));
        for result in [first.wait(), second.wait(), waiting.join().unwrap()] {
            result.unwrap();
        }
    });
}

// Rules: W-14
#[test]
fn a_request_over_the_packet_limit_is_not_sent() {
    in_time(|| {
        let (_peer, stream) = Script::new();
        let connection = spawn(builder(), stream);
        let error = connection.call(0, 0, vec![0; 16 << 20]).unwrap_err();
        let CallError::NotSent(NotSent::TooLong { payload, limit }) = error else { panic!("{error:?}") };
        assert_eq!((payload, limit), (16 << 20, (16 << 20) - 40));
    });
}

// Rules: R-20
#[test]
fn a_peer_that_asks_too_much_is_left_unread_and_loses_nothing() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_handlers: 4, max_queued: 4, ..Limits::default() };
        let performing = Arc::new(AtomicUsize::new(0));
        let handler = move |_: Incoming| {
            let performing = Arc::clone(&performing);
            async move {
                let now = performing.fetch_add(1, Ordering::SeqCst) + 1;
                assert!(now <= 4, "{now} at once");
                thread::yield_now();
                performing.fetch_sub(1, Ordering::SeqCst);
                Ok(Reply::default())
            }
        };
        let _connection = spawn(builder().limits(limits).handler(handler), stream);
        let requests = (2..5_002)
            .flat_map(|tag| Packet::request(0, tag, 1, 0, Bytes::new()).unwrap().transcribe())
            .collect::<Vec<_>>();
        peer.says(&requests);
        let mut answered = Vec::new();
        while answered.len() < 5_000 {
            let packet = peer.hears().unwrap();
            assert_eq!(packet.kind(), Kind::Response { ok: true });
            answered.push(packet.tag());
        }
        answered.sort_unstable();
        assert!(answered.into_iter().eq(2..5_002));
    });
}

// Rules
#[test]
fn excess_requests_are_refused_rather_than_hide_the_answers_behind_them() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_handlers: 2, max_queued: 2, ..Limits::default() };
        let connection = spawn(builder().limits(limits).handler(never), stream);
        let call = connection.submit(0, 0, Bytes::new());
        peer.hears().unwrap();
        for tag in 2..12 {
            peer.asks(tag, b"");
        }
        peer.sends(answer(2, b"behind them"));
        assert_eq!(call.wait().unwrap().payload, "behind them");
        for tag in 6..12 {
            peer.expects(Packet::response(0, tag, Err(Failure::new("busy"))).unwrap());
        }
    });
}

// Rules: R-14
#[test]
fn handlers_that_ask_back_deeper_than_there_are_threads_are_refused_and_not_stuck() {
    in_time(|| {
        async fn deeper(request: Incoming) -> packetstream_core::Outcome {
            match request.peer().submit(0, 0, Bytes::new()).wait() {
                Err(CallError::Failed(failure)) => Err(failure),
                other => panic!("{other:?}"),
            }
        }
        let (here, there) = UnixStream::pair().unwrap();
        let small = || builder().limits(short()).handler(deeper).handler_threads(3);
        let a = spawn(small(), here);
        let _b = spawn(small(), there);
        assert_eq!(refusal(a.call(0, 0, Bytes::new())), "busy");
    });
}

// Rules: L-15
#[test]
fn a_peer_that_keeps_us_busy_does_not_stop_the_clock() {
    in_time(|| {
        let (peer, stream) = UnixStream::pair().unwrap();
        let start = Instant::now();
        let connection = spawn(builder().limits(short()).handler(reverse), stream);
        let flood = {
            let mut peer = peer.try_clone().unwrap();
            thread::spawn(move || {
                (2..).try_for_each(|tag| {
                    peer.write_all(&Packet::request(0, tag, 1, 0, Bytes::new()).unwrap().transcribe())
                })
            })
        };
        let listening = thread::spawn(move || io::copy(&mut &peer, &mut io::sink()));
        connection.close();
        let error = ends(start, &connection);
        assert!(matches!(error, ConnectionError::GoodbyeTimedOut(_)), "{error:?}");
        let _: io::Result<()> = flood.join().unwrap();
        let _ = listening.join().unwrap();
    });
}

// Rules: none: flushes
#[test]
fn a_grace_lets_packets_share_a_flush() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let builder = PacketConnection::builder().packet_grace(2 * SHORT);
        let connection = spawn(builder, stream);
        let start = Instant::now();
        let calls = [0, 1, 2].map(|n| connection.submit(n, 0, Bytes::new()));
        for n in 0..3 {
            assert_eq!(peer.hears().unwrap().kind(), Kind::Request(n));
        }
        assert!(start.elapsed() >= SHORT);
        while connection.stats().flushes == 0 {
            thread::yield_now();
        }
        assert_eq!(connection.stats().flushes, 1);
        for tag in 2..5 {
            peer.sends(answer(tag, b""));
        }
        for call in calls {
            call.wait().unwrap();
        }
        let start = Instant::now();
        connection.close();
        peer.expects_goodbye();
        assert!(start.elapsed() < BUSY, "a goodbye waits for nothing");
    });
}
