use packetstream::{Payload, Request};

#[derive(Payload)]
struct Sample {
    #[payload(big, little)]
    channel: u16,
}

#[derive(Request)]
struct Put {
    #[request(big)]
    #[request(rest)]
    data: Vec<u8>,
    #[request(skip, big)]
    seen: u16,
}

fn main() {}
