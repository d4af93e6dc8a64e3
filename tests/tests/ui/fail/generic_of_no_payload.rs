use packetstream::{Payload, Request};

#[derive(Payload)]
struct Page<T> {
    items: Vec<T>,
}

struct Opaque;

#[derive(Request)]
#[request(reply = Page<Opaque>)]
struct Ask;

fn main() {}
