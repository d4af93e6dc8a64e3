use packetstream::{Payload, Request};

#[derive(Payload)]
struct Line {
    #[payload(rest)]
    text: String,
    number: u64,
}

#[derive(Request)]
struct Put(#[request(rest)] Vec<u8>, #[request(skip)] u64, #[request(big)] u16);

fn main() {}
