//! The futures that are dropped.

use super::{AT_ONCE, Case, Echo, LARGE, LATER, MS, PLACES, SLOWLY, Stage, echoed};
use packetstream::{CallError, HasPacketConnection, NotSent, PacketConnection};
use packetstream_core::clock;

const fn goes_on(_: &Stage) {}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "call",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let a = stage.a.clone();
            Box::pin(async move { echoed(a.call(LATER, 0, "echo")).await })
        },
    },
    Case {
        name: "submit",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| Box::pin(echoed(stage.a.submit(LATER, 0, "echo"))),
    },
    Case {
        name: "submit, answered at once",
        others: (0, LATER),
        meanwhile: goes_on,
        make: |stage| Box::pin(echoed(stage.a.submit(AT_ONCE, 0, "echo"))),
    },
    Case {
        name: "submit, behind a large one",
        others: (1, LARGE),
        meanwhile: goes_on,
        make: |stage| Box::pin(echoed(stage.a.submit(LATER, 0, "echo"))),
    },
    Case {
        name: "submit, queued",
        others: (PLACES, LATER),
        meanwhile: goes_on,
        make: |stage| Box::pin(echoed(stage.a.submit(LATER, 0, "echo"))),
    },
    Case {
        name: "Call::timeout, in time",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| Box::pin(echoed(stage.a.submit(LATER, 0, "echo").timeout(5 * MS))),
    },
    Case {
        name: "Call::timeout, too late",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let call = stage.a.submit(SLOWLY, 0, "echo").timeout(5 * MS);
            Box::pin(async { assert!(matches!(call.await, Err(CallError::Unanswered(_)))) })
        },
    },
    Case {
        name: "Call::timeout, queued too long",
        others: (PLACES, SLOWLY),
        meanwhile: goes_on,
        make: |stage| {
            let call = stage.a.submit(SLOWLY, 0, "echo").timeout(MS);
            Box::pin(async { assert!(matches!(call.await, Err(CallError::NotSent(NotSent::NoTurn(_))))) })
        },
    },
    Case {
        name: "clock::timeout",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let call = stage.a.submit(SLOWLY, 0, "echo");
            Box::pin(async { assert!(clock::timeout(5 * MS, call).await.is_none()) })
        },
    },
    Case {
        name: "clock::sleep",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |_| Box::pin(async { clock::sleep(5 * MS).await }),
    },
    Case {
        name: "reserve",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let place = stage.a.reserve();
            Box::pin(async { drop(place.await.unwrap()) })
        },
    },
    Case {
        name: "reserve and submit, queued",
        others: (PLACES, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let place = stage.a.reserve();
            Box::pin(async { echoed(place.await.unwrap().submit(LATER, 0, "echo")).await })
        },
    },
    Case {
        name: "barrier",
        others: (PLACES, LATER),
        meanwhile: goes_on,
        make: |stage| Box::pin(stage.a.barrier()),
    },
    Case {
        name: "peer_drained",
        others: (1, LATER),
        meanwhile: |stage| stage.b.drain(),
        make: |stage| {
            let a = stage.a.clone();
            Box::pin(async move { a.peer_drained().await })
        },
    },
    Case {
        name: "peer_closed",
        others: (1, LATER),
        meanwhile: |stage| stage.b.close(),
        make: |stage| {
            let a = stage.a.clone();
            Box::pin(async move { a.peer_closed().await })
        },
    },
    Case {
        name: "closed",
        others: (1, LATER),
        meanwhile: |stage| stage.a.close(),
        make: |stage| {
            let a = stage.a.clone();
            Box::pin(async move { a.closed().await.result.unwrap() })
        },
    },
    Case {
        name: "submit, closing",
        others: (PLACES, LATER),
        meanwhile: |stage| stage.a.close(),
        make: |stage| {
            let call = stage.a.submit(LATER, 0, "echo");
            Box::pin(async { assert!(matches!(call.await, Err(CallError::NotSent(NotSent::Closed)))) })
        },
    },
    Case {
        name: "Client::call",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let call = stage.client().call(Echo("echo".into()));
            Box::pin(async { assert_eq!(call.await.unwrap(), "echo") })
        },
    },
    Case {
        name: "conn_do_remote",
        others: (PLACES, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let client = stage.client();
            Box::pin(async move {
                assert_eq!(client.conn_do_remote(Echo("echo".into())).await.unwrap(), "echo");
            })
        },
    },
    Case {
        name: "Link::call",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let call = stage.link.call(Echo("echo".into()));
            Box::pin(async { assert_eq!(call.await.unwrap(), "echo") })
        },
    },
    Case {
        name: "Link::get",
        others: (1, LATER),
        meanwhile: goes_on,
        make: |stage| {
            let link = stage.link.clone();
            Box::pin(async move { assert!(link.get::<PacketConnection>().await.unwrap().is_open()) })
        },
    },
    Case {
        name: "Link::closed",
        others: (0, LATER),
        meanwhile: |stage| {
            stage.a.close();
            stage.link.close();
        },
        make: |stage| {
            let link = stage.link.clone();
            Box::pin(async move { link.closed().await })
        },
    },
];
