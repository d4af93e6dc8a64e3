//! `RequestState`.

use super::*;

#[test]
fn request_state_fields() {
    // What is kept for a request is whatever the caller wants back with its answer.
    let mut state = ConnectionState::default();
    let decode: fn(&[u8]) -> usize = <[u8]>::len;
    state.submit(0, 1, 0, Bytes::new(), (decode, "result")).unwrap();
    let answer = response(2, Ok(Reply::from(Bytes::from_static(b"four"))));
    let Some(Event::Answered { waiter: (decode, result), outcome }) = state.handle_packet(answer).unwrap()
    else {
        panic!()
    };
    assert_eq!((decode(&outcome.unwrap().payload), result), (4, "result"));
}

#[tokio::test]
async fn request_state_cancel() {
    let (mut peer, stream) = Raw::pair();
    let connection = PacketConnection::builder().spawn(stream);
    drop(connection.submit(1, 0, Bytes::new()));
    let kept = connection.submit(2, 0, Bytes::new());
    assert_eq!(in_time(peer.hears()).await.kind(), Kind::Request(2), "the first was taken back");
    drop(kept);
    assert_eq!(connection.stats().abandoned, 1, "what was sent is parked until its answer");
}

#[test]
fn request_state_complete() {
    let mut state = ConnectionState::default();
    state.submit(0, 1, 0, Bytes::new(), "waiter").unwrap();
    let event = state.handle_packet(response(2, Ok(Reply::from(7)))).unwrap();
    assert_eq!(event, Some(Event::Answered { waiter: "waiter", outcome: Ok(Reply::from(7)) }));
}

#[test]
fn request_state_fail() {
    let mut state = ConnectionState::default();
    state.submit(0, 1, 0, Bytes::new(), "waiter").unwrap();
    let failure = Failure { flags: 7, payload: Bytes::from_static(b"no") };
    let event = state.handle_packet(response(2, Err(failure.clone()))).unwrap();
    assert_eq!(event, Some(Event::Answered { waiter: "waiter", outcome: Err(failure) }));
}
