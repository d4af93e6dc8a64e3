//! The expansions that the derive crate keeps as snapshots are ordinary code: they compile as they stand.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "as the derives write it"
)]

mod choice {
    include!("../../packetstream-derive/src/expand/snapshots/choice.expanded.rs");
}

mod client {
    include!("../../packetstream-derive/src/expand/snapshots/client.expanded.rs");
}

mod fields {
    include!("../../packetstream-derive/src/expand/snapshots/fields.expanded.rs");
}

mod payload {
    include!("../../packetstream-derive/src/expand/snapshots/payload.expanded.rs");
}

mod protocol {
    include!("../../packetstream-derive/src/expand/snapshots/protocol.expanded.rs");
}

#[test]
fn an_expansion_does_what_its_declaration_says() {
    use packetstream::{BaseRequest, Carries, Payload, Protocol};
    let add = protocol::Add(1, 300);
    let (flags, payload) = add.transcribe_request();
    assert_eq!((flags, &payload[..]), (0, &[1, 0x82, 0x2c][..]));
    assert!(matches!(protocol::Calc::from_request(0, 0, payload), Ok(protocol::Calc::Add(_))));
    assert_eq!(<client::Calc as Carries<client::Reset>>::REQUEST_TYPE, 7);
    assert_eq!(choice::Shape::Circle(9).to_bytes()[..], [2, 9]);
}
