//! The library under another name, and behind a crate's own re-export.

extern crate packetstream as rpc;

// Nothing but the given paths is of use here.
extern crate core as packetstream;

mod vendored {
    pub(crate) mod net {
        pub(crate) use rpc::*;
    }
}

use rpc::Payload as _;

#[derive(rpc::Payload)]
#[packetstream(crate = rpc)]
struct Point(u64, u64);

#[derive(rpc::Request)]
#[packetstream(crate = crate::vendored::net)]
#[request(reply = Point)]
struct Move(Point);

#[derive(rpc::Protocol)]
#[packetstream(crate = crate::vendored::net, client = Stub)]
enum Shapes {
    #[request(0)]
    Move(Move),
}

fn main() {
    assert_eq!(Move(Point(1, 2)).to_bytes()[..], [1, 2]);
    let _ = Shapes::from(Move(Point(1, 2)));
    let _ = Stub::r#move;
}
