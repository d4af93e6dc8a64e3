use packetstream::{Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Sub;

#[derive(Protocol)]
enum Calc {
    #[request(3)]
    #[request(4)]
    Add(Add),
    #[request(5, 6)]
    Sub(Sub),
}

fn main() {}
