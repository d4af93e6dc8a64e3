use packetstream::Payload;

#[derive(Payload)]
struct Job {
    name: String,
    #[payload(skip, default = "three")]
    left: u32,
}

fn main() {}
