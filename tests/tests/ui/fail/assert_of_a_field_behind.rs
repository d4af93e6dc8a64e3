use packetstream::Payload;

#[derive(Payload)]
struct Range {
    #[payload(assert(low <= high, "low is above high"))]
    low: u64,
    high: u64,
}

fn main() {}
