use packetstream::{Payload, Request};

#[derive(Debug, PartialEq, Payload)]
struct Nothing;

#[derive(Debug, PartialEq, Request)]
#[request(reply = Nothing)]
struct Ping;

#[derive(Debug, PartialEq, Request)]
struct Pong {}

#[derive(Debug, PartialEq, Request)]
struct Pung();

fn main() {
    assert!(Ping.to_bytes().is_empty());
    assert_eq!(Ping::from_bytes(Pong {}.to_bytes()), Ok(Ping));
    assert_eq!(Pung::from_bytes(Nothing.to_bytes()), Ok(Pung()));
}
