use packetstream::{Payload, Request};
use std::collections::BTreeMap;

#[derive(Payload)]
struct Directory {
    entries: BTreeMap<String, Vec<i32>>,
    owner: Option<&'static str>,
}

#[derive(Request)]
struct Put(Option<Box<char>>);

fn main() {}
