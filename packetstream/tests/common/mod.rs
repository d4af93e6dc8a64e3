//! What the tests of typed requests share.
#![allow(dead_code, unused_macros, unused_imports, unreachable_pub, reason = "each test program uses a part")]
#![allow(missing_docs, clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{Handler, PacketConnection, RequestError, Stream};
use std::fmt::Debug;
use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[cfg(feature = "tracing")]
pub mod log;

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

/// A protocol with these numbers.
macro_rules! protocol {
    ($protocol:ident { $($number:literal => $request:ident),* $(,)? }) => {
        #[derive(Debug, packetstream::Protocol)]
        enum $protocol {
            $(#[request($number)] $request($request)),*
        }
    };
}

pub(crate) use protocol;
