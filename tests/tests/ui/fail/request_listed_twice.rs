use packetstream::{Protocol, Request};

mod requests {
    #[derive(packetstream::Request)]
    pub struct Add;
}

use requests::Add;

#[derive(Request)]
struct Sub;

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Add(Add),
    #[request(1)]
    Sub(Sub),
    #[request(2)]
    Again(requests::Add),
}

fn main() {}
