//! What is refused on a thread of an async runtime, and what still works there.

use super::support::{Script, answer, builder, in_time, pair, reverse, spawn};
use bytes::Bytes;
use packetstream_core::blocking::{self, InsideRuntime, SpawnError};
use packetstream_core::{CallError, ConnectionError, Limits, NotSent, PacketConnection};
use std::future::Future;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

fn inside<T>(work: impl Future<Output = T>) -> T {
    Runtime::new().unwrap().block_on(work)
}

#[test]
fn no_connection_is_made_inside_a_runtime() {
    in_time(|| {
        inside(async {
            let stream = || UnixStream::pair().unwrap().0;
            assert!(matches!(blocking::spawn(builder(), stream()), Err(SpawnError::InsideRuntime(_))));
            assert!(matches!(blocking::serve(builder(), stream()), Err(SpawnError::InsideRuntime(_))));
            assert!(matches!(blocking::build(builder(), stream()), Err(SpawnError::InsideRuntime(_))));
            assert_eq!(blocking::block_on(async {}), Err(InsideRuntime));
        });
    });
}

#[test]
fn nothing_blocks_inside_a_runtime_and_nothing_is_sent() {
    in_time(|| {
        let (a, b) = pair();
        inside(async {
            let error = a.call(0, 0, "abc").unwrap_err();
            assert!(matches!(error, CallError::NotSent(NotSent::InsideRuntime)), "{error:?}");
            assert_eq!(a.barrier(), Err(InsideRuntime));
            assert_eq!(a.closed().map(drop), Err(InsideRuntime));
            assert_eq!(a.peer_drained(), Err(InsideRuntime));
            assert_eq!(a.peer_closed(), Err(InsideRuntime));
        });
        a.close();
        assert_eq!(a.closed().unwrap().stats.calls, 0);
        b.closed().unwrap().result.unwrap();
    });
}

#[test]
fn waiting_for_a_call_inside_a_runtime_says_whether_it_was_sent() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let limits = Limits { max_calls: 1, ..Limits::default() };
        let connection = spawn(builder().limits(limits), stream);
        inside(async {
            let sent = connection.submit(0, 0, Bytes::new());
            let queued = connection.submit(0, 0, Bytes::new());
            let error = queued.wait().unwrap_err();
            assert!(matches!(error, CallError::NotSent(NotSent::InsideRuntime)), "{error:?}");
            assert!(matches!(sent.wait(), Err(CallError::InsideRuntime)));
        });
        peer.says(&[3, 0, 2, 0]);
    });
}

#[test]
fn a_driver_that_is_run_inside_a_runtime_ends_its_connection() {
    in_time(|| {
        let (_peer, stream) = UnixStream::pair().unwrap();
        let (connection, driver) = blocking::build(builder(), stream).unwrap();
        inside(async { assert!(matches!(driver.run(), Err(InsideRuntime))) });
        let result = connection.closed().unwrap().result;
        assert!(matches!(result, Err(ConnectionError::Dropped)), "{result:?}");
    });
}

#[test]
fn what_a_thread_drives_can_be_awaited_inside_a_runtime() {
    in_time(|| {
        let (mut peer, stream) = Script::new();
        let connection: PacketConnection = spawn(builder(), stream).into();
        let answering = thread::spawn(move || {
            peer.hears().unwrap();
            peer.sends(answer(2, b"answer"));
            peer
        });
        let reply = inside(async move {
            let call = connection.submit(0, 0, Bytes::new()).timeout(Duration::from_secs(30));
            call.await.unwrap()
        });
        assert_eq!(reply.payload, "answer");
        answering.join().unwrap().says(&[3, 0, 2, 0]);
    });
}

#[test]
fn what_a_runtime_drives_can_be_waited_for_outside_and_by_a_peer_on_threads() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        there.set_nonblocking(true).unwrap();
        let runtime = Runtime::new().unwrap();
        let driven = {
            let _guard = runtime.enter();
            let stream = tokio::net::UnixStream::from_std(there).unwrap();
            PacketConnection::builder().handler(reverse).spawn(stream)
        };
        let driven = blocking::PacketConnection::from(driven);
        let threads = spawn(builder().handler(reverse), here);
        thread::scope(|scope| {
            for connection in [&driven, &threads] {
                scope.spawn(|| {
                    for _ in 0..100 {
                        assert_eq!(connection.call(0, 0, "abc").unwrap().payload, "cba");
                    }
                });
            }
        });
        driven.close();
        threads.closed().unwrap().result.unwrap();
        driven.closed().unwrap().result.unwrap();
    });
}
