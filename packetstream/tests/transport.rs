//! Streams by address, each with a real one at the other end.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{
    Address, Child, Client, ConnectError, Context, Failure, Fulfil, Listener, PacketConnection, Protocol,
    Request, Stream, connect, serve,
};
use std::future::Future;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::process::Command;

async fn in_time<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), test).await.expect("the test hangs")
}

#[derive(Request)]
#[request(reply = u64)]
struct Double(u64);

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Double(Double),
}

struct Server;

impl Fulfil<Double> for Server {
    async fn fulfil(&self, Double(n): Double, _: Context) -> Result<u64, Failure> {
        Ok(n * 2)
    }
}

async fn listener(address: &str) -> std::io::Result<Listener> {
    Listener::bind(&address.parse().unwrap()).await
}

/// Serves at `address` and has clients, several at once, ask there.
async fn clients_are_served_at(address: &str) {
    let listener = listener(address).await.unwrap();
    let address = listener.local_address().to_string();
    tokio::spawn(listener.serve(|| PacketConnection::builder().handler(serve::<Calc, _>(Server))));
    let clients = [1, 2, 3].map(async |n| {
        let calc: Client<Calc> = connect(&address).await.unwrap();
        for k in 0..100 {
            assert_eq!(calc.call(Double(n * k)).await.unwrap(), 2 * n * k);
        }
    });
    let [a, b, c] = clients;
    in_time(async { tokio::join!(a, b, c) }).await;
}

#[tokio::test]
async fn clients_are_served_over_tcp() {
    clients_are_served_at("tcp://127.0.0.1:0").await;
    clients_are_served_at("tcp://[::1]:0").await;
}

#[tokio::test]
async fn clients_are_served_over_a_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    clients_are_served_at(&format!("unix:{}", dir.path().join("socket").display())).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused() {
    let first = listener("tcp://127.0.0.1:0").await.unwrap();
    let error = listener(&first.local_address().to_string()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_socket_that_is_listened_at_is_refused_and_a_stale_one_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let address = format!("unix:{}", path.display());

    let live = listener(&address).await.unwrap();
    let error = listener(&address).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(live);
    assert!(!path.exists(), "removed with its listener");

    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind, as after a crash");
    listener(&address).await.unwrap();

    std::fs::write(&path, "a file of somebody's").unwrap();
    listener(&address).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file of somebody's");
}

#[tokio::test]
async fn a_listener_leaves_the_socket_of_its_successor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let address = format!("unix:{}", path.display());
    let old = listener(&address).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut new = listener(&address).await.unwrap();
    drop(old);
    in_time(async {
        let address = address.parse().unwrap();
        let _connected = Stream::connect(&address).await.unwrap();
        new.accept().await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_is_named() {
    let taken = listener("tcp://127.0.0.1:0").await.unwrap();
    let address = taken.local_address().to_string();
    drop(taken);
    let error = connect::<PacketConnection>(&address).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to {address}"));
    let error = connect::<PacketConnection>("unix:/nowhere/socket").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to unix:/nowhere/socket");
    let error = connect::<PacketConnection>("exec:/nowhere/program").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to exec:/nowhere/program");
    let error = connect::<PacketConnection>("tpc://x").await.unwrap_err();
    assert!(matches!(error, ConnectError::Address(_)), "{error}");
}

#[tokio::test]
async fn a_command_cannot_be_listened_at() {
    let error = listener("exec:cat").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A child that says goodbye, reads to the end of its input, and then does something.
fn polite(then: &str) -> Command {
    shell(&format!(r"printf '\003\001\002\000\003\000\002\000'; cat >/dev/null; {then}"))
}

#[tokio::test]
async fn a_connection_to_a_child_has_ended_when_the_child_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("witness");
    let (stream, child) = Child::spawn(polite(&format!("echo done > {}; exit 7", path.display()))).unwrap();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        connection.closed().await.result.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "done\n");
        assert_eq!(child.wait().await.unwrap().code(), Some(7));
    })
    .await;
}

#[tokio::test]
async fn a_child_that_ignores_the_end_of_its_stream_is_killed() {
    let (stream, child) = Child::spawn(shell("exec sleep 1000")).unwrap();
    drop(stream);
    // Its time is up at once; only its death takes real time.
    tokio::time::pause();
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_secs(6)).await;
    tokio::time::resume();
    assert_eq!(in_time(child.wait()).await.unwrap().signal(), Some(9));
}

#[tokio::test]
async fn shutting_a_stream_down_twice_is_shutting_it_down() {
    let (mut stream, _child) = Child::spawn(shell("exec cat")).unwrap();
    in_time(async {
        stream.shutdown().await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_child_that_dies_ends_the_connection() {
    let stream = Stream::connect(&"exec:sh -c 'kill -9 $$'".parse::<Address>().unwrap()).await.unwrap();
    let connection = PacketConnection::builder().spawn(stream);
    let error = in_time(connection.submit(0, 0, "anybody there?")).await.unwrap_err();
    assert!(matches!(error, packetstream::CallError::Lost(_)), "{error:?}");
}

/// A stream of two halves in memory, the other ends of both, and how often it was shut down.
fn parts() -> (Stream, DuplexStream, DuplexStream, Arc<AtomicUsize>) {
    let (recv, their_send) = tokio::io::duplex(64);
    let (send, their_recv) = tokio::io::duplex(64);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let shutdown = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    (Stream::from_parts(recv, send, shutdown), their_send, their_recv, calls)
}

#[tokio::test]
async fn parts_are_a_stream_whose_shutdown_is_called_when_it_is_shut_down() {
    in_time(async {
        let (mut stream, mut their_send, mut their_recv, calls) = parts();
        their_send.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        stream.read_exact(&mut got).await.unwrap();
        stream.write_all(&got).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        stream.shutdown().await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        stream.shutdown().await.unwrap();
        drop(stream);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        let mut all = Vec::new();
        their_recv.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"ping");
    })
    .await;
}

#[tokio::test]
async fn parts_that_are_dropped_are_shut_down_once() {
    let (stream, _, _, calls) = parts();
    drop(stream);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_shuts_its_parts_down_once() {
    in_time(async {
        let (stream, mut their_send, mut their_recv, calls) = parts();
        let connection = PacketConnection::builder().spawn(stream);
        connection.close();
        their_send.write_all(b"\x03\x01\x02\x00\x03\x00\x02\x00").await.unwrap();
        let mut all = Vec::new();
        their_recv.read_to_end(&mut all).await.unwrap();
        connection.closed().await.result.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    })
    .await;
}
