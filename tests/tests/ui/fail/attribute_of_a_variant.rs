use packetstream::{Payload, Protocol, Request};

#[derive(Payload)]
#[payload(length)]
enum Shape {
    #[payload(skip)]
    Point,
    #[request(5)]
    Circle(u64),
    #[packetstream(crate = packetstream)]
    Line(u64, u64),
}

#[derive(Request)]
struct Add;

#[derive(Protocol)]
#[request(timeout = "5s")]
enum Calc {
    #[request(0)]
    #[payload(rest)]
    Add(#[request(big)] Add),
}

fn main() {}
