//! Lengths that promise more than comes.

use super::memory::Memory;
use super::peers::{Endless, runtime};
use packetstream::{Bytes, ConnectionError, PacketConnection, Payload};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::task::JoinSet;

/// Far more than a narrow machine has, and about as many as are below the limit.
fn length(rng: &mut StdRng) -> Bytes {
    let bits = rng.random_range(1..=64);
    (rng.random::<u64>() >> (64 - bits)).to_bytes()
}

pub(super) fn lengths(times: u64, memory: &mut Memory) {
    let mut rng = StdRng::seed_from_u64(1);
    runtime().block_on(async {
        for done in 0..times {
            let said = length(&mut rng);
            let peer = Endless { first: said.clone(), ..Endless::of(Bytes::new()) };
            let error =
                PacketConnection::builder().spawn(peer).closed().await.result.expect_err("no packet came");
            let is_named = matches!(error, ConnectionError::Decode(_) | ConnectionError::ReadStalled(_));
            assert!(is_named, "{said:02x?}: {error:?}");
            if done == times / 20 {
                memory.is_warm();
            }
        }
    });
}

pub(super) fn loris(times: u64, memory: &mut Memory) {
    const EVERY: Duration = Duration::from_secs(20);
    const BYTES: u64 = 30;
    runtime().block_on(async {
        memory.is_warm();
        let mut peers = JoinSet::new();
        for _ in 0..times {
            let (here, mut there) = duplex(64);
            let connection = PacketConnection::builder().spawn(here);
            peers.spawn(async move {
                there.write_all(&(16_u64 << 20).to_bytes()).await.expect("the connection reads");
                for _ in 0..BYTES {
                    tokio::time::sleep(EVERY).await;
                    there.write_all(&[0]).await.expect("the connection reads");
                }
                let silent = tokio::time::Instant::now();
                let error = connection.closed().await.result.expect_err("no packet came");
                assert!(matches!(error, ConnectionError::ReadStalled(_)), "{error:?}");
                assert!(silent.elapsed() <= Duration::from_secs(61), "{:?}", silent.elapsed());
            });
        }
        while let Some(done) = peers.join_next().await {
            done.expect("as it has to be");
        }
    });
}
