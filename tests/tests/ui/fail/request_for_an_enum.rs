use packetstream::{BaseRequest, Request};

#[derive(Request)]
#[request(reply = u64)]
enum Add {
    Small(u64),
    Large(u64),
}

fn main() {
    // No echo: the reply is known, whatever else is wrong.
    let _ = |add: Add, reply| add.decode_response(reply) == Ok(7);
}
