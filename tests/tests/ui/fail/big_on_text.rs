use packetstream::Payload;

#[derive(Payload)]
struct Sample {
    #[payload(big)]
    name: String,
    #[payload(little)]
    index: usize,
}

fn main() {}
