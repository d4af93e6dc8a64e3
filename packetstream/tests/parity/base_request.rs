//! `BaseRequest`.

use super::*;

#[tokio::test]
async fn base_request_flags() {
    let (mut peer, stream) = Raw::pair();
    let client = StoreClient::from(PacketConnection::builder().spawn(stream));
    let _call = client.add(Add { twice: true, ..add("x") });
    let packet = in_time(peer.hears()).await;
    assert_eq!(
        (packet.kind(), packet.flags(), &packet.payload()[..]),
        (Kind::Request(0), 1, &[1, 1, b'x'][..])
    );
}

#[tokio::test]
async fn base_request_fulfil() {
    let (client, _peer) = asking(serve::<Store, _>(Chunks::default()));
    let client = StoreClient::from(client);
    in_time(async {
        assert_eq!(client.add(add("chunk")).await.unwrap(), Added { new: true, length: 5 });
        assert_eq!(client.add(add("chunk")).await.unwrap(), Added { new: false, length: 5 });
        let error = client.add(add("")).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().reason(), "nothing to add");
    })
    .await;
}

#[test]
fn base_request_from_request_payload() {
    let rq = Add::from_request_payload(1, Bytes::from_static(&[3, 1, b'x'])).unwrap();
    assert_eq!(rq, Add { twice: true, hashenum: 3, data: "x".into() });
    assert!(Add::from_request_payload(0, Bytes::from_static(&[3, 2, b'x'])).is_err(), "cut short");
}

#[test]
fn base_request_decode_response_payload() {
    let reply = add("x").decode_response(Reply::from((1, Bytes::from_static(&[7])))).unwrap();
    assert_eq!(reply, Added { new: true, length: 7 });
}

#[test]
fn base_request_of_an_existing_type() {
    let code = HashCode { hashenum: 1, digest: "digest".into() };
    let (flags, payload) = Contains(code.clone()).transcribe_request();
    assert_eq!((flags, &payload[..]), (0, &b"\x01digest"[..]));
    assert_eq!(Contains::from_request_payload(0, payload).unwrap(), Contains(code));
}

#[test]
fn base_request_parse_and_transcribe() {
    let (flags, payload) = Backwards("abc".into()).transcribe_request();
    assert_eq!((flags, &payload[..]), (0, &b"\x03cba"[..]));
    assert_eq!(Backwards::from_request_payload(0, payload).unwrap(), Backwards("abc".into()));
}
