//! Documentation of every kind is described; what else `doc` can say is not documentation.

use packetstream::{Payload, Protocol, Request, description::Encoding};

/// Two lines:
/// this is the second.
#[doc = "A third."]
#[doc = concat!("A ", "fourth.")]
#[doc(alias = "number")]
#[derive(Payload)]
pub struct Value {
    /** In a block. */
    #[doc(hidden)]
    pub number: u64,
    pub plain: bool,
}

/// Asks.
#[derive(Request)]
pub struct Ask;

/// Asks and answers.
#[derive(Protocol)]
pub enum Asking {
    /// Asks once.
    #[request(0)]
    #[doc(alias = "once")]
    Ask(Ask),
}

fn main() {
    let Encoding::Struct(value) = Value::encoding() else { panic!() };
    assert_eq!(value.docs, [" Two lines:", " this is the second.", "A third.", "A fourth."]);
    assert_eq!((value.fields[0].docs, value.fields[1].docs), (&[" In a block. "][..], &[][..]));
    assert_eq!((Asking::DOCS, Asking::REQUESTS[0].docs), (&[" Asks and answers."][..], &[" Asks once."][..]));
}
