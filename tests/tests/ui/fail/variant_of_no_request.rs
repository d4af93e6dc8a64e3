use packetstream::{Payload, Protocol};

#[derive(Payload)]
struct Point(u64, u64);

#[derive(Protocol)]
enum Shapes {
    #[request(0)]
    Point(Point),
}

fn main() {}
