//! Two connections talk, or one and a script.

use super::support::{Script, answer, builder, in_time, narrow, never, pair, refusal, reverse, spawn};
use bytes::Bytes;
use packetstream_core::blocking::{self, PacketConnection};
use packetstream_core::{
    CallError, ConnectionError, Failure, Incoming, Kind, Limits, NotSent, Observer, Outcome, Packet, Reply,
};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Makes `count` calls at once, of various sizes below 8 times `longest`, and checks every answer.
fn call_many(connection: &PacketConnection, count: u64, longest: u64) {
    let calls: Vec<_> = (0..count)
        .map(|n| {
            let payload: Vec<u8> = (0..n * 37 % longest).flat_map(|i| (i + n).to_be_bytes()).collect();
            let reversed: Vec<u8> = payload.iter().rev().copied().collect();
            (connection.submit(n, n, payload), n, reversed)
        })
        .collect();
    for (call, flags, payload) in calls {
        assert_eq!(call.wait().unwrap(), Reply::from((flags, payload.into())));
    }
}

// Rules: W-20, W-27
#[test]
fn both_sides_may_call_512_times_at_once_over_a_stream_of_any_width() {
    for (width, longest) in [(1, 5), (16, 100), (65_536, 100)] {
        in_time(move || {
            let (here, there) = narrow(width);
            let a = spawn(builder().handler(reverse), here);
            let b = spawn(builder().handler(reverse), there);
            thread::scope(|scope| {
                scope.spawn(|| call_many(&a, 512, longest));
                call_many(&b, 512, longest);
            });
            a.close();
            a.closed().unwrap().result.unwrap();
            b.closed().unwrap().result.unwrap();
        });
    }
}

// Rules: none: threads
#[test]
fn callers_on_several_threads_share_a_connection() {
    in_time(|| {
        let (a, b) = pair();
        thread::scope(|scope| {
            for connection in [&a, &b].repeat(8) {
                scope.spawn(|| call_many(connection, 100, 100));
            }
        });
    });
}

// Rules: L-1
#[test]
fn a_call_is_on_its_way_before_it_is_waited_for() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder(), stream);
        let first = connection.submit(1, 0x55, &[2, 3][..]);
        let second = connection.submit(7, 0, Bytes::new());
        peer.expects(Packet::request(0, 2, 1, 0x55, Bytes::from_static(&[2, 3])).unwrap());
        peer.expects(Packet::request(0, 3, 7, 0, Bytes::new()).unwrap());
        peer.sends(answer(3, b"second"));
        peer.sends(answer(2, b"first"));
        assert_eq!(first.wait().unwrap().payload, "first");
        assert_eq!(second.wait().unwrap().payload, "second");
    });
}

// Rules: R-2
#[test]
fn answers_come_in_the_order_in_which_handlers_finish() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let handler = move |request: Incoming| {
            let gate = Arc::clone(&gate);
            async move {
                if request.rq_type == 0 {
                    // Blocks the thread.
                    gate.lock().unwrap().recv().unwrap();
                }
                Ok(Reply::from(request.rq_type))
            }
        };
        let _peer = spawn(builder().handler(handler), there);
        let connection = spawn(builder(), here);
        let slow = connection.submit(0, 0, Bytes::new());
        assert_eq!(connection.call(1, 0, Bytes::new()).unwrap().flags, 1);
        open.send(()).unwrap();
        assert_eq!(slow.wait().unwrap().flags, 0);
    });
}

/// Asks the peer for one less until nothing is left: each level blocks inside a handler.
async fn count_down(request: Incoming) -> Outcome {
    let left = request.flags;
    if left > 0 {
        let reply = request.peer().submit(0, left - 1, Bytes::new()).wait();
        return Ok(Reply::from(reply.map_err(|error| Failure::new(error.to_string()))?.flags + 1));
    }
    Ok(Reply::from(0))
}

// Rules: R-18
#[test]
fn handlers_may_call_back_200_levels_deep_where_there_are_threads_for_it() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let many = || builder().handler(count_down).handler_threads(101);
        let a = spawn(many(), here);
        let _b = spawn(many(), there);
        assert_eq!(a.call(0, 200, Bytes::new()).unwrap().flags, 200);
    });
}

// Rules: none: threads
#[test]
fn as_many_handlers_block_at_once_as_there_may_be_threads() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let all = Arc::new(Barrier::new(16));
        let now = Arc::new(AtomicUsize::new(0));
        let handler = move |_: Incoming| {
            let (all, now) = (Arc::clone(&all), Arc::clone(&now));
            async move {
                let others = now.fetch_add(1, Ordering::SeqCst);
                // Falls when there are 16 of them.
                all.wait();
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(Reply::from(u64::try_from(others).unwrap()))
            }
        };
        let _peer = spawn(builder().handler(handler), there);
        let connection = spawn(builder(), here);
        let calls: Vec<_> = (0..48).map(|_| connection.submit(0, 0, Bytes::new())).collect();
        for call in calls {
            assert!(call.wait().unwrap().flags < 16);
        }
    });
}

// Rules: R-6
#[test]
fn a_panic_is_one_failure_and_the_connection_lives() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let handler = async |request: Incoming| -> Outcome {
            match request.rq_type {
                0 => panic!("before the first await"),
                1 => {
                    tokio::task::yield_now().await;
                    panic!("after it")
                }
                2 => {
                    drop(tokio::spawn(async {}));
                    Ok(Reply::default())
                }
                _ => Ok(Reply::default()),
            }
        };
        let _peer = spawn(builder().handler(handler), there);
        let connection = spawn(builder(), here);
        for rq_type in [0, 1, 2] {
            assert_eq!(refusal(connection.call(rq_type, 0, Bytes::new())), "exception during handler");
        }
        connection.call(3, 0, Bytes::new()).unwrap();
    });
}

// Rules: R-7
#[test]
fn without_a_handler_requests_are_refused() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let _peer = spawn(builder(), there);
        let connection = spawn(builder(), here);
        assert_eq!(refusal(connection.call(0, 0, Bytes::new())), "no request handler");
    });
}

// Rules: L-5
#[test]
fn closing_lets_what_was_asked_be_answered_in_both_directions() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let both_asked = Arc::new(Barrier::new(2));
        let handler = move |request: Incoming| {
            let both_asked = Arc::clone(&both_asked);
            async move {
                both_asked.wait();
                Ok(Reply::from(request.payload))
            }
        };
        let a = spawn(builder().handler(handler.clone()), here);
        let b = spawn(builder().handler(handler), there);
        let from_a = a.submit(0, 0, "from a");
        let from_b = b.submit(0, 0, "from b");
        a.close();
        assert_eq!(from_a.wait().unwrap().payload, "from a");
        assert_eq!(from_b.wait().unwrap().payload, "from b");
        a.closed().unwrap().result.unwrap();
        b.closed().unwrap().result.unwrap();
    });
}

// Rules: L-2
#[test]
fn after_closing_requests_are_not_sent() {
    in_time(|| {
        let (a, _b) = pair();
        a.close();
        a.closed().unwrap().result.unwrap();
        let error = a.call(0, 0, Bytes::new()).unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Closed)), "{error:?}");
    });
}

// Rules: none: handles
#[test]
fn dropping_the_last_handle_closes() {
    in_time(|| {
        let (a, b) = pair();
        let clone = a.clone();
        drop(a);
        clone.call(0, 0, "still open").unwrap();
        drop(clone);
        b.closed().unwrap().result.unwrap();
    });
}

// Rules: L-7, L-8
#[test]
fn when_the_peer_closes_first_it_still_gets_its_answers_and_our_calls_end() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder().handler(reverse), stream);
        let unanswered = connection.submit(0, 0, Bytes::new());
        peer.hears();
        peer.asks(2, b"abc");
        peer.says(&[3, 1, 2, 0, 3, 0, 2, 0]);
        let said = [peer.hears(), peer.hears(), peer.hears()].map(Option::unwrap);
        assert!(said.contains(&answer(2, b"cba")) && said.contains(&Packet::end_of_requests()), "{said:?}");
        assert_eq!(said[2], Packet::end_of_stream());
        let error = unanswered.wait().unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::ClosedByPeer)), "{error:?}");
        connection.closed().unwrap().result.unwrap();
    });
}

// Rules: L-7, L-13
#[test]
fn a_peer_that_vanishes_ends_every_call() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_calls: 1, ..Limits::default() };
        let connection = spawn(builder().limits(limits), stream);
        let sent = connection.submit(0, 0, Bytes::new());
        let queued = connection.submit(0, 0, Bytes::new());
        peer.hears().unwrap();
        drop(peer);
        let error = sent.wait().unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::NoGoodbye)), "{error:?}");
        let error = queued.wait().unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Lost(ConnectionError::NoGoodbye))), "{error:?}");
        connection.closed().unwrap().result.unwrap_err();
    });
}

// Rules: none: the driver
#[test]
fn a_dropped_driver_ends_every_call_also_those_that_wait_their_turn() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_calls: 1, ..Limits::default() };
        let (connection, driver) = blocking::build(builder().limits(limits), stream).unwrap();
        let sent = connection.submit(0, 0, Bytes::new());
        let queued = connection.submit(0, 0, Bytes::new());
        peer.hears().unwrap();
        drop(driver);
        let error = sent.wait().unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::Dropped)), "{error:?}");
        let error = queued.wait().unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Lost(ConnectionError::Dropped))), "{error:?}");
        let error = connection.closed().unwrap().result.unwrap_err();
        assert!(matches!(error, ConnectionError::Dropped), "{error:?}");
        while peer.hears().is_some() {}
    });
}

// Rules: L-12
#[test]
fn handlers_are_dropped_when_the_connection_dies() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let (started, starts) = mpsc::channel();
        let handler = move |_: Incoming| {
            // Dropped with the future, which tells the other half.
            let (alive, gone) = mpsc::channel::<()>();
            started.send(gone).unwrap();
            async move {
                let _alive = alive;
                std::future::pending().await
            }
        };
        let connection = spawn(builder().handler(handler), stream);
        peer.asks(2, b"");
        let gone = starts.recv().unwrap();
        peer.says(&[0]);
        gone.recv().unwrap_err();
        let error = connection.closed().unwrap().result.unwrap_err();
        assert!(matches!(error, ConnectionError::Decode(_)), "{error:?}");
    });
}

// Rules: none: threads
#[test]
fn a_handler_that_blocks_learns_that_the_connection_died_and_holds_nothing_up() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let (say, said) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel::<()>();
        let goes_on = Mutex::new(Some(goes_on));
        let handler = move |request: Incoming| {
            let (say, goes_on) = (say.clone(), goes_on.lock().unwrap().take().unwrap());
            async move {
                say.send(request.is_cancelled()).unwrap();
                goes_on.recv().unwrap();
                say.send(request.is_cancelled()).unwrap();
                Ok(Reply::default())
            }
        };
        let connection = spawn(builder().handler(handler), stream);
        peer.asks(2, b"");
        assert!(!said.recv().unwrap());
        drop(peer);
        connection.abort();
        connection.closed().unwrap().result.unwrap_err();
        go_on.send(()).unwrap();
        assert!(said.recv().unwrap());
    });
}

// Rules: W-24
#[test]
fn a_payload_of_ten_mebibytes_travels_both_ways() {
    in_time(|| {
        let (a, _b) = pair();
        let payload: Bytes = (0..10 << 20).map(|n: u32| n.to_le_bytes()[0]).collect();
        let reply = a.call(0, 0, payload.clone()).unwrap();
        assert!(reply.payload.iter().eq(payload.iter().rev()));
    });
}

// Rules: W-25
#[test]
fn requests_are_sent_in_the_order_of_their_submission() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_calls: 300, ..Limits::default() };
        let connection = spawn(builder().limits(limits).handler(never), stream);
        let calls: Vec<_> = (0..300).map(|n| connection.submit(n, 0, Bytes::new())).collect();
        for n in 0..300 {
            let packet = peer.hears().unwrap();
            assert_eq!((packet.kind(), packet.tag()), (Kind::Request(n), n + 2));
        }
        drop(calls);
    });
}

// Rules: W-29
#[test]
fn channels_have_tags_and_handlers_of_their_own() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let peer = spawn(builder().handler(reverse), there);
        peer.channel(7).handle(async |request: Incoming| Ok(Reply::from(request.id.channel)));
        let connection = spawn(builder(), here);
        // The peer has opened its channel when it has answered what it heard afterwards.
        peer.barrier().unwrap();
        while connection.channel(7).call(0, 0, "abc").is_err() {}
        assert_eq!(connection.channel(7).call(0, 0, "abc").unwrap().flags, 7);
        assert_eq!(connection.call(0, 0, "abc").unwrap().payload, "cba");
        assert!(refusal(connection.channel(8).call(0, 0, "abc")).contains('8'));
    });
}

// Rules: none: observers
#[test]
fn an_observer_that_panics_ends_the_connection() {
    struct Touchy;
    impl Observer for Touchy {
        fn received(&self, _: &Packet) {
            panic!("as the test wants");
        }
    }
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection = spawn(builder().handler(reverse).observer(Touchy), stream);
        let call = connection.submit(0, 0, Bytes::new());
        peer.asks(2, b"");
        assert!(matches!(call.wait(), Err(CallError::Lost(_) | CallError::NotSent(_))));
        let error = connection.closed().unwrap().result.unwrap_err();
        assert!(matches!(error, ConnectionError::ObserverPanicked), "{error:?}");
    });
}

// Rules: none: observers
#[test]
fn an_observer_that_panics_while_the_driver_is_dropped_keeps_nobody_from_hearing_of_it() {
    struct Touchy;
    impl Observer for Touchy {
        fn call_unanswered(&self, _: u64, _: Duration, _: &CallError) {
            panic!("as the test wants");
        }
    }
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let (connection, driver) = blocking::build(builder().observer(Touchy), stream).unwrap();
        let calls = [(); 3].map(|()| connection.submit(0, 0, Bytes::new()));
        for _ in &calls {
            peer.hears().unwrap();
        }
        drop(driver);
        for call in calls {
            assert!(matches!(call.wait(), Err(CallError::Lost(ConnectionError::Dropped))));
        }
        let error = connection.closed().unwrap().result.unwrap_err();
        assert!(matches!(error, ConnectionError::Dropped), "{error:?}");
    });
}

// Rules: none: handles
#[test]
fn a_handle_has_the_name_the_extensions_and_the_clients_of_the_other_kind() {
    in_time(|| {
        let (here, _there) = UnixStream::pair().unwrap();
        let (connection, driver) = blocking::build(builder().name("store").extension(7_u64), here).unwrap();
        assert_eq!(format!("{driver:?}"), "Driver { .. }");
        assert_eq!(connection.name(), Some("store"));
        assert_eq!(connection.extensions().get::<u64>().as_deref(), Some(&7));
        assert_eq!(connection.client::<packetstream_core::PacketConnection>().name(), Some("store"));
        assert_eq!(connection.client::<PacketConnection>().name(), Some("store"));
    });
}
