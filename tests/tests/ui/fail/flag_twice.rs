use packetstream::{Payload, Request};

#[derive(Request)]
struct Names {
    #[request(flag = 0)]
    after: bool,
    #[request(flag = 1)]
    start: Option<String>,
    #[request(flag = !0)]
    kind: Option<u64>,
}

#[derive(Payload)]
struct Entry(#[payload(flag = 7)] bool, #[payload(flag = 0x7)] bool);

fn main() {}
