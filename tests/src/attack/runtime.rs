//! Runtimes that go away in the midst of it.

use super::memory::Memory;
use packetstream::{CallError, Incoming, NotSent, Outcome, PacketConnection, Reply};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

async fn perform(request: Incoming) -> Outcome {
    match request.rq_type {
        0 => {}
        1 => tokio::task::yield_now().await,
        2 => std::future::pending().await,
        _ => {
            let peer = request.peer().clone();
            drop(peer.submit(0, 0, "").await);
        }
    }
    Ok(Reply::from(request.payload))
}

pub(super) fn shut_down(times: u64, memory: &mut Memory) {
    let panics = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&panics);
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("{panic}");
        counted.fetch_add(1, Ordering::Relaxed);
    }));
    let mut rng = StdRng::seed_from_u64(1);
    let (mut answered, mut lost) = (0, 0);
    for done in 0..times {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let calls: Vec<_> = {
            let _inside = runtime.enter();
            let (here, there) = UnixStream::pair().expect("a pair of sockets");
            let [connection, peer] =
                [here, there].map(|stream| PacketConnection::builder().handler(perform).spawn(stream));
            (0..rng.random_range(1..40))
                .map(|_| {
                    let side = if rng.random() { &connection } else { &peer };
                    side.submit(rng.random_range(0..4), 0, "payload")
                })
                .collect()
        };
        for _ in 0..rng.random_range(0..20_000) {
            std::hint::spin_loop();
        }
        let begun = Instant::now();
        match rng.random_range(0..3) {
            0 => runtime.shutdown_background(),
            1 => runtime.shutdown_timeout(Duration::from_secs(1)),
            _ => drop(runtime),
        }
        for call in calls {
            match call.wait() {
                Ok(_) => answered += 1,
                Err(CallError::Lost(_) | CallError::NotSent(NotSent::Lost(_) | NotSent::Closed)) => lost += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        assert!(begun.elapsed() <= Duration::from_secs(5), "{:?}", begun.elapsed());
        if done == times / 5 {
            memory.is_warm();
        }
    }
    assert_eq!(panics.load(Ordering::Relaxed), 0, "nothing panics");
    println!("{answered} calls answered, {lost} told that their connection is gone");
}
