use packetstream::{Payload, Request};

#[derive(Payload)]
#[payload(assert(low <= high))]
struct Range {
    #[payload(assert(low > 0, 5))]
    low: u64,
    high: u64,
}

#[derive(Request)]
#[request(assert = "start > 0", assert())]
struct Get {
    #[request(assert(start > 0, "there is no {}", start))]
    start: u64,
}

fn main() {}
