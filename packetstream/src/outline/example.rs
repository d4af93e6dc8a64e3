//! A small protocol with everything that a description can say, as the derives would write it.

use packetstream_core::description::{
    Describe, Docs, Encoding, Enum, Field, Flag, Place, Protocol, Reply, Request, Struct, Variant,
};
use packetstream_core::{Contract, Payload, Rest};
use std::time::Duration;

pub(crate) const fn field(name: &'static str, place: Place, encoding: Describe) -> Field {
    Field { name, docs: &[], place, encoding }
}

pub(crate) const fn inline(name: &'static str, encoding: Describe) -> Field {
    field(name, Place::Inline, encoding)
}

pub(crate) const fn structure(name: &'static str, docs: Docs, fields: &'static [Field]) -> Struct {
    Struct { name, docs, is_delimited: false, magic: &[], fields }
}

pub(crate) const fn request(rq_type: u64, name: &'static str, payload: Describe) -> Request {
    Request {
        rq_type,
        name,
        docs: &[],
        payload,
        reply: || Reply::Nothing,
        failure: || None,
        contract: Contract::NONE,
    }
}

const fn set(bit: u32) -> Flag {
    Flag { bit, is_set: true }
}

const fn variant(id: u64, name: &'static str, docs: Docs, fields: &'static [Field]) -> Variant {
    Variant { id, name, docs, fields }
}

fn hash_code() -> Encoding {
    static HASH_CODE: Struct =
        structure("HashCode", &[" The SHA-1 of a chunk."], &[inline("0", <[u8; 20]>::encoding)]);
    Encoding::Struct(&HASH_CODE)
}

fn hash_codes_to_the_end() -> Encoding {
    Encoding::RestList(hash_code)
}

fn add() -> Encoding {
    static ADD: Struct = structure("Add", &[], &[inline("0", Vec::<u8>::rest_encoding)]);
    Encoding::Struct(&ADD)
}

fn full() -> Encoding {
    static FULL: Enum = Enum {
        name: "Full",
        docs: &[" Why nothing more is taken."],
        variants: &[
            variant(0, "Disk", &[], &[]),
            variant(
                1,
                "Quota",
                &[" Of this client | and its kin."],
                &[
                    inline("limit", u64::encoding),
                    Field { docs: &[" In bytes."], ..inline("used", u64::encoding) },
                ],
            ),
        ],
    };
    Encoding::Enum(&FULL)
}

fn hash_codes() -> Encoding {
    static HASH_CODES: Struct = structure(
        "HashCodes",
        &[" Lists what is stored."],
        &[
            Field { docs: &[" The last first."], ..field("reverse", Place::Flag(set(0)), bool::encoding) },
            field("inclusive", Place::Flag(Flag { bit: 1, is_set: false }), bool::encoding),
            Field { docs: &[" Where to begin."], ..field("start", Place::IfFlag(set(2)), hash_code) },
            Field { docs: &[" How many.", "", " Not shown in a table."], ..inline("length", u32::encoding) },
        ],
    );
    Encoding::Struct(&HASH_CODES)
}

fn node() -> Encoding {
    static NODE: Struct = Struct {
        name: "Node",
        docs: &[],
        is_delimited: true,
        magic: b"hi",
        fields: &[
            inline("weight", f64::encoding),
            field("is_leaf", Place::Flag(set(0)), bool::encoding),
            field("parent", Place::IfFlag(set(1)), node),
            inline("children", nodes),
            inline("pages", pages),
        ],
    };
    Encoding::Struct(&NODE)
}

fn nodes() -> Encoding {
    Encoding::List(node)
}

/// That of a `Page<u64>`.
pub(crate) fn page_of_numbers() -> Encoding {
    static PAGE: Struct = structure("Page", &[], &[inline("items", Vec::<u64>::encoding)]);
    Encoding::Struct(&PAGE)
}

/// That of a `Page<String>`.
pub(crate) fn page_of_names() -> Encoding {
    static PAGE: Struct = structure("Page", &[], &[inline("items", Vec::<String>::encoding)]);
    Encoding::Struct(&PAGE)
}

fn pages() -> Encoding {
    fn numbers() -> Encoding {
        Encoding::List(page_of_numbers)
    }
    fn names() -> Encoding {
        Encoding::Map(String::encoding, page_of_names)
    }
    Encoding::Tuple(&[numbers, names])
}

fn put() -> Encoding {
    static PUT: Struct = structure(
        "Put",
        &[],
        &[
            field("bits", Place::Flags, u64::encoding),
            inline("kind", u16::encoding),
            inline("length", crate::Be::<u16>::encoding),
            field("body", Place::Counted("length"), Vec::<u8>::rest_encoding),
            field("value", Place::Chosen("kind"), full),
            inline("pair", <(Option<bool>, [u64; 2])>::encoding),
            inline("more", Option::<String>::rest_encoding),
        ],
    );
    Encoding::Struct(&PUT)
}

fn by_hand() -> Encoding {
    Encoding::Custom("x and <y>")
}

pub(crate) static STORE: Protocol = Protocol {
    name: "Store",
    docs: &[" Chunks by their hash.", "", " # Order", "", " Those of `HashCode`."],
    requests: &[
        Request {
            docs: &[" Lists hashes."],
            reply: || Reply::Value(hash_codes_to_the_end),
            contract: Contract { concurrency: Some(4), ordered: true, idempotent: true, ..Contract::NONE },
            ..request(4, "HashCodes", hash_codes)
        },
        Request {
            docs: &[" Stores a chunk."],
            reply: || Reply::Value(hash_code),
            failure: || Some(full()),
            contract: Contract {
                max_payload: Some(1 << 20),
                timeout: Some(Duration::from_secs(5)),
                ..Contract::NONE
            },
            ..request(0, "Add", add)
        },
        Request {
            reply: || Reply::Option(|| Reply::Value(Vec::<u8>::rest_encoding)),
            ..request(1, "Get", hash_code)
        },
        Request { reply: || Reply::Value(node), ..request(5, "Tree", <()>::encoding) },
        request(6, "Put", put),
        Request { reply: || Reply::FlagsAndData, ..request(7, "Custom", by_hand) },
    ],
};
