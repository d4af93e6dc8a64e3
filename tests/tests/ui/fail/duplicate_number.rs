use packetstream::{Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Sub;

#[derive(Request)]
struct Neg;

#[derive(Protocol)]
enum Calc {
    #[request(16)]
    Add(Add),
    #[request(1)]
    Neg(Neg),
    #[request(0x10)]
    Sub(Sub),
}

fn main() {}
