//! Variants, fields and attributes that are there in some configurations only.
#![deny(warnings)]

use packetstream::{Payload, Protocol, Request, Response, Variants};

#[derive(Debug, PartialEq, Payload)]
pub struct Entry {
    pub name: String,
    #[cfg(any())]
    pub legacy: Unknown,
    #[cfg_attr(all(), payload(big))]
    #[cfg_attr(any(), payload(little))]
    pub size: u16,
}

#[derive(Debug, PartialEq, Payload)]
pub enum Shape {
    Point,
    #[cfg(any())]
    Blob(Unknown),
    #[cfg(all())]
    Line(u64),
}

#[derive(Debug, PartialEq, Request)]
#[cfg_attr(all(), request(reply = Entry))]
pub struct Get;

#[derive(Debug, PartialEq, Request)]
pub struct Put(pub Shape);

/// What there is.
#[derive(Debug, Protocol)]
#[cfg_attr(all(), packetstream(client = StoreClient))]
pub enum Store {
    /// Gets.
    #[request(0)]
    Get(Get),
    /// Of another configuration, so that its number is free.
    #[cfg(any())]
    #[request(1)]
    Remove(Remove),
    /// Puts.
    #[cfg(all())]
    #[request(1)]
    Put(Put),
}

fn main() {
    assert_eq!(Entry { name: "n".into(), size: 5 }.into_reply().payload[..], *b"\x01n\x00\x05");
    assert_eq!(Shape::Line(0).id(), 1);
    assert_eq!(Store::REQUESTS.iter().map(|request| request.name).collect::<Vec<_>>(), ["Get", "Put"]);
    let _ = (StoreClient::get, StoreClient::put);
}
