//! Calls for a long time.

use super::memory::{Memory, resident};
use packetstream::{Bytes, Incoming, Outcome, PacketConnection, Reply};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

const IN_FLIGHT: u64 = 64;
const SAMPLES: u64 = 20;

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from((request.flags, request.payload)))
}

/// What grew is the difference between the halves: what more calls would go on to add.
pub(super) fn calls(times: u64, memory: &mut Memory) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (here, there) = UnixStream::pair().expect("a pair of sockets");
        let [connection, peer] =
            [here, there].map(|stream| PacketConnection::builder().handler(echo).spawn(stream));
        memory.is_warm();
        let mut samples = Vec::new();
        for _ in 0..SAMPLES {
            let mut callers = JoinSet::new();
            for caller in 0..IN_FLIGHT {
                let connection = connection.clone();
                callers.spawn(async move {
                    for number in 0..times / SAMPLES / IN_FLIGHT {
                        let payload = Bytes::from((caller << 32 | number).to_be_bytes().to_vec());
                        let reply = connection.submit(1, number, payload.clone()).await.expect("an answer");
                        assert_eq!(
                            (reply.flags, reply.payload),
                            (number, payload),
                            "the answer to another request"
                        );
                    }
                });
            }
            while let Some(done) = callers.join_next().await {
                done.expect("every call is answered");
            }
            samples.push(resident());
        }
        let half = samples.len() / 2;
        let most = |samples: &[u64]| samples.iter().max().copied().unwrap_or(0);
        memory.grew(most(&samples[half..]).saturating_sub(most(&samples[..half])));
        connection.close();
        let (one, other) = (connection.closed().await, peer.closed().await);
        one.result.expect("a goodbye in good order");
        assert_eq!(one.stats.calls_ok, other.stats.requests_answered, "nothing is lost or answered twice");
        println!("{} calls; KiB: {samples:?}", one.stats.calls_ok);
    });
}
