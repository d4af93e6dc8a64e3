use packetstream::Payload;

#[derive(Payload)]
struct Job {
    #[payload(default = 3)]
    left: u64,
}

fn main() {}
