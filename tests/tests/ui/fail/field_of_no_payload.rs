use packetstream::{Payload, Request};

struct Chunk;

#[derive(Payload)]
struct Sample {
    celsius: i32,
    channel: u8,
}

#[derive(Request)]
struct Put(Chunk);

fn main() {}
