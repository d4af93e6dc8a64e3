use packetstream::{Payload, Request};

#[derive(Request)]
#[payload(magic = b"PUT")]
struct Put {
    #[payload(rest)]
    data: Vec<u8>,
}

#[derive(Payload)]
#[request(reply = u64)]
struct Chunk {
    #[request(big)]
    kind: u16,
}

fn main() {}
