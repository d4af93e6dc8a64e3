use packetstream::{Be, Payload, Response};
use std::fmt::Debug;
use std::marker::PhantomData;

#[derive(Clone, Debug, PartialEq, Payload)]
enum Either<A, B: Clone = u64>
where
    A: Debug,
{
    Left(A),
    Right { value: B },
    Both(Box<Either<A, B>>, Vec<B>),
}

#[derive(Clone, Debug, PartialEq, Payload)]
enum Marked<T: ?Sized> {
    Plain(u64),
    Marked(#[payload(skip)] PhantomData<T>),
}

fn main() {
    let either: Either<String> = Either::Both(Box::new(Either::Left("l".into())), vec![1, 2]);
    assert_eq!(either.to_bytes()[..], *b"\x02\x00\x01l\x02\x01\x02");
    assert_eq!(Either::from_bytes(either.to_bytes()), Ok(either));
    let right = Either::<bool, Be<i8>>::Right { value: Be(-1) };
    assert_eq!(right.clone().into_reply().payload[..], [1, 0xff]);
    assert_eq!(Response::from_reply(right.clone().into_reply()), Ok(right));
    assert_eq!(Marked::<str>::Marked(PhantomData).to_bytes()[..], [1]);
    assert_eq!(Marked::<str>::Plain(5).to_bytes()[..], [0, 5]);
}
