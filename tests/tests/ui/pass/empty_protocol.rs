#![deny(warnings)]
//! A side that only asks serves a protocol without requests.

use packetstream::{Bytes, ParseRequestError, Protocol, serve};

/// Serves nothing.
#[derive(Debug, Protocol)]
#[packetstream(client = NothingClient)]
pub enum Nothing {}

struct Anything;

fn main() {
    let _ = serve::<Nothing, _>(Anything);
    let error = Nothing::from_request(0, 0, Bytes::new()).unwrap_err();
    assert_eq!(error, ParseRequestError::UnknownType(0));
}
