//! Places for requests that are yet to come.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{Script, answer, in_time, never, reverse};
use packetstream_core::{CallError, ConnectionError, Limits, NotSent, PacketConnection};
use std::pin::pin;
use std::task::{Context, Waker};
use tokio::io::duplex;

fn two_at_once() -> Limits {
    Limits { max_calls: 2, ..Limits::default() }
}

/// Whether a request would find a place now.
fn has_room(connection: &PacketConnection) -> bool {
    pin!(connection.reserve()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test]
async fn a_place_is_nobody_elses_until_it_is_dropped_or_its_request_answered() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().limits(two_at_once()).spawn(stream);
    in_time(async {
        let first = connection.reserve().await.unwrap();
        let second = connection.reserve().await.unwrap();
        assert!(!has_room(&connection));
        assert!(connection.submit(0, 0, "x").is_queued());
        drop(first);
        assert!(has_room(&connection));
        assert!(has_room(&connection), "looking takes nothing");

        let _unanswered = connection.submit(1, 0, "one");
        let call = second.submit(1, 0, "two");
        assert!(!call.is_queued() && !has_room(&connection));
        peer.hears().await.unwrap();
        peer.hears().await.unwrap();
        peer.sends(answer(3, b"answer")).await;
        assert_eq!(call.await.unwrap().payload, "answer");
        assert!(has_room(&connection));
    })
    .await;
}

#[tokio::test]
async fn a_place_that_came_to_whoever_has_gone_is_the_next_ones() {
    let (_peer, stream) = Script::new();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    let place = in_time(connection.reserve()).await.unwrap();
    let [mut first, mut second, mut third] = [(); 3].map(|()| Box::pin(connection.reserve()));
    let mut cx = Context::from_waker(Waker::noop());
    for waiting in [&mut first, &mut second, &mut third] {
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
    }
    drop(first);
    drop(place);
    drop(second);
    assert!(third.as_mut().poll(&mut cx).is_ready(), "one went before there was a place, one with it");
    assert!(has_room(&connection));
}

#[tokio::test]
async fn a_place_stays_free_when_its_request_is_too_long() {
    let (here, there) = duplex(1 << 10);
    let _peer = PacketConnection::builder().handler(reverse).spawn(there);
    let limits = Limits { max_packet: 100, ..two_at_once() };
    let connection = PacketConnection::builder().limits(limits).spawn(here);
    in_time(async {
        for _ in 0..3 {
            let call = connection.reserve().await.unwrap().submit(0, 0, vec![0; 61]);
            let error = call.await.unwrap_err();
            assert!(
                matches!(error, CallError::NotSent(NotSent::TooLong { payload: 61, limit: 60 })),
                "{error:?}"
            );
        }
        let reply = connection.reserve().await.unwrap().submit(0, 0, "ab").await;
        assert_eq!(reply.unwrap().payload, "ba");
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_for_a_place_learns_why_there_will_be_none() {
    let (here, there) = duplex(1 << 10);
    let peer = PacketConnection::builder().handler(never).build(there);
    let connection = PacketConnection::builder().limits(two_at_once()).spawn(here);
    in_time(async {
        let places = [connection.reserve().await.unwrap(), connection.reserve().await.unwrap()];
        let waiting = tokio::spawn(connection.reserve());
        assert!(connection.is_open());
        drop(peer);
        let reason = waiting.await.unwrap().unwrap_err();
        assert!(matches!(reason, NotSent::Lost(ConnectionError::NoGoodbye)), "{reason:?}");
        for place in places {
            assert!(!place.is_open());
            let error = place.submit(0, 0, "x").await.unwrap_err();
            assert!(matches!(error, CallError::NotSent(NotSent::Lost(_))), "{error:?}");
        }
        assert!(!connection.is_open());
    })
    .await;
}

#[tokio::test]
async fn a_place_does_not_keep_the_connection_open() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let place = connection.reserve().await.unwrap();
        drop(connection);
        peer.expects_goodbye().await;
        assert!(!place.is_open());
        let error = place.submit(0, 0, "x").await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Closed)), "{error:?}");
    })
    .await;
}
