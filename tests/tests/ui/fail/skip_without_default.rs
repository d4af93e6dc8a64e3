use packetstream::Payload;

struct Handle;

#[derive(Payload)]
struct Job {
    name: String,
    #[payload(skip)]
    handle: Handle,
}

fn main() {}
