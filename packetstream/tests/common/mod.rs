//! What the tests of typed requests share.
#![allow(dead_code, unused_macros, unused_imports, unreachable_pub, reason = "each test program uses a part")]
#![allow(missing_docs, clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{Handler, PacketConnection, RequestError, Stream};
use std::fmt::Debug;
use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The bound on every wait. The first holds where a thread blocks or a task spins: a paused clock does not move
/// then. The second is virtual where the clock is paused.
pub async fn in_time<T>(test: impl Future<Output = T>) -> T {
    let (_done, running) = mpsc::channel::<()>();
    thread::spawn(move || {
        if running.recv_timeout(Duration::from_mins(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the test hangs");
            std::process::exit(101);
        }
    });
    tokio::time::timeout(Duration::from_mins(2), test).await.expect("the test hangs")
}

/// Two sides of one connection, each with its handler.
pub fn pair(here: impl Handler, there: impl Handler) -> (PacketConnection, PacketConnection) {
    let (a, b) = Stream::pair(1 << 16);
    (PacketConnection::builder().handler(here).spawn(a), PacketConnection::builder().handler(there).spawn(b))
}

/// A side that only asks, and the other one, which is to be kept.
pub fn asking(there: impl Handler) -> (PacketConnection, PacketConnection) {
    let (a, b) = Stream::pair(1 << 16);
    (PacketConnection::builder().spawn(a), PacketConnection::builder().handler(there).spawn(b))
}

/// In what words a request was refused.
pub fn refusal<T: Debug, E: Debug>(result: Result<T, RequestError<E>>) -> String {
    match result {
        Err(RequestError::Refused(failure)) => failure.reason().into_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

/// What `#[derive(Protocol)]` writes.
macro_rules! protocol {
    ($protocol:ident { $($number:literal => $request:ident),* $(,)? }) => {
        #[derive(Debug)]
        enum $protocol {
            $($request($request)),*
        }

        $(impl packetstream::Carries<$request> for $protocol {
            const REQUEST_TYPE: u64 = $number;
        })*

        impl packetstream::Protocol for $protocol {
            const DESCRIPTION: &'static packetstream::description::Protocol =
                &packetstream::description::Protocol {
                    name: stringify!($protocol),
                    docs: &[],
                    requests: &[
                        $(packetstream::description::Request::of::<$request>(
                            $number,
                            stringify!($request),
                            &[],
                        )),*
                    ],
                };

            fn from_request(
                rq_type: u64,
                flags: u64,
                payload: packetstream::Bytes,
            ) -> Result<Self, packetstream::ParseRequestError> {
                let _ = (flags, &payload);
                match rq_type {
                    $($number => packetstream::__private::parse(flags, payload, Self::$request),)*
                    unknown => packetstream::__private::unknown(unknown),
                }
            }

            fn to_request(&self) -> (u64, u64, packetstream::Bytes) {
                match *self {
                    $(Self::$request(ref request) => packetstream::__private::to_request::<Self, _>(request),)*
                }
            }
        }

        impl<S> packetstream::Dispatch<S> for $protocol
        where
            S: $(packetstream::Fulfil<$request> +)* Send + Sync + 'static,
        {
            async fn dispatch(
                served: &packetstream::Served<Self, S>,
                incoming: packetstream::Incoming,
            ) -> packetstream::Outcome {
                let _ = served;
                match incoming.rq_type {
                    $($number => served.fulfil::<$request>(incoming).await,)*
                    _ => packetstream::Served::<Self, S>::unknown(&incoming),
                }
            }
        }
    };
}

pub(crate) use protocol;
