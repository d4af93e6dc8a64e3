use packetstream::{Bytes, Payload};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Payload)]
enum Kind {
    File,
    Directory,
}

#[derive(Debug, PartialEq, Payload)]
struct Place(u64, Option<Box<Place>>);

#[derive(Debug, PartialEq, Payload)]
struct Everything {
    nothing: (),
    one: (bool,),
    three: (u64, String, [u16; 2]),
    bytes: [u8; 3],
    data: Vec<u8>,
    shared: Bytes,
    float: f64,
    texts: BTreeMap<Kind, Vec<String>>,
    counts: HashMap<String, u32>,
    place: Place,
}

fn main() {
    let value = Everything {
        nothing: (),
        one: (true,),
        three: (300, "t".into(), [1, 2]),
        bytes: *b"raw",
        data: vec![7],
        shared: Bytes::from_static(b"s"),
        float: 0.5,
        texts: BTreeMap::from([(Kind::File, vec!["a".into()]), (Kind::Directory, vec![])]),
        counts: HashMap::from([("c".into(), 5)]),
        place: Place(1, Some(Box::new(Place(2, None)))),
    };
    let bytes = value.to_bytes();
    let expected = b"\x01\x82\x2c\x01t\x01\x02raw\x01\x07\x01s\x030.5\x02\x00\x01\x01a\x01\x00\x01\x01c\x05\x01\x01\x02\x00";
    assert_eq!(bytes[..], expected[..]);
    assert_eq!(Everything::from_bytes(bytes), Ok(value));
}
