use packetstream::{Payload, Request};

#[derive(Payload)]
#[payload(magic = "LOG1")]
struct Record(u64);

#[derive(Request)]
#[request(magic = b"")]
struct Put(u64);

fn main() {}
