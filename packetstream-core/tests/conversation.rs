//! Two connections talk, or one and a script.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time, never, pair, refusal, reverse};
use packetstream_core::{
    CallError, ConnectionError, Failure, Incoming, Kind, Limits, NotSent, Outcome, Packet, PacketConnection,
    Reply,
};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, duplex};
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::JoinSet;

/// Makes `count` calls at once, of various sizes, and checks every answer.
async fn call_many(connection: PacketConnection, count: u64) {
    let calls: Vec<_> = (0..count)
        .map(|n| {
            let payload: Vec<u8> = (0..n * 37 % 100).flat_map(|i| (i + n).to_be_bytes()).collect();
            let reversed: Vec<u8> = payload.iter().rev().copied().collect();
            (connection.submit(n, n, payload), n, reversed)
        })
        .collect();
    for (call, flags, payload) in calls {
        assert_eq!(call.await.unwrap(), Reply::from((flags, payload.into())));
    }
}

// Rules: W-20, W-27
#[tokio::test]
async fn both_sides_may_call_512_times_at_once_over_a_stream_of_any_width() {
    for buffer in [1, 16, 65_536] {
        in_time(async {
            let (a, b) = pair(buffer);
            tokio::join!(call_many(a.clone(), 512), call_many(b.clone(), 512));
            a.close();
            a.closed().await.result.unwrap();
            b.closed().await.result.unwrap();
        })
        .await;
    }
}

// Rules: none: threads
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_on_several_threads_share_a_connection() {
    let (a, b) = pair(4096);
    let mut callers = JoinSet::new();
    for connection in [&a, &b] {
        for _ in 0..8 {
            callers.spawn(call_many(connection.clone(), 100));
        }
    }
    in_time(callers.join_all()).await;
}

// Rules: L-1, W-25, R-2
#[tokio::test]
async fn a_call_is_on_its_way_before_its_future_is_polled() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    let first = connection.submit(1, 0x55, &[2, 3][..]);
    let second = connection.submit(7, 0, Bytes::new());
    in_time(async {
        peer.expects(Packet::request(0, 2, 1, 0x55, Bytes::from_static(&[2, 3])).unwrap()).await;
        peer.expects(Packet::request(0, 3, 7, 0, Bytes::new()).unwrap()).await;
        peer.sends(answer(3, b"second")).await;
        peer.sends(answer(2, b"first")).await;
        assert_eq!(first.await.unwrap().payload, "first");
        assert_eq!(second.await.unwrap().payload, "second");
    })
    .await;
}

// Rules: R-2
#[tokio::test]
async fn answers_come_in_the_order_in_which_handlers_finish() {
    let (here, there) = duplex(1 << 16);
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let handler = move |request: Incoming| {
        let gate = Arc::clone(&gate);
        async move {
            if request.rq_type == 0 {
                gate.notified().await;
            }
            Ok(Reply::from(request.rq_type))
        }
    };
    let _peer = PacketConnection::builder().handler(handler).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        let slow = connection.submit(0, 0, Bytes::new());
        assert_eq!(connection.submit(1, 0, Bytes::new()).await.unwrap().flags, 1);
        opened.notify_one();
        assert_eq!(slow.await.unwrap().flags, 0);
    })
    .await;
}

/// Asks the peer for one less until nothing is left: each level waits inside a handler.
async fn count_down(request: Incoming) -> Outcome {
    let left = request.flags;
    if left > 0 {
        let reply = request.peer().submit(0, left - 1, Bytes::new()).await;
        return Ok(Reply::from(reply.map_err(|error| Failure::new(error.to_string()))?.flags + 1));
    }
    Ok(Reply::from(0))
}

// Rules: R-18
#[tokio::test]
async fn handlers_may_call_back_200_levels_deep() {
    let (here, there) = duplex(64);
    let a = PacketConnection::builder().handler(count_down).spawn(here);
    let _b = PacketConnection::builder().handler(count_down).spawn(there);
    assert_eq!(in_time(a.submit(0, 200, Bytes::new())).await.unwrap().flags, 200);
}

// Rules: R-6
#[tokio::test]
async fn a_panic_is_one_failure_and_the_connection_lives() {
    let (here, there) = duplex(1 << 16);
    let handler = async |request: Incoming| -> Outcome {
        match request.rq_type {
            0 => panic!("before the first await"),
            1 => {
                tokio::task::yield_now().await;
                panic!("after it")
            }
            _ => Ok(Reply::default()),
        }
    };
    let _peer = PacketConnection::builder().handler(handler).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        for rq_type in [0, 1] {
            let result = connection.submit(rq_type, 0, Bytes::new()).await;
            assert_eq!(refusal(result), "exception during handler");
        }
        connection.submit(2, 0, Bytes::new()).await.unwrap();
    })
    .await;
}

// Rules: R-7
#[tokio::test]
async fn without_a_handler_requests_are_refused() {
    let (here, there) = duplex(1 << 16);
    let _peer = PacketConnection::builder().spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    let result = in_time(connection.submit(0, 0, Bytes::new())).await;
    assert_eq!(refusal(result), "no request handler");
}

// Rules: L-5
#[tokio::test]
async fn closing_lets_what_was_asked_be_answered_in_both_directions() {
    let (here, there) = duplex(1 << 16);
    let both_asked = Arc::new(Barrier::new(2));
    let handler = move |request: Incoming| {
        let both_asked = Arc::clone(&both_asked);
        async move {
            both_asked.wait().await;
            Ok(Reply::from(request.payload))
        }
    };
    let a = PacketConnection::builder().handler(handler.clone()).spawn(here);
    let b = PacketConnection::builder().handler(handler).spawn(there);
    let from_a = a.submit(0, 0, "from a");
    let from_b = b.submit(0, 0, "from b");
    a.close();
    in_time(async {
        assert_eq!(from_a.await.unwrap().payload, "from a");
        assert_eq!(from_b.await.unwrap().payload, "from b");
        a.closed().await.result.unwrap();
        b.closed().await.result.unwrap();
    })
    .await;
}

// Rules: L-2
#[tokio::test]
async fn after_closing_requests_are_not_sent() {
    let (a, _b) = pair(1 << 16);
    a.close();
    in_time(async {
        a.closed().await.result.unwrap();
        let error = a.submit(0, 0, Bytes::new()).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Closed)), "{error:?}");
    })
    .await;
}

// Rules: none: handles
#[tokio::test]
async fn dropping_the_last_handle_closes() {
    let (a, b) = pair(1 << 16);
    let clone = a.clone();
    drop(a);
    in_time(async {
        clone.submit(0, 0, "still open").await.unwrap();
        drop(clone);
        b.closed().await.result.unwrap();
    })
    .await;
}

// Rules: L-5, L-11
#[tokio::test]
async fn a_goodbye_is_both_markers_and_waits_for_the_peers() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        connection.close();
        peer.expects_goodbye().await;
        let mut closed = Box::pin(connection.closed());
        assert!(futures_ready(&mut closed).await.is_none(), "the peer has not said goodbye");
        peer.says(&[3, 1, 2, 0, 3, 0, 2, 0]).await;
        closed.await.result.unwrap();
    })
    .await;
}

/// What a future has, looked at after everything else had its turn.
async fn futures_ready<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let mut future = Pin::new(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

// Rules: L-7, L-8
#[tokio::test]
async fn when_the_peer_closes_first_it_still_gets_its_answers_and_our_calls_end() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    let unanswered = connection.submit(0, 0, Bytes::new());
    in_time(async {
        peer.hears().await;
        peer.asks(2, b"abc").await;
        peer.says(&[3, 1, 2, 0, 3, 0, 2, 0]).await;
        let said = [peer.hears().await, peer.hears().await, peer.hears().await].map(Option::unwrap);
        assert!(said.contains(&answer(2, b"cba")) && said.contains(&Packet::end_of_requests()), "{said:?}");
        assert_eq!(said[2], Packet::end_of_stream());
        let error = unanswered.await.unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::ClosedByPeer)), "{error:?}");
        connection.closed().await.result.unwrap();
    })
    .await;
}

// Rules: none: the driver
#[tokio::test]
async fn a_dropped_driver_ends_every_call_also_those_that_wait_their_turn() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let (connection, driver) = PacketConnection::builder().limits(limits).build(stream);
    let sent = connection.submit(0, 0, Bytes::new());
    let queued = connection.submit(0, 0, Bytes::new());
    let driver = tokio::spawn(driver.run());
    in_time(async {
        peer.hears().await.unwrap();
        driver.abort();
        let error = sent.await.unwrap_err();
        assert!(matches!(error, CallError::Lost(ConnectionError::Dropped)), "{error:?}");
        let error = queued.await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Lost(ConnectionError::Dropped))), "{error:?}");
        let error = connection.closed().await.result.unwrap_err();
        assert!(matches!(error, ConnectionError::Dropped), "{error:?}");
    })
    .await;
}

// Rules: none: the driver
#[tokio::test]
async fn a_payload_that_panics_when_a_driver_is_dropped_with_it_leaves_nobody_waiting() {
    struct Payload;
    impl AsRef<[u8]> for Payload {
        fn as_ref(&self) -> &[u8] {
            b"its owner panics"
        }
    }
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("as the test wants");
        }
    }
    let (_peer, stream) = Script::new();
    let (connection, driver) = PacketConnection::builder().build(stream);
    let calls = [Bytes::from_owner(Payload), Bytes::new(), Bytes::new()];
    let calls = calls.map(|payload| connection.submit(0, 0, payload));
    drop(driver);
    in_time(async {
        for call in calls {
            call.await.unwrap_err();
        }
        let error = connection.closed().await.result.unwrap_err();
        assert!(matches!(error, ConnectionError::Dropped), "{error:?}");
    })
    .await;
}

// Rules: L-12
#[tokio::test]
async fn handlers_are_dropped_when_the_connection_dies() {
    let (mut peer, stream) = Script::new();
    let (started, starts) = oneshot::channel();
    let started = Mutex::new(Some(started));
    let handler = move |_: Incoming| {
        // Dropped with the future, which tells the other half.
        let (alive, gone) = oneshot::channel::<()>();
        started.lock().unwrap().take().unwrap().send(gone).unwrap();
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    };
    let _connection = PacketConnection::builder().handler(handler).spawn(stream);
    in_time(async {
        peer.asks(2, b"").await;
        let gone = starts.await.unwrap();
        peer.says(&[0]).await;
        gone.await.unwrap_err();
    })
    .await;
}

// Rules: none: transports
#[tokio::test]
async fn a_reader_and_a_writer_that_are_apart_make_a_transport() {
    let (read_a, write_b) = tokio::io::simplex(1 << 10);
    let (read_b, write_a) = tokio::io::simplex(1 << 10);
    let a = PacketConnection::builder().spawn(tokio::io::join(read_a, write_a));
    let _b = PacketConnection::builder().handler(reverse).spawn(tokio::io::join(read_b, write_b));
    assert_eq!(in_time(a.submit(0, 0, "abc")).await.unwrap().payload, "cba");
}

/// Counts writes and flushes.
struct Counting<S> {
    inner: S,
    writes: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

// Rules: none: writes
#[tokio::test]
async fn packets_of_one_turn_leave_with_one_write() {
    let (here, there) = duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = |inner| Counting { inner, writes: Arc::clone(&writes) };
    let connection = PacketConnection::builder().spawn(counted(here));
    let _peer = PacketConnection::builder().handler(reverse).spawn(counted(there));
    in_time(async {
        let calls: Vec<_> = (0..64).map(|n| connection.submit(n, 0, "payload")).collect();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(writes.load(Ordering::Relaxed), 2, "one for 64 requests, one for 64 answers");
    })
    .await;
}

// Rules: none: timers
#[tokio::test(start_paused = true)]
async fn a_lone_call_waits_for_no_timer() {
    let (a, _b) = pair(1 << 16);
    let before = tokio::time::Instant::now();
    for _ in 0..100 {
        a.submit(0, 0, "x").await.unwrap();
    }
    // The clock is paused: it moves only when every task waits for a timer.
    assert_eq!(before.elapsed(), std::time::Duration::ZERO);
}

// Rules: none: flushes
#[tokio::test]
async fn a_buffering_transport_is_flushed() {
    let (here, there) = duplex(1 << 16);
    let buffered = |stream| {
        let (reader, writer) = tokio::io::split(stream);
        tokio::io::join(reader, tokio::io::BufWriter::new(writer))
    };
    let a = PacketConnection::builder().spawn(buffered(here));
    let _b = PacketConnection::builder().handler(reverse).spawn(buffered(there));
    assert_eq!(in_time(a.submit(0, 0, "abc")).await.unwrap().payload, "cba");
}

// Rules: W-24
#[tokio::test]
async fn a_payload_of_ten_mebibytes_travels_both_ways() {
    let (a, _b) = pair(1 << 16);
    let payload: Bytes = (0..10 << 20).map(|n: u32| n.to_le_bytes()[0]).collect();
    let reply = in_time(a.submit(0, 0, payload.clone())).await.unwrap();
    assert!(reply.payload.iter().eq(payload.iter().rev()));
}

// Rules: R-3
#[tokio::test]
async fn requests_come_to_their_handler_in_the_order_of_their_arrival() {
    let (mut peer, stream) = Script::new();
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&arrived);
    let handler = move |request: Incoming| {
        seen.lock().unwrap().push(request.id.tag);
        async {
            tokio::task::yield_now().await;
            Ok(Reply::default())
        }
    };
    // Most have to wait for a place.
    let limits = Limits { max_handlers: 2, ..Limits::default() };
    let _connection = PacketConnection::builder().limits(limits).handler(handler).spawn(stream);
    let tags: Vec<u64> = (0..100).map(|n| n * 37 % 100).collect();
    in_time(async {
        for tag in &tags {
            peer.asks(*tag, b"").await;
        }
        for _ in &tags {
            peer.hears().await.unwrap();
        }
    })
    .await;
    assert_eq!(*arrived.lock().unwrap(), tags);
}

// Rules: W-25
#[tokio::test]
async fn requests_leave_in_the_order_of_their_submission() {
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_calls: 300, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).handler(never).spawn(stream);
    let calls: Vec<_> = (0..300).map(|n| connection.submit(n, 0, Bytes::new())).collect();
    in_time(async {
        for n in 0..300 {
            let packet = peer.hears().await.unwrap();
            assert_eq!((packet.kind(), packet.tag()), (Kind::Request(n), n + 2));
        }
    })
    .await;
    drop(calls);
}

// Rules: R-6
#[tokio::test]
async fn a_handler_that_panics_when_it_is_dropped_is_one_failure_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("while dropping");
        }
    }
    /// Finishes at its second poll, and panics when it is dropped.
    struct Late(bool, #[allow(dead_code, reason = "dropped")] Bomb);
    impl Future for Late {
        type Output = Outcome;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
            cx.waker().wake_by_ref();
            if std::mem::replace(&mut self.0, true) {
                Poll::Ready(Ok(Reply::default()))
            } else {
                Poll::Pending
            }
        }
    }
    let (here, there) = duplex(1 << 16);
    let handler = |request: Incoming| Late(request.rq_type == 0, Bomb);
    let _peer = PacketConnection::builder().handler(handler).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    for rq_type in [0, 1, 0] {
        let result = in_time(connection.submit(rq_type, 0, Bytes::new())).await;
        assert_eq!(refusal(result), "exception during handler");
    }
}

// Rules: none: extensions
#[tokio::test]
async fn what_is_kept_with_a_connection_is_seen_by_its_handlers_and_handles() {
    let (mut peer, stream) = Script::new();
    let handler = |request: Incoming| {
        let count = request.extensions().get_or_insert_with(AtomicU64::default);
        let before = count.fetch_add(1, Ordering::Relaxed);
        let step = request.extensions().get::<u64>().unwrap();
        async move { Ok(Reply::from(before * *step)) }
    };
    let connection = PacketConnection::builder().extension(10_u64).handler(handler).spawn(stream);
    in_time(async {
        for (tag, reply) in [(2, 0), (3, 10), (4, 20)] {
            peer.asks(tag, b"").await;
            peer.expects(Packet::response(0, tag, Ok(Reply::from(reply))).unwrap()).await;
        }
        let count = connection.extensions().get::<AtomicU64>().unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 3);
    })
    .await;
}
