use packetstream::{Bytes, Payload, Protocol, Request};

const WIDTH: usize = 2;

#[derive(Debug, PartialEq, Payload)]
struct Hash<const N: usize>([u8; N]);

#[derive(Debug, PartialEq, Payload)]
enum AnyHash<const SHORT: usize = WIDTH, const LONG: usize = { WIDTH * 2 }> {
    Short(Hash<SHORT>),
    Long { hash: Hash<LONG> },
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Hash<{ WIDTH + 1 }>)]
struct Find<const N: usize>(Hash<N>);

#[derive(Debug, PartialEq, Protocol)]
enum Store {
    #[request(0)]
    Short(Find<WIDTH>),
    #[request(1)]
    Long(Find<{ WIDTH * 2 }>),
}

fn main() {
    let hash: AnyHash = AnyHash::Long { hash: Hash(*b"abcd") };
    assert_eq!(hash.to_bytes()[..], *b"\x01abcd");
    assert_eq!(AnyHash::from_bytes(hash.to_bytes()), Ok(hash));
    let read = |bytes| Store::from_request(1, 0, Bytes::from_static(bytes));
    assert_eq!(read(b"abcd"), Ok(Store::Long(Find(Hash(*b"abcd")))));
    assert!(read(b"ab").is_err());
}
