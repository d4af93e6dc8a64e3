use packetstream::Payload;

#[derive(Payload)]
struct Entry {
    #[payload(flag = 0)]
    size: u64,
    #[payload(flag = 1, big)]
    mode: u16,
}

fn main() {}
