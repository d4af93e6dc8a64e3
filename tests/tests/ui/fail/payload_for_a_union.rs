use packetstream::Payload;

#[derive(Payload)]
union Word {
    number: u64,
    bytes: [u8; 8],
}

fn main() {}
