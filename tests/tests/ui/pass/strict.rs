//! The derives add no warning to a crate that denies all it can, even for the smallest declarations.
#![deny(
    warnings,
    unused,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    elided_lifetimes_in_paths,
    unused_qualifications,
    unused_lifetimes,
    unused_results,
    unnameable_types,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    let_underscore_drop,
    non_ascii_idents,
    redundant_lifetimes,
    variant_size_differences,
    unit_bindings,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
#![forbid(unsafe_code)]

use packetstream::{Payload, Protocol, Request, Response};

/// Nothing.
#[derive(Debug, Payload)]
pub struct Unit;

/// Nothing, in braces.
#[derive(Debug, Payload)]
pub struct Braces {}

/// Never there.
#[derive(Debug, Payload)]
pub enum Never {}

/// One of one.
#[derive(Debug, Payload)]
pub enum Single {
    /// It.
    It,
}

/// One of one, with a value.
#[derive(Debug, Payload)]
pub enum Full {
    /// It.
    It(u64),
}

/// Nothing but what is not sent.
#[derive(Debug, Payload)]
pub struct Skipped {
    /// Seen here only.
    #[payload(skip)]
    pub seen: bool,
}

/// A generic one.
#[derive(Debug, Payload)]
#[payload(length, magic = b"G", assert(count < 10, "too many"))]
pub struct Generic<T: std::fmt::Debug> {
    /// How many.
    #[payload(big)]
    pub count: u8,
    /// Whether it is marked.
    #[payload(flag = 0)]
    pub marked: bool,
    /// A number, maybe.
    #[payload(flag = 1, little)]
    pub number: Option<i32>,
    /// The values.
    #[payload(count = count)]
    pub values: Vec<T>,
    /// The rest.
    #[payload(rest)]
    pub rest: String,
}

/// Asks nothing.
#[derive(Debug, Request)]
pub struct Ping;

/// Asks much.
#[derive(Debug, Request)]
#[request(reply = Generic<u64>, error = Single, timeout = "5s", max_payload = 100, ordered)]
pub struct Ask {
    /// All flags.
    #[request(flags)]
    pub flags: u64,
    /// One of two.
    pub kind: u64,
    /// The other.
    #[request(id = kind)]
    pub full: Full,
}

/// A protocol of nothing.
#[derive(Debug, Protocol)]
#[packetstream(client = EmptyClient)]
pub enum Empty {}

/// A protocol of one request.
#[derive(Debug, Protocol)]
#[packetstream(client = OneClient)]
pub enum One {
    /// Pings.
    #[request(0)]
    Ping(Ping),
}

/// A protocol of two.
#[derive(Debug, Protocol)]
pub enum Two {
    /// Pings.
    #[request(0)]
    Ping(Ping),
    /// Asks.
    #[request(1)]
    Ask(Ask),
}

fn main() {
    assert!(Unit.to_bytes().is_empty() && Braces {}.to_bytes().is_empty());
    assert!(Never::from_bytes(Unit.to_bytes()).is_err());
    assert_eq!(Single::It.into_reply().payload[..], [0]);
    assert_eq!(Full::It(5).to_bytes()[..], [0, 5]);
    assert!(Skipped { seen: true }.to_bytes().is_empty());
    assert_eq!(One::from(Ping).to_name(), "Ping");
}

/// To see that values of protocols are of use.
trait Named {
    fn to_name(&self) -> &'static str;
}

impl Named for One {
    fn to_name(&self) -> &'static str {
        match self {
            Self::Ping(Ping) => Self::REQUESTS[0].name,
        }
    }
}
