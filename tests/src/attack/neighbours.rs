//! One honest connection beside hostile ones, on one thread: how long its calls take there, and alone.
//!
//! Time is what this thread works, so that it is nobody's business what else the machine does; and what a call takes by
//! itself is a fixed amount of work, so that the ratio is the same on a fast machine and on a slow one. Rounds alone and
//! beside the hostile ones take turns, and the medians of what they came to are compared.

use super::memory::Memory;
use super::peers::{Endless, requests};
use packetstream::{Bytes, Incoming, Limits, Outcome, PacketConnection, Payload, Reply};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::task::JoinSet;

const ROUNDS: u64 = 9;
/// Calls of the honest connection in flight.
const CALLERS: u64 = 20;
/// Numbers that its handler makes for each, about 0.1 ms.
const WORK: u64 = 100_000;
/// How many times as long at most the slowest of a hundred calls may take beside the hostile ones.
const RATIO: f64 = 5.0;
/// How long at most timers wait for their turn beside them, and what `block_on` polls itself: once in 61 polls of tasks.
/// A build without optimization works ten times as long for the same.
const TURN: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

/// What hostile peers do.
#[derive(Clone, Copy, Debug)]
enum Hostile {
    /// Asks without end, and never reads.
    Deaf,
    /// The same with 16 MiB each.
    Large,
    /// Asks without end, and reads one write of four.
    Flood,
    /// Announces more than may be, again and again.
    Bomb,
    /// Says a byte now and then of 16 MiB.
    Loris,
}

const HOSTILE: [Hostile; 8] = [
    Hostile::Deaf,
    Hostile::Deaf,
    Hostile::Large,
    Hostile::Flood,
    Hostile::Flood,
    Hostile::Bomb,
    Hostile::Bomb,
    Hostile::Loris,
];

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

/// Does a fixed amount of work.
async fn work(request: Incoming) -> Outcome {
    let mut random = SmallRng::seed_from_u64(request.flags);
    let sum = (0..WORK).fold(0, |sum: u64, _| sum.wrapping_add(random.random()));
    Ok(Reply::from(black_box(sum) % 2))
}

/// How long this thread has worked.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.expect("it fits"), nanos.expect("it fits"))
}

/// What hostile peers say.
#[derive(Clone, Debug)]
struct Said {
    small: Bytes,
    large: Bytes,
}

impl Hostile {
    /// Serves one such peer after the other.
    async fn serve(self, said: Said) {
        // Those who are given up come again soon.
        let limits = Limits { stall_timeout: Duration::from_millis(50), ..Limits::default() };
        let server = || PacketConnection::builder().limits(limits).handler(echo);
        loop {
            let _ = match self {
                Self::Deaf => server().serve(Endless::of(said.small.clone())).await.report.result,
                Self::Large => {
                    // As much as a socket brings.
                    let peer = Endless { at_once: 64 << 10, ..Endless::of(said.large.clone()) };
                    server().serve(peer).await.report.result
                }
                Self::Flood => {
                    let peer = Endless { reads_one_in: 4, ..Endless::of(said.small.clone()) };
                    server().serve(peer).await.report.result
                }
                Self::Bomb => {
                    let length = (1_u64 << 40).to_bytes();
                    tokio::task::yield_now().await;
                    server().serve(Endless::of(length)).await.report.result
                }
                Self::Loris => {
                    let (here, mut there) = duplex(64);
                    let says = async {
                        there.write_all(&(16_u64 << 20).to_bytes()).await?;
                        loop {
                            tokio::time::sleep(limits.stall_timeout / 2).await;
                            there.write_all(&[0]).await?;
                        }
                        #[allow(unreachable_code, reason = "it says what fails")]
                        Ok::<_, io::Error>(())
                    };
                    tokio::join!(server().serve(here), says).0.report.result
                }
            };
        }
    }
}

/// What 99 of 100 calls took at most, and how long timers waited for their turn at most.
#[derive(Clone, Copy, Debug)]
struct Round {
    p99: Duration,
    turn: Duration,
}

/// An honest conversation of so many calls.
async fn converse(calls: u64) -> Round {
    let (here, there) = duplex(64 << 10);
    let peer = PacketConnection::builder().handler(work).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let connection = connection.clone();
        callers.spawn(async move {
            let mut took = Vec::new();
            for number in (caller..calls).step_by(usize::try_from(CALLERS).expect("it fits")) {
                let begun = worked();
                connection.submit(1, number, "honest").await.expect("an answer");
                took.push(worked().saturating_sub(begun));
            }
            took
        });
    }
    let mut took = Vec::new();
    let mut turn = Duration::ZERO;
    while !callers.is_empty() {
        let begun = worked();
        tokio::task::yield_now().await;
        turn = turn.max(worked().saturating_sub(begun));
        while let Some(done) = callers.try_join_next() {
            took.extend(done.expect("every call is answered"));
        }
    }
    connection.close();
    connection.closed().await.result.expect("a goodbye in good order");
    peer.closed().await.result.expect("a goodbye in good order");
    took.sort_unstable();
    Round { p99: took[(took.len() - 1) * 99 / 100], turn }
}

fn median(rounds: &[Round], figure: impl Fn(&Round) -> Duration) -> Duration {
    let mut all: Vec<Duration> = rounds.iter().map(figure).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

pub(super) fn calls(times: u64, memory: &mut Memory) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let said = Said { small: requests(10_000, 0), large: requests(4, (16 << 20) - 100) };
        let calls = times.div_ceil(ROUNDS);
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        memory.is_warm();
        for _ in 0..ROUNDS {
            alone.push(converse(calls).await);
            let mut hostile = JoinSet::new();
            for peer in HOSTILE {
                hostile.spawn(peer.serve(said.clone()));
            }
            beside.push(converse(calls).await);
            // Their connections go with them.
            hostile.shutdown().await;
        }
        let [alone, beside] = [alone, beside].map(|rounds| Round {
            p99: median(&rounds, |round| round.p99),
            turn: median(&rounds, |round| round.turn),
        });
        let ratio = beside.p99.as_secs_f64() / alone.p99.as_secs_f64();
        println!(
            "99 of 100 calls take {:.1?} alone, {:.1?} beside {} hostile peers: {ratio:.1} times as long, of {RATIO} allowed",
            alone.p99,
            beside.p99,
            HOSTILE.len()
        );
        println!(
            "timers wait for their turn for {:.1?} alone, {:.1?} beside them, of {TURN:?} allowed",
            alone.turn, beside.turn
        );
        assert!(ratio <= RATIO, "{ratio}");
        assert!(beside.turn <= TURN, "{:?}", beside.turn);
    });
}
