//! A type can contain itself, or one that contains it; a description of it has an end.

use packetstream::{Payload, Request, Response, description};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Payload)]
struct Tree<T> {
    value: T,
    children: Vec<Tree<T>>,
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct List(u64, Option<Box<List>>);

#[derive(Clone, Debug, PartialEq, Payload)]
enum Json {
    Null,
    Text(String),
    Array(Vec<Json>),
    Object { members: BTreeMap<String, Json> },
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Directory(BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Payload)]
enum Entry {
    File,
    Directory(Directory),
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Block {
    #[payload(flag = 0)]
    first: Option<Box<Block>>,
    #[payload(flag = !1, rest)]
    others: Option<Vec<Block>>,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Tree<Json>)]
struct Grow(Box<Tree<Json>>);

fn travels<T: Payload + Response + Clone + PartialEq + std::fmt::Debug>(value: T, bytes: &[u8]) {
    assert_eq!(value.to_bytes(), bytes);
    assert_eq!(T::from_bytes(value.to_bytes()), Ok(value.clone()));
    assert_eq!(T::from_reply(value.clone().into_reply()), Ok(value));
    assert!(matches!(T::encoding(), description::Encoding::Struct(_) | description::Encoding::Enum(_)));
}

fn leaf<T>(value: T) -> Tree<T> {
    Tree { value, children: vec![] }
}

fn main() {
    travels(Tree { value: 1_u64, children: vec![leaf(2), leaf(3)] }, &[1, 2, 2, 0, 3, 0]);
    travels(List(1, Some(Box::new(List(2, None)))), &[1, 1, 2, 0]);
    let members = BTreeMap::from([("n".to_owned(), Json::Null)]);
    travels(
        Json::Array(vec![Json::Object { members }, Json::Text("t".into())]),
        b"\x02\x02\x03\x01\x01n\x00\x01\x01t",
    );
    let empty = Entry::Directory(Directory(BTreeMap::new()));
    travels(
        Directory(BTreeMap::from([("d".to_owned(), empty), ("f".to_owned(), Entry::File)])),
        b"\x02\x01d\x01\x00\x01f\x00",
    );
    let block = Block { first: None, others: None };
    travels(Block { first: Some(Box::new(block)), others: None }, &[0b11, 0b10]);
    assert_eq!(Grow(Box::new(leaf(Json::Null))).to_bytes()[..], [0, 0]);
}
