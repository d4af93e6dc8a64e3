//! What does not travel need not be able to.

use packetstream::{Payload, Request};
use std::marker::PhantomData;

/// Neither `Debug` nor `Default` nor a payload.
struct Metres;

struct Unit<U>(PhantomData<U>);

impl<U> Default for Unit<U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

#[derive(Payload)]
struct Length<U, V: ?Sized> {
    value: u64,
    #[payload(skip)]
    unit: Unit<U>,
    #[payload(skip)]
    owner: PhantomData<fn() -> V>,
}

#[derive(Request)]
struct Move<U>(#[request(skip)] PhantomData<U>, u64);

fn main() {
    let length = Length::<Metres, str> { value: 5, unit: Unit::default(), owner: PhantomData };
    assert_eq!(length.to_bytes()[..], [5]);
    assert_eq!(Length::<Metres, [u8]>::from_bytes(length.to_bytes()).unwrap().value, 5);
    assert_eq!(Move::<Metres>(PhantomData, 5).to_bytes()[..], [5]);
    let _ = (length.unit, length.owner);
}
