use packetstream::{Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Sub;

#[derive(Request)]
struct Neg;

#[derive(Protocol)]
enum Calc {
    #[request]
    Add(Add),
    #[request()]
    Sub(Sub),
    #[request = 3]
    Neg(Neg),
}

fn main() {}
