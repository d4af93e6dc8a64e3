//! Numbers of requests as Rust counts them, with gaps, mixed with attributes.

use packetstream::{Bytes, Carries, Protocol, Request};

#[derive(Debug, PartialEq, Request)]
struct Get(u64);
#[derive(Debug, PartialEq, Request)]
struct Put(u64);
#[derive(Debug, PartialEq, Request)]
struct Stat;
#[derive(Debug, PartialEq, Request)]
struct Sync;
#[derive(Debug, PartialEq, Request)]
struct Drop;

#[derive(Debug, PartialEq, Protocol)]
#[repr(u64)]
enum Store {
    Get(Get) = 0x10,
    Put(Put),
    Drop(Drop) = 18_446_744_073_709_551_614,
    #[request(3)]
    Stat(Stat),
    Sync(Sync) = 1,
}

fn main() {
    let numbers = [
        <Store as Carries<Get>>::REQUEST_TYPE,
        <Store as Carries<Put>>::REQUEST_TYPE,
        <Store as Carries<Drop>>::REQUEST_TYPE,
        <Store as Carries<Stat>>::REQUEST_TYPE,
        <Store as Carries<Sync>>::REQUEST_TYPE,
    ];
    assert_eq!(numbers, [16, 17, u64::MAX - 1, 3, 1]);
    assert_eq!(Store::REQUESTS.iter().map(|request| request.rq_type).collect::<Vec<_>>(), numbers);
    let read = |number, bytes| Store::from_request(number, 0, Bytes::from_static(bytes));
    assert_eq!(read(17, b"\x05"), Ok(Store::Put(Put(5))));
    assert!(read(18, b"").is_err() && read(0, b"").is_err() && read(u64::MAX, b"").is_err());
}
