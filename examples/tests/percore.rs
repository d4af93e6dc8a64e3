//! The program `percore`, seen from outside.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{Address, Bytes, Client, PacketConnection, Payload, Protocol, Request, Stream};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_percore");

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(1);

#[derive(Debug, Protocol)]
enum Echoing {
    #[request(0)]
    Echo(Echo),
}

#[derive(Debug, Request)]
#[request(reply = Echoed)]
struct Echo(#[request(rest)] Bytes);

#[derive(Debug, Payload)]
struct Echoed {
    socket: u64,
    #[payload(rest)]
    bytes: Bytes,
}

/// A server and where it listens.
async fn start(options: &[&str]) -> (Child, Address) {
    let mut server = Command::new(PROGRAM);
    server.args(["--listen", "127.0.0.1:0"]).args(options).stderr(Stdio::piped()).kill_on_drop(true);
    let mut server = server.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).await.unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
    (server, address)
}

/// Connects, asks some times, and says which socket the connection came by.
async fn came_by(address: &Address) -> u64 {
    let stream = Stream::connect(address).await.unwrap();
    let client = Client::<Echoing>::from(PacketConnection::builder().spawn(stream));
    let first = client.call(Echo(Bytes::from_static(b"first"))).await.unwrap();
    assert_eq!(first.bytes, b"first"[..]);
    for _ in 0..10 {
        let next = client.call(Echo(Bytes::from_static(b"next"))).await.unwrap();
        assert_eq!(
            (next.socket, &next.bytes[..]),
            (first.socket, &b"next"[..]),
            "a connection stays where it is"
        );
    }
    first.socket
}

/// Whether it ends well when it is told to.
async fn ends_well(mut server: Child) {
    let server_id = server.id().unwrap().to_string();
    let told = Command::new("kill").args(["-INT", &server_id]).status().await.unwrap();
    assert!(told.success());
    assert!(server.wait().await.unwrap().success());
}

#[tokio::test]
async fn connections_are_spread_over_the_sockets_and_stay_there() {
    let story = async {
        let (server, address) = start(&["--threads", "3"]).await;
        let mut sockets = BTreeSet::new();
        // The system deals by a hash of the ports: 100 connections miss one of three once in 10^17 runs.
        for _ in 0..100 {
            sockets.insert(came_by(&address).await);
        }
        assert_eq!(sockets, BTreeSet::from([0, 1, 2]));
        ends_well(server).await;
    };
    tokio::time::timeout(LIMIT, story).await.unwrap();
}

#[tokio::test]
async fn one_runtime_for_all_cores_has_one_socket() {
    let story = async {
        let (server, address) = start(&["--shared", "--threads", "2"]).await;
        for _ in 0..10 {
            assert_eq!(came_by(&address).await, 0);
        }
        ends_well(server).await;
    };
    tokio::time::timeout(LIMIT, story).await.unwrap();
}
