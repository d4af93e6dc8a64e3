//! Work, and how long it takes.

use crate::contenders::{self, Contender};
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

#[derive(Debug, clap::Parser)]
pub(crate) struct Options {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long one contender works in one round, in milliseconds.
    #[arg(long, default_value_t = 500)]
    millis: u64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
struct Work {
    name: &'static str,
    in_flight: u64,
    payload: usize,
}

const WORKS: &[Work] = &[
    Work { name: "W1", in_flight: 1, payload: 16 },
    Work { name: "W2-64", in_flight: 64, payload: 16 },
    Work { name: "W2-1024", in_flight: 1024, payload: 16 },
    Work { name: "W3 64 KiB", in_flight: 8, payload: 64 << 10 },
    Work { name: "W3 1 MiB", in_flight: 8, payload: 1 << 20 },
];

fn pin() {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(0);
    rustix::thread::sched_setaffinity(None, &cores).expect("a core");
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Calls a second of a client that makes so many calls, with a server in a thread of its own.
fn measure<F: Future<Output = ()>>(serve: impl FnOnce(UnixStream) -> F + Send + 'static, ask: impl AsyncFnOnce(UnixStream) -> u64) -> f64 {
    let (here, there) = std::os::unix::net::UnixStream::pair().expect("a pair of sockets");
    for end in [&here, &there] {
        end.set_nonblocking(true).expect("a socket");
    }
    let server = thread::spawn(move || {
        pin();
        runtime().block_on(async { serve(UnixStream::from_std(there).expect("a socket")).await });
    });
    pin();
    let rate = runtime().block_on(async {
        let stream = UnixStream::from_std(here).expect("a socket");
        let begun = Instant::now();
        let calls = ask(stream).await;
        calls as f64 / begun.elapsed().as_secs_f64()
    });
    server.join().expect("a server that ends");
    rate
}

fn contender<C: Contender + 'static>(work: Work, time: Duration) -> f64 {
    let ask = async |stream: UnixStream| {
        let client = C::connect(stream);
        let payload = Bytes::from((0..work.payload).map(|n| n as u8).collect::<Vec<_>>());
        let until = Instant::now() + time;
        let mut callers = JoinSet::new();
        for _ in 0..work.in_flight {
            let (client, payload) = (client.clone(), payload.clone());
            callers.spawn(async move {
                let mut calls = 0_u64;
                loop {
                    for _ in 0..8 {
                        // What is sent is new each time, as it is in programs.
                        let sent = Bytes::copy_from_slice(&payload);
                        assert_eq!(C::echo(&client, sent).await, payload, "what was sent comes back");
                        calls += 1;
                    }
                    if Instant::now() >= until {
                        return calls;
                    }
                }
            });
        }
        let mut calls = 0;
        while let Some(done) = callers.join_next().await {
            calls += done.expect("every call is answered");
        }
        calls
    };
    measure(C::serve, ask)
}

fn limit(work: Work, time: Duration) -> f64 {
    let payload = Bytes::from(vec![7; work.payload]);
    measure(contenders::limit::serve, async |stream| {
        let in_flight = usize::try_from(work.in_flight).expect("it fits");
        contenders::limit::ask(stream, Instant::now() + time, in_flight, &payload).await
    })
}

impl Options {
    pub(crate) fn run(self) {
        let time = Duration::from_millis(self.millis);
        type Measure = fn(Work, Duration) -> f64;
        let contenders: &[(&str, Measure)] = &[
            ("limit", limit),
            ("by hand", contender::<contenders::by_hand::ByHand>),
            ("packetstream raw", contender::<contenders::packetstream::Raw>),
            ("packetstream typed", contender::<contenders::packetstream::Typed>),
            ("tarpc", contender::<contenders::tarpc::Tarpc>),
        ];
        for work in WORKS {
            let mut rates = vec![Vec::new(); contenders.len()];
            for _ in 0..self.rounds {
                for (rates, (_, measure)) in rates.iter_mut().zip(contenders) {
                    rates.push(measure(*work, time));
                }
            }
            for (rates, (name, _)) in rates.iter_mut().zip(contenders) {
                rates.sort_by(f64::total_cmp);
                println!("{:10} {name:20} {:>12.0} calls/s", work.name, rates[rates.len() / 2]);
            }
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
