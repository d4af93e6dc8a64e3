//! A TCP peer that is gone without a word, in a network namespace whose only link is taken down.
//!
//! `cargo test -p packetstream --test vanished -- --ignored`, on a Linux that lets its users have namespaces.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::in_time;
use packetstream::{CallError, ConnectionError, Incoming, KeepAlive, Reply, TcpOptions};
use packetstream::{Listener, PacketConnection, Stream};
use std::time::{Duration, Instant};
use std::{env, process};
use tokio::net::TcpStream;
use tokio::process::Command;

/// Set where the test runs in a namespace of its own.
const WITHIN: &str = "PACKETSTREAM_TEST_NAMESPACE";

/// The shortest there is: 2 s.
const HASTY: KeepAlive =
    KeepAlive { idle: Duration::from_secs(1), interval: Duration::from_secs(1), probes: 1 };

async fn sh(script: &str) {
    let status = in_time(Command::new("sh").args(["-c", script]).kill_on_drop(true).status()).await.unwrap();
    assert!(status.success(), "{script}: {status}");
}

/// A connection over TCP to somebody who answers.
async fn connected(options: TcpOptions) -> PacketConnection {
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_address().to_string();
    let echo = async |request: Incoming| Ok(Reply::from(request.payload));
    tokio::spawn(listener.serve(move || PacketConnection::builder().handler(echo)));
    let stream = TcpStream::connect(address.trim_start_matches("tcp://")).await.unwrap();
    let connection = PacketConnection::builder().spawn(Stream::tcp(stream, options).unwrap());
    assert_eq!(in_time(connection.submit(0, 0, "there?")).await.unwrap().payload, "there?");
    connection
}

#[tokio::test]
#[ignore = "takes a network namespace and some seconds"]
async fn a_peer_that_has_vanished_is_noticed_whether_or_not_something_is_on_its_way() {
    if env::var_os(WITHIN).is_none() {
        let mut itself = Command::new("unshare");
        itself.args(["--map-root-user", "--net", "--"]).arg(env::current_exe().unwrap());
        itself.args(["--ignored", "--nocapture"]).env(WITHIN, process::id().to_string()).kill_on_drop(true);
        let output = in_time(itself.output()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
        return;
    }
    sh("ip link set lo up").await;
    let options = TcpOptions { keep_alive: Some(HASTY), ..TcpOptions::default() };
    let idle = connected(options).await;
    let asking = connected(options).await;
    sh("ip link set lo down").await;
    let vanished = Instant::now();

    let call = asking.submit(0, 0, "still there?");
    let error = in_time(call).await.unwrap_err();
    assert!(matches!(error, CallError::Lost(ConnectionError::Read(_))), "{error:?}");
    let ended = in_time(idle.closed()).await.result;
    assert!(matches!(ended, Err(ConnectionError::Read(_))), "{ended:?}");
    // The system's timers are coarse, and its own patience is many minutes.
    assert!(vanished.elapsed() < 10 * HASTY.patience(), "{:?}", vanished.elapsed());
}
