use packetstream::Payload;

#[derive(Payload)]
#[repr(u8)]
enum Shape {
    Point = 1,
    Circle(u64) = 0,
    Line(u64, u64),
}

fn main() {}
