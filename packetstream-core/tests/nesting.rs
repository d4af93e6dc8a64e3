//! Handlers that ask back, level upon level: each holds its place until the innermost is done.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, in_time, refusal};
use packetstream_core::{
    CallError, Failure, Incoming, Kind, Limits, NotSent, Outcome, Packet, PacketConnection, Reply,
};
use std::time::Duration;
use tokio::io::duplex;
use tokio::time::Instant;

/// The peer's own failure, or what else there is instead of an answer.
fn failure(error: CallError) -> Failure {
    match error {
        CallError::Failed(failure) => failure,
        error => Failure::new(format!("{error:?}")),
    }
}

/// Asks the peer for one less until nothing is left.
async fn count_down(request: Incoming) -> Outcome {
    match request.flags {
        0 => Ok(Reply::default()),
        left => request.peer().submit(0, left - 1, Bytes::new()).await.map_err(failure),
    }
}

/// As it, for a place that it waits for.
async fn reserve_and_count_down(request: Incoming) -> Outcome {
    match (request.flags, request.peer().reserve().await) {
        (0, _) => Ok(Reply::default()),
        (_, Err(reason)) => Err(Failure::new(format!("{reason:?}"))),
        (left, Ok(place)) => place.submit(0, left - 1, Bytes::new()).await.map_err(failure),
    }
}

fn pair(limits: Limits) -> [PacketConnection; 2] {
    let (here, there) = duplex(1 << 16);
    [here, there].map(|stream| PacketConnection::builder().limits(limits).handler(count_down).spawn(stream))
}

// Rules: R-14
#[tokio::test(start_paused = true)]
async fn calls_nested_deeper_than_there_are_handlers_fail_and_do_not_hang() {
    let [a, _b] = pair(Limits { max_handlers: 10, ..Limits::default() });
    in_time(a.submit(0, 19, Bytes::new())).await.unwrap();
    assert_eq!(refusal(in_time(a.submit(0, 25, Bytes::new())).await), "busy");
    in_time(a.submit(0, 19, Bytes::new())).await.unwrap();
}

// Rules: R-14
#[tokio::test(start_paused = true)]
async fn knots_one_behind_the_other_take_seconds_each_once_the_first_has_stalled() {
    let [a, _b] = pair(Limits { max_handlers: 1, max_calls: 2, ..Limits::default() });
    let begin = Instant::now();
    let calls = [(); 20].map(|()| a.submit(0, 3, Bytes::new()));
    for call in calls {
        assert_eq!(refusal(in_time(call).await), "busy");
    }
    assert!((30..100).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

// Rules: R-14
#[tokio::test(start_paused = true)]
async fn handlers_that_take_seconds_are_refused_for_no_longer_than_one_stall_after_a_stall() {
    let (mut peer, stream) = Script::new();
    let takes = async |request: Incoming| {
        tokio::time::sleep(Duration::from_secs(request.flags)).await;
        Ok(Reply::default())
    };
    let limits = Limits { max_handlers: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).handler(takes).spawn(stream);
    let _waits = connection.submit(0, 0, "");
    in_time(peer.hears()).await.unwrap();
    let mut refused = Vec::new();
    for round in 0..20 {
        let seconds = if round == 0 { 35 } else { 3 };
        for (tag, flags) in [(2 + 2 * round, seconds), (3 + 2 * round, 0)] {
            peer.sends(Packet::request(0, tag, 0, flags, Bytes::new()).unwrap()).await;
        }
        for _ in 0..2 {
            let answer = in_time(peer.hears()).await.unwrap();
            if answer.kind() == (Kind::Response { ok: false }) {
                refused.push(round);
            }
        }
    }
    assert!(refused.contains(&0), "the first has stalled: {refused:?}");
    assert!(refused.iter().all(|round| *round < 12), "{refused:?}");
}

// Rules: none: local limits
#[tokio::test(start_paused = true)]
async fn calls_nested_deeper_than_may_be_in_flight_fail_and_do_not_hang() {
    let [a, _b] = pair(Limits { max_calls: 10, ..Limits::default() });
    in_time(a.submit(0, 19, Bytes::new())).await.unwrap();
    let begin = Instant::now();
    let refused = refusal(in_time(a.submit(0, 25, Bytes::new())).await);
    assert!(refused.contains("NoTurn(30s)"), "{refused}");
    assert!((30..62).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    in_time(a.submit(0, 19, Bytes::new())).await.unwrap();
}

// Rules: none: local limits
#[tokio::test(start_paused = true)]
async fn calls_nested_beyond_the_bytes_that_may_be_in_flight_fail_and_do_not_hang() {
    let limits = Limits { max_call_bytes: 10, ..Limits::default() };
    let (here, there) = duplex(1 << 16);
    let echo_back = async |request: Incoming| {
        let inner = request.flags.checked_sub(1);
        let Some(left) = inner else { return Ok(Reply::default()) };
        let answer = request.peer().submit(0, left, request.payload).await;
        answer.map_err(failure)
    };
    let [a, _b] = [here, there]
        .map(|stream| PacketConnection::builder().limits(limits).handler(echo_back).spawn(stream));
    in_time(a.submit(0, 3, "four")).await.unwrap();
    let refused = refusal(in_time(a.submit(0, 9, "four")).await);
    assert!(refused.contains("NoTurn(30s)"), "{refused}");
    in_time(a.submit(0, 3, "four")).await.unwrap();
    let stats = a.stats();
    let (ended, taken) = (stats.calls_ok + stats.calls_failed, stats.calls);
    assert_eq!((stats.in_flight, ended), (0, taken), "{stats:?}");
}

// Rules: none: local limits
#[tokio::test(start_paused = true)]
async fn handlers_that_wait_for_a_place_do_not_hang_either() {
    let (here, there) = duplex(1 << 16);
    let limits = Limits { max_calls: 3, ..Limits::default() };
    let [a, _b] = [here, there].map(|stream| {
        PacketConnection::builder().limits(limits).handler(reserve_and_count_down).spawn(stream)
    });
    let refused = refusal(in_time(a.submit(0, 25, Bytes::new())).await);
    assert!(refused.contains("NoTurn(30s)"), "{refused}");
}

// Rules: none: local limits
#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_turn_for_ever_where_no_handler_may_be_what_it_waits_for() {
    let (here, there) = duplex(1 << 16);
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let a = PacketConnection::builder().limits(limits).spawn(here);
    let slow = async |_: Incoming| {
        tokio::time::sleep(Duration::from_hours(1)).await;
        Ok(Reply::default())
    };
    let _b = PacketConnection::builder().handler(slow).spawn(there);
    let (first, second) = (a.submit(0, 0, ""), a.submit(0, 0, ""));
    assert!(second.is_queued());
    let hours = tokio::time::timeout(Duration::from_hours(3), async { (first.await, second.await) });
    let (first, second) = hours.await.unwrap();
    assert!(first.is_ok() && second.is_ok());
}

// Rules: none: local limits
#[tokio::test(start_paused = true)]
async fn a_call_keeps_waiting_for_its_turn_while_anything_moves() {
    let (here, there) = duplex(1 << 16);
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let a = PacketConnection::builder().limits(limits).handler(common::never).spawn(here);
    let slow = async |_: Incoming| {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Ok(Reply::default())
    };
    let b = PacketConnection::builder().handler(slow).spawn(there);
    let _held = b.submit(0, 0, "");
    let calls: Vec<_> = (0..10).map(|_| tokio::spawn(a.submit(0, 0, ""))).collect();
    for call in calls {
        let answer = in_time(call).await.unwrap();
        assert!(!matches!(answer, Err(CallError::NotSent(NotSent::NoTurn(_)))), "{answer:?}");
        answer.unwrap();
    }
}
