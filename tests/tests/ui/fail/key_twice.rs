use packetstream::{Payload, Request};

#[derive(Payload)]
#[payload(length)]
#[payload(length)]
struct Line {
    #[payload(big, big)]
    number: u16,
}

#[derive(Request)]
#[request(ordered, ordered)]
struct Get;

fn main() {}
