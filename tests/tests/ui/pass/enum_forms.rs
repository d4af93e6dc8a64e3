use packetstream::{Payload, Response, Variants};

#[derive(Clone, Debug, PartialEq, Payload)]
enum Shape {
    Nowhere,
    Empty(),
    AlsoEmpty {},
    Point(u64),
    Line(u64, u64),
    Circle {
        centre: (u64, u64),
        radius: u64,
    },
    Text {
        #[payload(big)]
        size: u16,
        #[payload(skip)]
        drawn: bool,
        #[payload(flag = 0)]
        bold: bool,
        #[payload(rest)]
        text: String,
    },
}

fn main() {
    let shapes = [
        (Shape::Nowhere, &b"\x00"[..]),
        (Shape::Empty(), b"\x01"),
        (Shape::AlsoEmpty {}, b"\x02"),
        (Shape::Point(300), b"\x03\x82\x2c"),
        (Shape::Line(1, 2), b"\x04\x01\x02"),
        (Shape::Circle { centre: (1, 2), radius: 3 }, b"\x05\x01\x02\x03"),
        (Shape::Text { size: 12, drawn: false, bold: true, text: "t".into() }, b"\x06\x00\x0c\x01t"),
    ];
    for (number, (shape, bytes)) in (0..).zip(shapes) {
        assert_eq!((shape.id(), &shape.to_bytes()[..]), (number, bytes));
        assert_eq!(Shape::from_bytes(shape.to_bytes()), Ok(shape.clone()));
        assert_eq!(Shape::from_reply(shape.clone().into_reply()), Ok(shape));
    }
}
