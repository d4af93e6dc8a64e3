//! Declarations that a `macro_rules!` macro makes of names, types, numbers and expressions of its caller.

use packetstream::{BaseRequest, Bytes, Carries, Payload, Protocol, Request};
use std::time::Duration;

macro_rules! value {
    ($(#[$attr:meta])* $vis:vis $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, PartialEq, Payload)]
        $(#[$attr])*
        $vis struct $name { $($(#[$of_field])* $field: $type),* }
    };
}

value! {
    /// With attributes of the caller.
    #[payload(magic = b"V", assert(size < 10, "large"))]
    pub(crate) Value { #[payload(big)] size: u8, #[payload(count = size)] list: Vec<u64> }
}

macro_rules! counted {
    ($name:ident, $count:ident, $flag:literal, $type:ty, $limit:expr, $message:literal) => {
        #[derive(Debug, PartialEq, Payload)]
        struct $name {
            $count: $type,
            #[payload(flag = $flag)]
            marked: bool,
            #[payload(count = $count, assert(list.len() < $limit, $message))]
            list: Vec<$type>,
            #[payload(skip, default = $limit)]
            limit: usize,
        }
    };
}

counted!(Counted, how_many, 3, u16, 2 + 1, "long");

macro_rules! protocol {
    ($protocol:ident: $client:ident { $($number:literal $name:ident($($type:ty),*) -> $reply:ty),* $(,)? }) => {
        $(
            #[derive(Debug, PartialEq, Request)]
            #[request(reply = $reply, max_payload = 10 + $number, timeout = "5s")]
            pub struct $name($(pub $type),*);
        )*

        #[derive(Debug, PartialEq, Protocol)]
        #[packetstream(client = $client)]
        pub enum $protocol {
            $(#[request($number)] $name($name)),*
        }
    };
}

protocol!(Calc: CalcClient {
    1 Add(u64, u64) -> Option<u64>,
    0x20 Reset() -> (),
});

macro_rules! numbered {
    ($($name:ident = $number:expr),*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Payload)]
        enum Numbered { $($name = $number),* }
    };
}

numbered!(One = 1, Five = 5);

fn main() {
    assert_eq!(Value { size: 0, list: vec![5] }.to_bytes()[..], *b"V\x01\x05");
    let counted = Counted { how_many: 2, marked: true, list: vec![7, 8], limit: 3 };
    assert_eq!(counted.to_bytes()[..], [2, 8, 7, 8]);
    assert_eq!(Counted::from_bytes(counted.to_bytes()), Ok(counted));
    assert_eq!(
        Counted::from_bytes(Bytes::from_static(&[3, 0, 1, 1, 1])).unwrap_err().to_string(),
        "Counted.list: at byte 2 of the payload: long"
    );
    assert_eq!((<Calc as Carries<Add>>::REQUEST_TYPE, <Calc as Carries<Reset>>::REQUEST_TYPE), (1, 32));
    assert_eq!(Add::CONTRACT.max_payload, Some(11));
    assert_eq!(Reset::CONTRACT.timeout, Some(Duration::from_secs(5)));
    assert_eq!(Numbered::Five.to_bytes()[..], [5]);
    let _ = (CalcClient::add, CalcClient::reset);
}
