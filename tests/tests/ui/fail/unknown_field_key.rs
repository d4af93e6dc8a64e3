use packetstream::{Payload, Request};

#[derive(Payload)]
struct Line {
    #[payload(remainder)]
    text: String,
    #[payload(size = text, le)]
    more: Vec<u8>,
}

#[derive(Request)]
struct Get {
    #[request(reply = u64)]
    id: u64,
}

fn main() {}
