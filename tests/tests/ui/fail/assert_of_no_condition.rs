use packetstream::Payload;

#[derive(Payload)]
#[payload(assert(high - low, "low is above high"))]
struct Range {
    #[payload(assert(low, "there is no 0"))]
    low: u64,
    high: u64,
}

fn main() {}
