//! Flags of the packet, and flags within.

use packetstream::{BaseRequest, Bytes, Payload, Reply, Request, Response};

#[derive(Clone, Debug, PartialEq, Payload)]
struct Found {
    #[payload(flag = 60)]
    last: bool,
    id: u64,
    #[payload(flag = !0)]
    name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Raw {
    #[payload(flags)]
    flags: u64,
    #[payload(rest)]
    bytes: Vec<u8>,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Option<Found>)]
struct Find {
    #[request(flag = 61)]
    deep: bool,
    #[request(flag = 1)]
    after: Option<Found>,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Vec<Found>, error = Raw)]
struct List(#[request(flags)] u64, Found);

fn reply(flags: u64, payload: &'static [u8]) -> Reply {
    Reply { flags, payload: Bytes::from_static(payload) }
}

fn main() {
    let found = Found { last: true, id: 5, name: None };
    assert_eq!(found.clone().into_reply(), reply(1 << 60 | 1, &[5]));
    assert_eq!(Some(found.clone()).into_reply(), reply(1 << 61 | 0b11, &[5]));
    let within = b"\x90\x80\x80\x80\x80\x80\x80\x80\x01\x05";
    assert_eq!(found.to_bytes()[..], *within);
    assert_eq!(vec![found.clone()].into_reply(), reply(0, within));

    let find = Find { deep: true, after: Some(found.clone()) };
    assert_eq!(find.transcribe_request(), (1 << 61 | 0b10, Bytes::from_static(within)));
    assert_eq!(Find::from_request_payload(1 << 61 | 0b10, Bytes::from_static(within)), Ok(find));
    assert_eq!(List(u64::MAX >> 2, found).transcribe_request().0, u64::MAX >> 2);
    assert_eq!(Raw { flags: 300, bytes: b"r".to_vec() }.into_reply(), reply(300, b"r"));
}
