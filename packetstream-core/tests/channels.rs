//! Channels: tag spaces with handlers of their own.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, in_time, refusal, reverse};
use packetstream_core::{
    CallError, Failure, Incoming, Kind, Limits, Outcome, Packet, PacketConnection, Reply,
};
use std::sync::{Arc, Mutex};
use tokio::io::duplex;

/// Answers with the channel that the request came on.
async fn channel_of(request: Incoming) -> Outcome {
    Ok(Reply::from(request.id.channel))
}

// Rules: W-29, R-16
#[tokio::test]
async fn each_channel_has_its_own_handler_and_its_own_tags() {
    let (here, there) = duplex(1 << 12);
    let _peer = PacketConnection::builder()
        .handler(reverse)
        .channel(7, channel_of)
        .channel(u64::MAX, channel_of)
        .spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        let (seventh, last) = (connection.channel(7), connection.channel(u64::MAX));
        for _ in 0..3 {
            assert_eq!(connection.submit(0, 0, "ab").await.unwrap().payload, "ba");
            assert_eq!(seventh.submit(0, 0, "ab").await.unwrap(), Reply::from(7));
            assert_eq!(last.submit(0, 0, "ab").await.unwrap_err().to_string(), {
                // The number itself does not fit the flags of a response.
                CallError::Failed(Failure::internal()).to_string()
            });
        }
    })
    .await;
}

// Rules: W-25
#[tokio::test]
async fn the_first_tags_of_channels_are_those_of_the_specification() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    let calls = [0, 7, 0, 7, 8].map(|channel| connection.channel(channel).submit(0, 0, Bytes::new()));
    for id in [(0, 2), (7, 0), (0, 3), (7, 1), (8, 0)] {
        let packet = in_time(peer.hears()).await.unwrap();
        assert_eq!((packet.channel(), packet.tag()), id);
    }
    drop(calls);
}

// Rules: R-9
#[tokio::test]
async fn a_peer_that_knows_only_channel_0_refuses_in_words_that_tell_the_channel() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        for reason in ["unknown channel %d", "unknown channel 7"] {
            let call = connection.channel(7).submit(0, 0, Bytes::new());
            let tag = peer.hears().await.unwrap().tag();
            peer.sends(Packet::response(7, tag, Err(Failure::new(reason))).unwrap()).await;
            let Err(CallError::Failed(failure)) = call.await else { panic!() };
            assert_eq!(failure.to_string(), "unknown channel 7");
            assert!(failure.is_unknown_channel());
        }
    })
    .await;
}

// Rules: R-9
#[tokio::test]
async fn a_request_on_a_channel_that_is_not_open_is_refused_there() {
    let (here, there) = duplex(1 << 12);
    let peer = PacketConnection::builder().handler(reverse).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        assert_eq!(refusal(connection.channel(3).submit(0, 0, Bytes::new()).await), "unknown channel 3");
        assert_eq!(peer.stats().requests_refused, 1);
        assert_eq!(connection.submit(0, 0, "ab").await.unwrap().payload, "ba", "the connection lives");
    })
    .await;
}

// Rules: R-7
#[tokio::test]
async fn a_channel_opened_to_ask_refuses_requests_until_it_has_a_handler() {
    let (here, there) = duplex(1 << 12);
    let peer = PacketConnection::builder().channel(5, channel_of).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        let ours = connection.channel(5);
        assert_eq!(ours.submit(0, 0, Bytes::new()).await.unwrap(), Reply::from(5));
        let theirs = peer.channel(5);
        assert_eq!(refusal(theirs.submit(0, 0, Bytes::new()).await), "no request handler");
        ours.handle(reverse);
        assert_eq!(theirs.submit(0, 0, "ab").await.unwrap().payload, "ba");
        connection.handle(channel_of);
        assert_eq!(peer.submit(0, 0, "ab").await.unwrap(), Reply::from(0), "channel 0 may change, too");
    })
    .await;
}

// Rules: W-29
#[tokio::test]
async fn channels_are_accepted_when_the_peer_first_asks_up_to_a_limit() {
    let (here, there) = duplex(1 << 12);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let accept = move |channel: u64| {
        seen.lock().unwrap().push(channel);
        (channel % 2 == 1).then_some(channel_of)
    };
    let _peer = PacketConnection::builder().accept_channels(2, accept).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        for (channel, accepted) in [(1, true), (2, false), (3, true), (1, true), (5, false)] {
            let result = connection.channel(channel).submit(0, 0, Bytes::new()).await;
            assert_eq!(result.is_ok(), accepted, "{channel}: {result:?}");
        }
        assert_eq!(*asked.lock().unwrap(), [1, 2, 3], "nobody is asked twice, nor beyond the limit");
    })
    .await;
}

// Rules: R-9
#[tokio::test]
async fn whoever_panics_when_asked_for_a_channel_refuses_it_and_the_connection_lives() {
    let (here, there) = duplex(1 << 12);
    let accept = |channel: u64| {
        assert_ne!(channel, 13, "not this one");
        Some(channel_of)
    };
    let _peer = PacketConnection::builder().accept_channels(2, accept).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    in_time(async {
        assert_eq!(refusal(connection.channel(13).submit(0, 0, Bytes::new()).await), "unknown channel 13");
        assert_eq!(connection.channel(14).submit(0, 0, Bytes::new()).await.unwrap(), Reply::from(14));
    })
    .await;
}

// Rules: R-18, W-29
#[tokio::test]
async fn a_handler_asks_back_on_the_channel_that_its_request_came_on() {
    let (here, there) = duplex(1 << 12);
    let asks_back = async |request: Incoming| {
        let reply = request.peer().call(0, 0, request.payload).await;
        reply.map_err(|error| Failure::new(error.to_string()))
    };
    let _peer = PacketConnection::builder().channel(9, asks_back).spawn(there);
    let connection = PacketConnection::builder().channel(9, reverse).handler(channel_of).spawn(here);
    in_time(async {
        assert_eq!(connection.channel(9).submit(0, 0, "abc").await.unwrap().payload, "cba");
    })
    .await;
}

// Rules: L-5
#[tokio::test]
async fn closing_waits_for_answers_on_all_channels() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let call = connection.channel(7).submit(0, 0, Bytes::new());
        connection.close();
        assert_eq!(peer.hears().await.unwrap().kind(), Kind::Request(0));
        peer.expects(Packet::end_of_requests()).await;
        peer.sends(Packet::response(7, 0, Ok(Reply::from(1))).unwrap()).await;
        peer.expects(Packet::end_of_stream()).await;
        assert_eq!(call.await.unwrap(), Reply::from(1));
    })
    .await;
}

// Rules: L-2
#[tokio::test]
async fn a_side_that_has_drained_may_still_change_who_answers() {
    let (here, there) = duplex(1 << 12);
    let peer = PacketConnection::builder().spawn(there);
    let connection = PacketConnection::builder().handler(reverse).spawn(here);
    in_time(async {
        connection.drain();
        peer.peer_drained().await;
        connection.handle(channel_of);
        connection.channel(5).handle(channel_of);
        assert_eq!(peer.submit(0, 0, "ab").await.unwrap(), Reply::from(0));
        assert_eq!(peer.channel(5).submit(0, 0, "ab").await.unwrap(), Reply::from(5));
    })
    .await;
}

// Rules: none: settings
#[tokio::test]
async fn a_handler_does_not_wait_for_room_for_calls() {
    let (here, there) = duplex(1 << 12);
    let asks_back = async |request: Incoming| {
        let reply = request.peer().channel(9).call(0, 0, "").await;
        reply.map_err(|error| Failure::new(error.to_string()))
    };
    let _peer = PacketConnection::builder().handler(asks_back).spawn(there);
    let limits = Limits { max_call_bytes: 1, ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).spawn(here);
    in_time(async {
        let (large, behind) = (connection.submit(0, 0, "large"), connection.submit(0, 0, "behind it"));
        connection.channel(9).handle(channel_of);
        assert_eq!((large.await.unwrap(), behind.await.unwrap()), (Reply::from(9), Reply::from(9)));
    })
    .await;
}

// Rules: none: settings
#[tokio::test]
async fn a_handler_that_is_set_when_the_connection_has_ended_is_dropped() {
    let (here, _there) = duplex(1 << 12);
    let connection = PacketConnection::builder().spawn(here);
    connection.abort();
    in_time(connection.closed()).await;
    let held = Arc::new(());
    let holds = Arc::clone(&held);
    connection.handle(move |request: Incoming| {
        let _held = Arc::clone(&holds);
        channel_of(request)
    });
    assert_eq!(Arc::strong_count(&held), 1);
}
