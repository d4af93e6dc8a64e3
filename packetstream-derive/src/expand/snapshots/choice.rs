#[derive(Debug, Payload)]
#[repr(u8)]
pub enum Shape {
    Point = 1,
    Circle(u64),
    Polygon { corners: Vec<(u64, u64)> },
}
