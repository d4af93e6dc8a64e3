use packetstream::Payload;

struct Radius(u64);

#[derive(Payload)]
enum Shape {
    Point,
    Circle { radius: Radius },
    Line(i64, u64),
}

fn main() {}
