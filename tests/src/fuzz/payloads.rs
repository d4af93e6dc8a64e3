//! Payloads of every encoding.

use bytes::Bytes;
use packetstream::{BaseRequest, Be, Le, Payload, Request};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What can be within what.
#[derive(Clone, Debug, PartialEq, Payload)]
enum Tree {
    Leaf(u64),
    Text(String),
    Branch(Vec<Tree>),
    Twice(Box<Tree>, Box<Tree>),
    Maybe(Option<Box<Tree>>),
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(magic = b"\x89P", length)]
struct Delimited {
    #[payload(big)]
    count: u16,
    #[payload(count = count)]
    items: Vec<u64>,
    #[payload(flag = 0)]
    is_marked: bool,
    #[payload(flag = 1)]
    note: Option<String>,
    #[payload(flag = !2)]
    inner: Option<(u64, bool)>,
    #[payload(rest)]
    rest: Bytes,
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Numbers {
    narrow: u16,
    wide: u32,
    #[payload(big)]
    big: u128,
    #[payload(little)]
    little: i64,
    list: Vec<Be<i16>>,
    array: [Le<u32>; 3],
    bytes: [u8; 4],
    map: BTreeMap<String, bool>,
    tuple: (u64, Bytes, Option<u16>),
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Chosen {
    #[payload(big)]
    kind: u8,
    between: u64,
    #[payload(id = kind)]
    tree: Tree,
}

/// A request with everything.
#[derive(Clone, Debug, PartialEq, Request)]
struct Everything {
    #[request(flag = 0)]
    is_urgent: bool,
    #[request(flag = 3)]
    tree: Option<Tree>,
    numbers: Numbers,
    chosen: Chosen,
    delimited: Delimited,
    #[request(rest)]
    rest: Vec<Tree>,
}

/// What is read is written so that it reads back as it was, and is written the same again.
fn keeps<T: Payload + Debug + PartialEq>(bytes: &Bytes) {
    let Ok(value) = T::from_bytes(bytes.clone()) else { return };
    let written = value.to_bytes();
    let again = T::from_bytes(written.clone()).expect("what was written can be read");
    assert_eq!(again, value);
    assert_eq!(again.to_bytes(), written);
}

/// Floats that are none are not equal to themselves.
fn keeps_float(bytes: &Bytes) {
    let Ok(value) = f64::from_bytes(bytes.clone()) else { return };
    let again = f64::from_bytes(value.to_bytes()).expect("what was written can be read");
    assert!(again.to_bits() == value.to_bits() || again.is_nan() && value.is_nan());
}

/// The first byte says which type; of a request the second the flags.
pub(super) fn all(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let payload = Bytes::copy_from_slice(rest);
    match which % 8 {
        0 => keeps::<Tree>(&payload),
        1 => keeps::<Delimited>(&payload),
        2 => keeps::<Numbers>(&payload),
        3 => keeps::<Chosen>(&payload),
        4 => keeps_float(&payload),
        5 => keeps::<Vec<Delimited>>(&payload),
        6 => keeps::<BTreeMap<u64, Vec<Option<String>>>>(&payload),
        _ => {
            let Some((flags, rest)) = rest.split_first() else { return };
            let payload = Bytes::copy_from_slice(rest);
            let Ok(request) = Everything::from_request_payload(u64::from(*flags), payload) else { return };
            let (flags, payload) = request.transcribe_request();
            assert_eq!(Everything::from_request_payload(flags, payload), Ok(request));
        }
    }
}
