//! Who is at the other end: what a stream tells, and what handlers find.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::in_time;
use packetstream::{
    Address, CallError, Child, Failure, Incoming, Listener, NotSent, PacketConnection, Peer, Reply, Stream,
    connect,
};
use std::os::unix::fs::MetadataExt;
use std::process;
use tokio::process::Command;

/// A listener, and both ends of a stream to it.
async fn accepted(address: &str) -> (Listener, Stream, Stream) {
    let mut listener = Listener::bind(&address.parse().unwrap()).await.unwrap();
    let address = listener.local_address();
    let (theirs, ours) = in_time(async { tokio::join!(listener.accept(), Stream::connect(&address)) }).await;
    (listener, ours.unwrap(), theirs.unwrap().unwrap())
}

#[tokio::test]
async fn a_tcp_peer_is_an_address() {
    let (listener, ours, theirs) = accepted("tcp://127.0.0.1:0").await;
    let Peer::Tcp(server) = ours.peer() else { panic!("{ours:?}") };
    assert_eq!(Address::Tcp(server.to_string()), listener.local_address());
    let Peer::Tcp(client) = theirs.peer() else { panic!("{theirs:?}") };
    assert!(client.ip().is_loopback() && client.port() != server.port(), "{client}");
}

#[tokio::test]
async fn a_unix_peer_is_a_process_of_somebody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let (_listener, ours, theirs) = accepted(&format!("unix:{}", path.display())).await;
    let owner = std::fs::metadata(&path).unwrap();
    for stream in [ours, theirs] {
        let Peer::Unix(Some(peer)) = stream.peer() else { panic!("{stream:?}") };
        assert_eq!(peer.uid, owner.uid());
        assert!(peer.pid.is_none_or(|pid| pid == process::id()), "{peer:?}");
    }
}

#[tokio::test]
async fn a_child_is_a_process() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$; exec cat"]);
    let (mut stream, _child) = Child::spawn(command).unwrap();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(&mut stream);
    in_time(tokio::io::AsyncBufReadExt::read_line(&mut reader, &mut line)).await.unwrap();
    assert_eq!(stream.peer(), Peer::Child { pid: line.trim().parse().unwrap() });
}

#[tokio::test]
async fn a_stream_in_memory_has_its_peer_in_this_process_and_others_are_not_known() {
    let (here, there) = Stream::pair(64);
    assert_eq!((here.peer(), there.peer()), (Peer::Memory, Peer::Memory));
    assert_eq!(Stream::new(tokio::io::empty()).peer(), Peer::Other);
}

#[tokio::test]
async fn handlers_of_a_listener_and_clients_find_their_peer() {
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_address();
    let tell = async |request: Incoming| match request.extensions().get::<Peer>().as_deref() {
        Some(Peer::Tcp(client)) => Ok(Reply::from(client.to_string())),
        other => Err(Failure::new(format!("{other:?}"))),
    };
    tokio::spawn(listener.serve(move || PacketConnection::builder().handler(tell)));
    let mut clients = Vec::new();
    for _ in 0..2 {
        let connection: PacketConnection = connect(&address.to_string()).await.unwrap();
        let Some(Peer::Tcp(server)) = connection.extensions().get().as_deref().copied() else { panic!() };
        assert_eq!(Address::Tcp(server.to_string()), address);
        let reply = in_time(connection.submit(0, 0, "who am I?")).await.unwrap();
        clients.push(String::from_utf8(reply.payload.to_vec()).unwrap());
    }
    assert_ne!(clients[0], clients[1]);
}

#[tokio::test]
async fn what_is_asked_of_a_child_that_has_died_names_its_cause() {
    let stream = Stream::connect(&"exec:sh -c 'exit 3'".parse().unwrap()).await.unwrap();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(connection.closed()).await.result.unwrap_err();
    for _ in 0..2 {
        let error = in_time(connection.submit(0, 0, "anybody there?")).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Lost(_))), "{error:?}");
    }
}
