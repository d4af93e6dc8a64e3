#[derive(Debug, Payload)]
enum Shape {
    Point = 1,
    Circle(u64),
    Polygon { corners: Vec<(u64, u64)> },
}
