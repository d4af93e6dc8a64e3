use packetstream::{Payload, Request};

#[derive(Request)]
struct Names {
    #[request(flag = 61)]
    last: bool,
    #[request(flag = 62)]
    after: bool,
}

#[derive(Payload)]
struct Entry {
    #[payload(flag = 60)]
    last: bool,
    #[payload(flag = !61)]
    after: bool,
}

fn main() {}
