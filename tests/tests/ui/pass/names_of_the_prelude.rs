#![no_implicit_prelude]
//! What the macros write means the same whatever a user's names mean.

// Each stands in the way of something.
struct Result;
struct Vec;
struct Send;
struct Sync;
struct From;
struct PayloadReader;
struct Outcome;
mod core {}
mod std {}
mod packetstream {}
mod bytes {}

#[derive(::packetstream::Payload)]
struct Some {
    reader: u64,
    out: u64,
}

#[derive(::packetstream::Request)]
#[request(reply = Some)]
struct Ok {
    payload: u64,
}

#[derive(::packetstream::Request)]
struct S;

#[derive(::packetstream::Protocol)]
#[packetstream(client = Client)]
enum Protocol {
    #[request(0)]
    Ok(Ok),
    #[request(1)]
    Err(S),
}

fn main() {}
