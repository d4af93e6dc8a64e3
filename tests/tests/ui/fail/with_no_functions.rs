use packetstream::Payload;

mod letter {
    pub fn parse(_: &mut packetstream::PayloadReader) -> char {
        'a'
    }
}

#[derive(Payload)]
struct Seat {
    #[payload(with = letter)]
    row: char,
}

fn main() {}
