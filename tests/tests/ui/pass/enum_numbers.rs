use packetstream::{Payload, Variants};

#[derive(Clone, Copy, Debug, PartialEq, Payload)]
enum Colour {
    Red = 0x10,
    Green,
    Blue = 1_000,
    White = 0b1,
}

/// Rust counts; a number may be lower than the one before.
#[derive(Debug, PartialEq, Payload)]
#[repr(u64)]
enum Wide {
    Last = 18_446_744_073_709_551_615,
    First(u64) = 0,
    Second { value: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Payload)]
#[repr(u8)]
enum Small {
    One = 1,
    Three = 3,
}

fn main() {
    let ids = [Colour::Red, Colour::Green, Colour::Blue, Colour::White].map(|colour| colour.id());
    assert_eq!(ids, [16, 17, 1000, 1]);
    assert_eq!(Colour::Green as u64, 17);
    assert_eq!(Wide::Last.to_bytes()[..], [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(Wide::Second { value: 5 }.to_bytes()[..], [1, 5]);
    assert_eq!(Wide::from_bytes(Wide::First(9).to_bytes()), Ok(Wide::First(9)));
    assert_eq!(Small::Three.id(), Small::Three as u64);
    assert!(Small::from_bytes(vec![2].into()).is_err());
}
