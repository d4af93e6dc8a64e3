use packetstream::{Payload, Request};

#[derive(Payload)]
struct Chunk<'a> {
    data: &'a [u8],
}

#[derive(Request)]
struct Add<'a, 'b: 'a>(&'a [u8], &'b [u8]);

fn main() {}
