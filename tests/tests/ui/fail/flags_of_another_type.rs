use packetstream::Payload;

#[derive(Payload)]
struct Forward {
    #[payload(flags)]
    flags: u32,
}

fn main() {}
