//! What people see of handles, requests and drivers who look for faults: never a payload.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{Script, answer, in_time, reverse};
use packetstream_core::{Handler, Incoming, Outcome, PacketConnection, Reply};
use tokio::io::duplex;

#[tokio::test]
async fn handles_and_drivers_show_their_name_and_channel_and_how_far_they_are() {
    let builder = || PacketConnection::builder().name("store").handler(reverse);
    assert!(format!("{:?}", builder()).starts_with("Builder { name: Some(\"store\"), limits: Limits {"));
    let (here, there) = duplex(1 << 10);
    let (connection, driver) = builder().build(here);
    assert_eq!(format!("{driver:?}"), "Driver { phase: Live, .. }");
    let _peer = builder().spawn(there);
    tokio::spawn(driver.run());
    let shown = format!("{connection:?}");
    assert!(shown.contains("name: \"store\"") && !shown.contains("channel"), "{shown}");
    assert!(format!("{:?}", connection.channel(7)).contains("channel: 7"));
    let place = in_time(connection.reserve()).await.unwrap();
    assert_eq!(format!("{place:?}"), "Place { is_open: true, .. }");
    connection.abort();
    in_time(connection.closed()).await;
    assert_eq!(format!("{place:?}"), "Place { is_open: false, .. }");
}

#[tokio::test]
async fn a_call_shows_how_far_it_is() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let mut call = connection.submit(1, 0, "hunter2").label("the call");
        assert_eq!(format!("{call:?}"), "Call(sent, \"the call\")");
        peer.hears().await.unwrap();
        peer.sends(answer(2, b"answer")).await;
        (&mut call).await.unwrap();
        assert_eq!(format!("{call:?}"), "Call(done, \"the call\")");
        connection.close();
        let mut late = connection.submit(1, 0, "hunter2");
        assert_eq!(format!("{late:?}"), "Call(refused)");
        (&mut late).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn a_request_shows_the_length_of_its_payload() {
    let tells = async |request: Incoming| Ok(Reply::from(format!("{request:?}")));
    let (here, there) = duplex(1 << 10);
    let _peer = PacketConnection::builder().handler(tells).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    let shown = in_time(connection.submit(1, 5, "hunter2")).await.unwrap().payload;
    let expected =
        "Incoming { id: RequestId { channel: 0, tag: 2 }, rq_type: 1, flags: 5, payload: 7 bytes, .. }";
    assert_eq!(shown, expected);
}

/// Attaches a number to each request, and answers what it finds attached.
struct Attaches;

impl Handler for Attaches {
    async fn handle(&self, mut request: Incoming) -> Outcome {
        let unread = request.detach::<u64>();
        request.attach("a text");
        request.attach(7_u64);
        let text = request.detach::<&str>();
        let number = request.detach::<u64>();
        let again = request.detach::<u64>();
        Ok(Reply::from(format!("{unread:?} {text:?} {number:?} {again:?}")))
    }
}

#[tokio::test]
async fn what_is_attached_to_a_request_is_found_once_and_by_its_type_only() {
    let (here, there) = duplex(1 << 10);
    let _peer = PacketConnection::builder().handler(Attaches).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    let found = in_time(connection.submit(1, 0, "")).await.unwrap().payload;
    assert_eq!(found, "None None Some(7) None");
}
