use packetstream::{Payload, Request};

#[derive(Request)]
#[request(length)]
struct Put {
    data: Vec<u8>,
}

#[derive(Payload)]
#[payload(length = 4)]
struct Chunk {
    data: Vec<u8>,
}

fn main() {}
