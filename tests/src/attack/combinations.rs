//! Both ends with each combination of small, medium and large limits, asking each other, level upon level, over a narrow
//! stream.

use super::memory::Memory;
use super::peers::runtime;
use packetstream::{
    Bytes, Call, CallError, Failure, Incoming, Limits, NotSent, Outcome, PacketConnection, Reply, Stats,
};
use std::time::Duration;
use tokio::io::duplex;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// 3 sizes of 4 limits.
const COMBINATIONS: u64 = 81;
/// The deepest that calls are nested.
const DEPTH: u64 = 4;
/// What each call adds at most to the virtual time of all, where handlers wait for each other: they are let go after 30 s
/// to 60 s, and those that come next may do so again.
const LIMIT: Duration = Duration::from_secs(62);

fn limits(combination: u64) -> Limits {
    let mut sizes = combination;
    let mut pick = |of: [usize; 3]| {
        let size = usize::try_from(sizes % 3).expect("it fits");
        sizes /= 3;
        of[size]
    };
    Limits {
        max_calls: pick([1, 8, 256]),
        max_handlers: pick([1, 8, 256]),
        max_queued: pick([0, 8, 1024]),
        max_unsent_bytes: pick([1, 8 << 10, 4 << 20]),
        ..Limits::default()
    }
}

/// Asks the other side for one level less, and says how many there were.
async fn nested(request: Incoming) -> Outcome {
    let Some(less) = request.rq_type.checked_sub(1) else { return Ok(Reply::from((0, request.payload))) };
    match request.peer().submit(less, 0, request.payload).await {
        Ok(reply) => Ok(Reply::from((reply.flags + 1, reply.payload))),
        Err(CallError::Failed(failure)) => Err(failure),
        Err(CallError::NotSent(NotSent::NoTurn(_))) => Err(Failure::busy("no turn")),
        Err(error) => Err(Failure::new(format!("{error:?}"))),
    }
}

/// Whether it was answered: else it was turned away.
async fn is_answered(call: Call, depth: u64, payload: Bytes) -> bool {
    match call.await {
        Ok(reply) => {
            assert_eq!((reply.flags, reply.payload), (depth, payload));
            true
        }
        Err(CallError::Failed(failure)) if failure.is_busy() => false,
        Err(CallError::NotSent(NotSent::NoTurn(_))) => false,
        Err(error) => panic!("{error:?}"),
    }
}

/// Has both ends ask so often each, and says how many were answered.
async fn converse(limits: Limits, calls: u64) -> u64 {
    let (here, there) = duplex(4096);
    let sides =
        [here, there].map(|stream| PacketConnection::builder().limits(limits).handler(nested).spawn(stream));
    let payload = Bytes::from(vec![7; 1 << 10]);
    let mut asking = JoinSet::new();
    for number in 0..calls {
        for side in &sides {
            let depth = number % (DEPTH + 1);
            asking.spawn(is_answered(side.submit(depth, 0, payload.clone()), depth, payload.clone()));
        }
    }
    let mut answered = 0;
    while let Some(ended) = asking.join_next().await {
        answered += u64::from(ended.expect("answered or turned away"));
    }
    for side in &sides {
        // Nothing is held any more that would keep a call from being answered.
        assert!(is_answered(side.submit(0, 0, ""), 0, Bytes::new()).await, "{:?}", side.stats());
    }
    for side in &sides {
        side.close();
    }
    for side in sides {
        let report = side.closed().await;
        report.result.expect("a goodbye in good order");
        let Stats { in_flight, performing, waiting, .. } = report.stats;
        assert_eq!((in_flight, performing, waiting), (0, 0, 0), "{:?}", report.stats);
    }
    answered
}

pub(super) fn all(times: u64, memory: &mut Memory) {
    let calls = times.div_ceil(2 * COMBINATIONS);
    let limit = LIMIT * u32::try_from(2 * calls).expect("it fits");
    let (mut answered, mut longest) = (0, Duration::ZERO);
    for combination in 0..COMBINATIONS {
        let limits = limits(combination);
        runtime().block_on(async {
            let begun = Instant::now();
            let conversation = tokio::time::timeout(limit, converse(limits, calls)).await;
            let of_it = conversation.unwrap_or_else(|_| panic!("not over within {limit:?}: {limits:?}"));
            if limits.max_calls.min(limits.max_handlers) as u64 > calls * DEPTH {
                assert_eq!(of_it, 2 * calls, "nobody waits for anybody: {limits:?}");
            }
            answered += of_it;
            longest = longest.max(begun.elapsed());
        });
        if combination == COMBINATIONS / 2 {
            memory.is_warm();
        }
    }
    let all = 2 * calls * COMBINATIONS;
    println!(
        "{answered} of {all} calls answered, the others turned away; the longest took {longest:.1?} of virtual time"
    );
}
