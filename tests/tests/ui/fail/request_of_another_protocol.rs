use packetstream::{Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Sub;

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Add(Add),
}

fn main() {
    let _ = Calc::from(Sub);
}
