use packetstream::Payload;

#[derive(Payload)]
struct Line {
    #[payload(rest)]
    number: u64,
}

fn main() {}
