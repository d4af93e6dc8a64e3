use packetstream::{Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Sub;

#[derive(Protocol)]
#[repr(u8)]
enum Calc {
    #[request(3)]
    Add(Add) = 3,
    Sub(Sub) = 4,
}

fn main() {}
