use packetstream::{Be, Payload, Request};

#[derive(Debug, PartialEq, Payload)]
struct Pair(u64, Be<u16>);

#[derive(Debug, PartialEq, Request)]
#[request(reply = Pair)]
struct Swap(Pair);

fn main() {
    let bytes = Swap(Pair(7, Be(2))).to_bytes();
    assert_eq!(bytes[..], [7, 0, 2]);
    assert_eq!(Swap::from_bytes(bytes), Ok(Swap(Pair(7, Be(2)))));
}
