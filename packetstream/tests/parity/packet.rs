//! `Packet`.

use super::*;

#[test]
fn packet_fields() {
    let packet = Packet::request(7, 300, 1, 0x55, Bytes::from_static(&[2, 3])).unwrap();
    assert_eq!((packet.channel(), packet.tag(), packet.flags()), (7, 300, 0x55));
    assert_eq!((packet.kind(), &packet.payload()[..]), (Kind::Request(1), &[2, 3][..]));
    assert_eq!(response(2, Ok(Reply::from(()))).kind(), Kind::Response { ok: true });
}

#[test]
fn packet_str() {
    let shown = request(1, "some text").to_string();
    assert!(shown.ends_with("9 bytes: 736f6d652074657874"), "{shown}");
    let debugged = format!("{:?}", request(1, "some text"));
    assert!(!debugged.contains("some text"), "no log shows a payload unless it is asked to: {debugged}");
}

#[test]
fn packet_parse() {
    let mut bytes = Bytes::from_static(&[6, 2, 0x82, 0x56, 2, 2, 3, 0xff]);
    let packet = Packet::parse(&mut bytes).unwrap();
    assert_eq!((packet.tag(), packet.flags(), packet.kind()), (2, 0x55, Kind::Request(1)));
    assert_eq!(&bytes[..], [0xff], "what follows stays");
}

#[test]
fn packet_transcribe() {
    let packet = Packet::request(0, 2, 1, 0x55, Bytes::from_static(&[2, 3])).unwrap();
    assert_eq!(packet.transcribe()[..], [6, 2, 0x82, 0x56, 2, 2, 3]);
}

#[test]
fn packet_write() {
    let mut file = tempfile::tempfile().unwrap();
    request(1, "x").write(&mut file, true).unwrap();
    assert_eq!(file.metadata().unwrap().len(), request(1, "x").transcribe().len() as u64);
}

// Rules: W-15
#[test]
fn packet_eq() {
    let padded = Packet::parse(&mut Bytes::from_static(&[4, 0x80, 0, 2, 0])).unwrap();
    assert_eq!(padded, Packet::end_of_stream());
    // A response has no request type at all: there is none to compare by mistake.
    assert_eq!(response(2, Ok(Reply::from(1))), response(2, Ok(Reply::from(1))));
    assert_ne!(request(1, ""), request(2, ""));
}
