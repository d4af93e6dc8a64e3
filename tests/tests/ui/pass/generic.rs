use packetstream::{Be, Payload, Request, Response};
use std::fmt::Debug;

#[derive(Debug, PartialEq, Payload)]
struct Page<T: Debug, const N: usize>
where
    T: Clone,
{
    id: [u8; N],
    items: Vec<T>,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Page<T, 2>)]
struct Ask<T: Clone + Debug>(Option<T>);

fn main() {
    let page = Page { id: [1, 2], items: vec![Be(3_u16)] };
    let reply = page.into_reply();
    assert_eq!(reply.payload[..], [1, 2, 1, 0, 3]);
    assert_eq!(Page::<Be<u16>, 2>::from_reply(reply).unwrap().items, [Be(3)]);
    assert_eq!(Ask(Some(true)).to_bytes()[..], [1, 1]);
}
