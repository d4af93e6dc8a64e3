//! Types that failures are: a struct, an enum, one with flags, one of the library, one that is nothing.

use packetstream::{BaseRequest, Bytes, ErrorResponse, Failure, Payload, Request};
use std::fmt;

#[derive(Debug, PartialEq, Payload)]
struct TooLarge {
    limit: u64,
}

#[derive(Debug, PartialEq, Payload)]
enum StoreError {
    Full,
    Missing(Vec<u64>),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store failed")
    }
}

impl std::error::Error for StoreError {}

#[derive(Debug, PartialEq, Payload)]
struct Partial {
    #[payload(flag = 0)]
    is_final: bool,
    written: u64,
}

#[derive(Request)]
#[request(reply = u64, error = TooLarge)]
struct Put(Vec<u8>);

#[derive(Request)]
#[request(error = StoreError)]
struct Sync;

#[derive(Request)]
#[request(error = Partial, reply = ())]
struct Write<T: Payload>(T);

#[derive(Request)]
#[request(error = packetstream::Failure)]
struct Words;

#[derive(Request)]
#[request(error = ())]
struct Silent;

#[derive(Request)]
struct Undeclared;

fn fails<R: BaseRequest<Error: fmt::Debug + PartialEq>>(
    _: R,
    error: R::Error,
    flags: u64,
    payload: &'static [u8],
) {
    let failure = error.into_failure();
    assert_eq!(failure, Failure { flags, payload: Bytes::from_static(payload) });
    let read = R::Error::from_failure(&failure).map(|error| error.unwrap().into_failure());
    assert_eq!(read, (flags & 1 == 1).then_some(failure));
}

fn main() {
    fails(Put(vec![]), TooLarge { limit: 300 }, 1, b"\x82\x2c");
    fails(Sync, StoreError::Full, 1, b"\x00");
    fails(Sync, StoreError::Missing(vec![7]), 1, b"\x01\x01\x07");
    fails(Write(5_u64), Partial { is_final: true, written: 9 }, 0b11, b"\x09");
    fails(Silent, (), 1, b"");
    fails(Words, Failure::new("no"), 0, b"no");
    fails(Undeclared, Failure::new("no"), 0, b"no");
}
