//! A newtype is what it wraps: flags, reply, request and all.

use packetstream::{BaseRequest, Bytes, Payload, Reply, Request, Response};

#[derive(Clone, Debug, PartialEq, Payload)]
struct Entry {
    #[payload(flag = 0)]
    size: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Renamed(Entry);

#[derive(Clone, Debug, PartialEq, Payload)]
struct Twice(Renamed);

/// With a name for its field it is a struct with a part.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Named {
    entry: Entry,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Twice)]
struct Put(Twice);

fn main() {
    let entry = Twice(Renamed(Entry { size: Some(9) }));
    assert_eq!(entry.to_bytes()[..], [1, 9]);
    assert_eq!(entry.clone().into_reply(), Reply { flags: 1, payload: Bytes::from_static(&[9]) });
    assert_eq!(Twice::from_reply(entry.clone().into_reply()), Ok(entry.clone()));
    let named = Named { entry: Entry { size: Some(9) } };
    assert_eq!(named.into_reply(), Reply { flags: 0, payload: Bytes::from_static(&[1, 9]) });
    assert_eq!(Put(entry).transcribe_request(), (1, Bytes::from_static(&[9])));
}
