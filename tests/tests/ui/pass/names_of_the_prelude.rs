#![no_implicit_prelude]
#![allow(dead_code, reason = "most names only stand in the way")]
//! What the macros write means the same whatever a user's names mean.

use ::packetstream::{BaseRequest as _, Payload as _, Protocol as _};

// Each stands in the way of something.
struct Result;
struct Option;
struct Vec;
struct Box;
struct None;
trait Send {}
trait Sync {}
trait Sized {}
trait From {}
trait TryFrom {}
trait Default {}
trait Clone {}
trait FnOnce {}
trait Iterator {}
struct PayloadReader;
struct PayloadWriter;
struct PayloadError;
struct Reply;
struct Outcome;
struct Contract;
struct Duration;
struct Failure;
struct Arrival;
mod core {}
mod std {}
mod alloc {}
mod packetstream {}
mod bytes {}
mod description {}

#[derive(::packetstream::Payload)]
#[payload(length, magic = b"S", assert(reader < 100, "too much"))]
struct Some {
    reader: u64,
    #[payload(big)]
    out: u16,
    #[payload(flag = 0)]
    flagged: bool,
    #[payload(flag = 1)]
    maybe: ::std::option::Option<u64>,
    #[payload(flag = 2, little)]
    fixed: ::std::option::Option<i32>,
    #[payload(skip)]
    skipped: u8,
    #[payload(count = out)]
    list: ::std::vec::Vec<u64>,
    #[payload(id = reader)]
    chosen: String,
    #[payload(rest)]
    rest: ::std::string::String,
}

#[derive(::packetstream::Payload)]
enum String {
    Ok(u64),
    Err { value: u64 },
}

#[derive(::packetstream::Payload)]
struct Newtype<T>(T);

#[derive(::packetstream::Request)]
#[request(reply = Some, error = String, timeout = "5s", max_payload = 5)]
struct Ok {
    payload: u64,
}

#[derive(::packetstream::Request)]
struct S;

#[derive(::packetstream::Protocol)]
#[packetstream(client = Client)]
enum Protocol {
    #[request(0)]
    Ok(Ok),
    #[request(1)]
    Err(S),
}

#[derive(::packetstream::Protocol)]
enum Empty {}

fn main() {
    let some = Some {
        reader: 0,
        out: 0,
        flagged: true,
        maybe: ::std::option::Option::None,
        fixed: ::std::option::Option::Some(-1),
        skipped: 1,
        list: ::std::vec![7],
        chosen: String::Err { value: 9 },
        rest: "r".into_string(),
    };
    ::std::assert_eq!(some.to_bytes()[..], *b"\x0cS\x01\x00\x01\x05\xff\xff\xff\xff\x07\x09r");
    ::std::assert!(Some::from_bytes(some.to_bytes()).is_ok());
    ::std::assert_eq!(Newtype(Ok { payload: 5 }).to_bytes()[..], [5]);
    ::std::assert_eq!(Ok { payload: 5 }.transcribe_request().0, 0);
    ::std::assert_eq!((Protocol::NAME, Empty::NAME), ("Protocol", "Empty"));
    let _ = Client::ok;
}

trait IntoString {
    fn into_string(self) -> ::std::string::String;
}

impl IntoString for &str {
    fn into_string(self) -> ::std::string::String {
        ::std::borrow::ToOwned::to_owned(self)
    }
}
