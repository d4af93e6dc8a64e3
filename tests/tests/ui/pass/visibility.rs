//! What is made is as visible as what it is made of, in crates that deny more.
#![deny(warnings, unreachable_pub, private_interfaces, private_bounds, unnameable_types)]

mod store {
    use packetstream::{Payload, Protocol, Request};

    #[derive(Debug, PartialEq, Payload)]
    pub(crate) struct Entry {
        pub(super) id: u64,
        name: String,
    }

    impl Entry {
        pub(crate) fn new(id: u64, name: &str) -> Self {
            Self { id, name: name.to_owned() }
        }
    }

    #[derive(Debug, PartialEq, Request)]
    #[request(reply = Entry)]
    pub(super) struct Get(pub(in crate::store) u64);

    #[derive(Debug, PartialEq, Request)]
    struct Hidden;

    #[derive(Debug, PartialEq, Protocol)]
    #[packetstream(client = StoreClient)]
    pub(super) enum Store {
        #[request(0)]
        Get(Get),
    }

    #[derive(Debug, PartialEq, Protocol)]
    #[packetstream(client = HiddenClient)]
    enum Inner {
        #[request(0)]
        Hidden(Hidden),
    }

    pub(super) fn inner() -> (Get, usize) {
        let _ = (HiddenClient::hidden, Inner::from(Hidden));
        (Get(5), Inner::REQUESTS.len())
    }
}

use packetstream::{BaseRequest, Payload, Protocol, Reply, Response};

fn main() {
    let entry = store::Entry::new(1, "n");
    assert_eq!(entry.id, 1);
    assert_eq!(entry.to_bytes()[..], *b"\x01\x01n");
    let (get, requests) = store::inner();
    let reply: Reply = entry.into_reply();
    assert_eq!(get.decode_response(reply), Ok(store::Entry::new(1, "n")));
    assert_eq!((requests, store::Store::from_request(0, 0, get.to_bytes())), (1, Ok(store::Store::Get(get))));
    let _ = store::StoreClient::get;
}
