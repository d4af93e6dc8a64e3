//! Declarations that nothing uses: what is written for them adds no warning of its own.
#![deny(warnings)]
#![allow(dead_code, reason = "that is the point")]

use packetstream::{Payload, Protocol, Request};

#[derive(Payload)]
struct Value {
    reader: u64,
    #[payload(flag = 0)]
    out: bool,
}

#[derive(Payload)]
struct Unit;

#[derive(Payload)]
enum Never {}

#[derive(Payload)]
enum Single {
    It {},
}

#[derive(Payload)]
enum Two<T> {
    It,
    Other(T),
}

#[derive(Request)]
#[request(reply = Value, error = Unit)]
struct Ask {
    value: Single,
}

#[derive(Protocol)]
#[packetstream(client = Client)]
enum One {
    #[request(0)]
    Ask(Ask),
}

#[derive(Protocol)]
enum Nothing {}

fn main() {
    assert_eq!(One::REQUESTS.len() + Nothing::REQUESTS.len(), 1);
}
