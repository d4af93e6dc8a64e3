//! Requests without end.

use super::memory::Memory;
use super::peers::{Endless, requests, runtime};
use packetstream::{CloseReport, ConnectionError, Incoming, Outcome, PacketConnection, Reply};

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

/// Serves peer after peer, until they have been taken `times` requests, each by a connection that is given up.
fn serve(
    times: u64,
    memory: &mut Memory,
    peer: impl Fn() -> Endless,
    ask: bool,
    given_up: impl Fn(&ConnectionError) -> bool,
) {
    runtime().block_on(async {
        let (mut taken, mut peers) = (0, 0);
        while taken < times {
            let connection = PacketConnection::builder().handler(echo).spawn(peer());
            let call = ask.then(|| connection.submit(1, 0, ""));
            let CloseReport { result, stats, .. } = connection.closed().await;
            let error = result.expect_err("a peer that never reads is given up");
            assert!(given_up(&error), "{error:?}");
            if let Some(call) = call {
                call.await.expect_err("the peer has never answered");
            }
            taken += stats.packets_received;
            peers += 1;
            if taken >= times / 10 {
                memory.is_warm();
            }
        }
        println!("{peers} peers, each given up");
    });
}

fn is_stalled(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::WriteStalled { .. })
}

pub(super) fn deaf(times: u64, memory: &mut Memory) {
    let said = requests(100_000, 0);
    serve(times, memory, || Endless::of(said.clone()), false, is_stalled);
}

pub(super) fn asked(times: u64, memory: &mut Memory) {
    let said = requests(100_000, 0);
    let is_overload = |error: &ConnectionError| matches!(error, ConnectionError::Overload { .. });
    serve(times, memory, || Endless::of(said.clone()), true, is_overload);
}

pub(super) fn large(times: u64, memory: &mut Memory) {
    // More of them than are taken before a pause.
    let said = requests(4, (16 << 20) - 100);
    serve(times, memory, || Endless::of(said.clone()), false, is_stalled);
}

/// One peer, which reads one write of four.
pub(super) fn read(times: u64, memory: &mut Memory) {
    // Tags come again once they have long been answered.
    const ROUND: u64 = 10_000;
    let said = requests(ROUND, 0);
    let rounds = usize::try_from(times.div_ceil(ROUND)).expect("it fits");
    runtime().block_on(async {
        for rounds in [rounds.div_ceil(20), rounds] {
            let peer = Endless { most: rounds * said.len(), reads_one_in: 4, ..Endless::of(said.clone()) };
            assert_eq!(serve_all(peer).await, rounds as u64 * ROUND, "every request is answered");
            memory.is_warm();
        }
    });
}

/// How many answers a peer gets that falls silent then.
async fn serve_all(peer: Endless) -> u64 {
    let connection = PacketConnection::builder().handler(echo).spawn(peer);
    let mut answered = u64::MAX;
    loop {
        // Nothing moves within the time that a stall takes, so that the clock jumps.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let now = connection.stats().requests_answered;
        if now == answered {
            return now;
        }
        answered = now;
    }
}
