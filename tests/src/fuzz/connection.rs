//! A whole connection, whose peer says any bytes.

use super::input::Input;
use packetstream::{Failure, Incoming, Limits, Outcome, PacketConnection, Reply};
use std::cell::RefCell;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{Builder, Runtime};

/// Longer than any connection takes, in virtual time.
const LIMIT: Duration = Duration::from_hours(1);

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime"));
}

async fn perform(request: Incoming) -> Outcome {
    match request.rq_type % 5 {
        0 => Ok(Reply::from(request.payload)),
        1 => Err(Failure::new("as asked")),
        2 => {
            tokio::time::sleep(Duration::from_millis(request.flags % 60_000)).await;
            Ok(().into())
        }
        3 => {
            let peer = request.peer().clone();
            let answer = peer.submit(0, 0, "").await;
            answer.map_err(|error| Failure::new(error.to_string()))
        }
        _ => std::future::pending().await,
    }
}

/// It ends, in bounded time, every call of ours comes back, and no task is left.
pub(super) fn conversation(bytes: &[u8]) {
    RUNTIME.with_borrow_mut(|runtime| {
        runtime.block_on(async {
            tokio::time::timeout(LIMIT, converse(bytes)).await.expect("the connection ends");
            assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "tasks are left");
        });
    });
}

async fn converse(bytes: &[u8]) {
    let mut input = Input(bytes);
    let settings = input.byte();
    let limits = Limits {
        max_calls: 1 + usize::from(settings & 3),
        max_handlers: 1 + usize::from(settings >> 2 & 3),
        max_queued: usize::from(settings >> 4 & 3),
        max_request_bytes: 64,
        max_packet: 256,
        ..Limits::default()
    };
    let (here, mut there) = duplex(1 + usize::from(input.byte()));
    let (connection, driver) = PacketConnection::builder().limits(limits).handler(perform).build(here);
    let driver = tokio::spawn(driver.run());
    let calls: Vec<_> =
        (0..u64::from(settings >> 6)).map(|number| connection.submit(number, 0, "")).collect();
    let is_read = input.byte().is_multiple_of(2);
    let mut heard = [0; 64];
    while !input.is_empty() {
        let pause = input.byte();
        let length = usize::from(input.byte() % 32);
        let piece = input.take(length);
        // A peer that has gone, or reads nothing, takes nothing.
        let writing = tokio::time::timeout(Duration::from_secs(100), there.write_all(piece));
        if !matches!(writing.await, Ok(Ok(()))) {
            break;
        }
        if is_read {
            drop(tokio::time::timeout(Duration::from_millis(u64::from(pause)), there.read(&mut heard)).await);
        } else if pause > 250 {
            tokio::time::sleep(Duration::from_secs(u64::from(pause - 250) * 10)).await;
        }
    }
    if settings.is_multiple_of(7) {
        connection.close();
    }
    drop(connection);
    drop(there);
    for call in calls {
        drop(call.await);
    }
    let report = driver.await.expect("no panic").report;
    let lost = report.calls_lost + report.calls_unsent + report.stats.calls_ok + report.stats.calls_failed;
    assert_eq!(lost + report.stats.calls_withdrawn, report.stats.calls, "{report}");
}
