use packetstream::Payload;

#[derive(Payload)]
struct Text(String);

#[derive(Payload)]
struct Message {
    kind: u64,
    #[payload(id = kind)]
    body: Text,
}

fn main() {}
