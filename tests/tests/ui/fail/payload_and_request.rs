use packetstream::{Payload, Request};

#[derive(Payload, Request)]
struct Add(u64, u64);

fn main() {}
