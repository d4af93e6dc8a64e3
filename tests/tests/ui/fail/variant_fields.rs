use packetstream::{Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Unit,
    #[request(1)]
    Two(Add, Add),
    #[request(2)]
    Named { add: Add },
}

fn main() {}
