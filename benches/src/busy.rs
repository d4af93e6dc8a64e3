//! 1,000 busy connections to a server in a process of its own, the example `percore`: with a runtime on each core, and with
//! one runtime for all. Those who ask are two threads here; both sides have all cores.

use crate::stage;
use bytes::Bytes;
use packetstream::{PacketConnection, Stream};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

pub(crate) const CONNECTIONS: usize = 1000;
const THREADS: usize = 2;
/// Calls in flight on each connection.
const IN_FLIGHT: usize = 4;

/// A server that ends with what measures it.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What the example is asked for, with its name in the results.
pub(crate) const KINDS: &[(&str, &[&str])] = &[("a runtime per core", &[]), ("one runtime", &["--shared"])];

/// Calls a second, where the example has been built.
pub(crate) fn rate(arguments: &[&str], time: Duration) -> Option<f64> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/percore");
    if !program.is_file() {
        return None;
    }
    let child = Command::new(program)
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn();
    let mut server = Server(child.expect("the example runs"));
    let mut line = String::new();
    BufReader::new(server.0.stderr.take().expect("it is piped"))
        .read_line(&mut line)
        .expect("it says where it listens");
    let address = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();
    let askers: Vec<_> = (0..THREADS)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || stage::runtime().block_on(ask(&address, time)))
        })
        .collect();
    Some(askers.into_iter().map(|asker| asker.join().expect("all goes well")).sum())
}

async fn ask(address: &str, time: Duration) -> f64 {
    let address = address.parse().expect("an address");
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS / THREADS {
        let stream = Stream::connect(&address).await.expect("a connection");
        connections.push(PacketConnection::builder().spawn(stream));
    }
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..connections.len() * IN_FLIGHT {
        let connection = connections[caller / IN_FLIGHT].clone();
        callers.spawn(async move {
            let mut calls = 0_u64;
            while begun.elapsed() < time {
                let sent = Bytes::copy_from_slice(&(caller as u128 | u128::from(calls) << 64).to_le_bytes());
                let answer = connection.submit(0, 0, sent.clone()).await.expect("an answer").payload;
                assert!(answer.ends_with(&sent), "what was sent comes back");
                calls += 1;
            }
            calls
        });
    }
    let calls: u64 = callers.join_all().await.into_iter().sum();
    calls as f64 / begun.elapsed().as_secs_f64()
}
