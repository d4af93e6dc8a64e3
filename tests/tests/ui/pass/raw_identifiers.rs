//! Keywords as names: they are called on the wire and in descriptions as they are without the `r#`.
#![allow(non_camel_case_types, reason = "keywords")]

use packetstream::{Bytes, Payload, Protocol, Request, description::Encoding};

#[derive(Debug, PartialEq, Payload)]
struct r#struct {
    r#type: u64,
    #[payload(big)]
    r#fn: u16,
    #[payload(count = r#fn, assert(r#if.len() < 9, "long"))]
    r#if: Vec<u64>,
    r#match: Option<bool>,
    #[payload(id = r#type)]
    r#else: r#enum,
}

#[derive(Debug, PartialEq, Payload)]
enum r#enum {
    r#loop,
    r#while { r#in: u64 },
}

#[derive(Debug, PartialEq, Request)]
struct r#move(r#struct);

#[derive(Debug, PartialEq, Protocol)]
#[packetstream(client = r#dyn)]
enum r#trait {
    #[request(0)]
    r#move(r#move),
}

fn main() {
    let value =
        r#struct { r#type: 1, r#fn: 2, r#if: vec![5, 6], r#match: None, r#else: r#enum::r#while { r#in: 7 } };
    let bytes = value.to_bytes();
    assert_eq!(bytes[..], [1, 0, 2, 5, 6, 0, 7]);
    assert_eq!(r#struct::from_bytes(bytes), Ok(value));
    let Encoding::Struct(described) = r#struct::encoding() else { panic!() };
    assert_eq!(described.name, "struct");
    assert_eq!(
        described.fields.iter().map(|field| field.name).collect::<Vec<_>>(),
        ["type", "fn", "if", "match", "else"]
    );
    let error = r#struct::from_bytes(Bytes::from_static(&[7, 0, 0, 0])).unwrap_err();
    assert_eq!(error.field, "struct.else");
    assert_eq!((r#trait::NAME, r#trait::REQUESTS[0].name), ("trait", "move"));
    let _ = r#dyn::r#move;
}
