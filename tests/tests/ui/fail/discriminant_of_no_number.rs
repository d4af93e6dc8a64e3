use packetstream::Payload;

const BLUE: isize = 3;

#[derive(Payload)]
enum Colour {
    Red = -1,
    Green = 1 + 1,
    Blue = BLUE,
}

fn main() {}
