//! Connections within TLS.

use crate::common::in_time;
use crate::support::{Authority, listener, shaken, why};
use packetstream::tls::TlsError;
use packetstream::{
    Bytes, CallError, ConnectionError, Failure, Incoming, Limits, PacketConnection, Peer, Reply, Stream,
};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Answers with the payload as it came.
async fn echo(request: Incoming) -> Result<Reply, Failure> {
    Ok(Reply::from(request.payload))
}

/// Both sides of a connection within TLS, which answer each other.
async fn pair() -> (PacketConnection, PacketConnection) {
    let (client, server) = Authority::new().mutual();
    let (here, there) = shaken(&client, &server).await;
    let connection = |stream| PacketConnection::builder().handler(echo).spawn(stream);
    (connection(here), connection(there))
}

#[tokio::test]
async fn both_sides_ask_and_both_sides_close() {
    let (client, server) = pair().await;
    in_time(async {
        for side in [&client, &server] {
            assert_eq!(side.submit(0, 0, "ping").await.unwrap().payload, "ping");
        }
        client.close();
        client.closed().await.result.unwrap();
        server.closed().await.result.unwrap();
    })
    .await;
}

#[tokio::test]
async fn over_tcp_too_nothing_is_wrong_with_the_end() {
    let (client, server) = Authority::new().mutual();
    let (mut listener, address) = listener().await;
    for closes_first in [true, false].repeat(10) {
        let opening = async { tokio::join!(Stream::connect(&address), listener.accept()) };
        let (here, there) = in_time(opening).await;
        let (here, there) = (here.unwrap(), there.unwrap().unwrap());
        let handshakes = async { tokio::join!(client.connect(here, "server.example"), server.accept(there)) };
        let (here, there) = in_time(handshakes).await;
        let client = PacketConnection::builder().handler(echo).spawn(here.unwrap());
        let server = PacketConnection::builder().handler(echo).spawn(there.unwrap());
        in_time(client.submit(0, 0, "ping")).await.unwrap();
        if closes_first { &client } else { &server }.close();
        for side in [client, server] {
            let report = in_time(side.closed()).await;
            report.result.unwrap();
            assert!(report.shut_down.is_none(), "{:?}", report.shut_down);
        }
    }
}

#[tokio::test]
async fn ten_mebibytes_go_both_ways_at_once() {
    let (client, server) = pair().await;
    let payload = (0..10_u32 << 18).flat_map(u32::to_be_bytes).collect::<Bytes>();
    in_time(async {
        let there = client.submit(0, 0, payload.clone());
        let back = server.submit(0, 0, payload.clone());
        assert!(there.await.unwrap().payload == payload);
        assert!(back.await.unwrap().payload == payload);
    })
    .await;
}

#[tokio::test]
async fn a_narrow_stream_carries_tls() {
    let (client, server) = Authority::new().mutual();
    // It has to hold what one side writes while the other one does not read: a `close_notify`.
    let (here, there) = Stream::pair(32);
    in_time(async {
        let (here, there) = tokio::join!(client.connect(here, "server.example"), server.accept(there));
        let server = PacketConnection::builder().handler(echo).spawn(there.unwrap());
        let client = PacketConnection::builder().spawn(here.unwrap());
        assert_eq!(client.submit(0, 0, "ping").await.unwrap().payload, "ping");
        drop(client);
        server.closed().await.result.unwrap();
    })
    .await;
}

#[tokio::test]
async fn both_ends_know_each_others_certificate_and_who_carries_the_stream() {
    let authority = Authority::new();
    let (client, server) = authority.mutual();
    let (here, there) = shaken(&client, &server).await;
    for (stream, name) in [(&here, "server.example"), (&there, "client.example")] {
        let session = stream.tls().unwrap();
        assert_eq!(session.names(), [name]);
        assert_eq!(session.alpn(), Some(&b"packetstream/1"[..]));
        assert_eq!(session.certificates().len(), 1);
        assert_eq!(stream.peer(), Peer::Memory);
    }

    let server = authority.server().server().unwrap();
    let (here, there) = shaken(&client, &server).await;
    assert_eq!(here.tls().unwrap().names(), ["server.example"]);
    assert_eq!(there.tls().unwrap().certificates().len(), 0, "it has not asked for one");
    assert!(there.tls().unwrap().names().is_empty());
    assert!(Stream::pair(1).0.tls().is_none());
}

#[tokio::test]
async fn shutting_a_stream_down_is_told_to_the_peer() {
    let (client, server) = Authority::new().mutual();
    let (mut here, mut there) = shaken(&client, &server).await;
    in_time(async {
        here.write_all(b"all of it").await.unwrap();
        here.shutdown().await.unwrap();
        let mut got = Vec::new();
        there.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"all of it");
    })
    .await;
}

/// End of requests, end of stream.
const GOODBYE: &[u8] = b"\x03\x01\x02\x00\x03\x00\x02\x00";

/// A connection whose peer sends `bytes` and is gone, without a word of TLS.
async fn peer_that_vanishes_after(bytes: &[u8]) -> PacketConnection {
    let (client, server) = Authority::new().mutual();
    let (mut here, there) = shaken(&client, &server).await;
    let connection = PacketConnection::builder().spawn(there);
    in_time(here.write_all(bytes)).await.unwrap();
    in_time(here.flush()).await.unwrap();
    connection
}

#[tokio::test]
async fn a_missing_close_notify_after_the_peers_last_packet_is_harmless() {
    let connection = peer_that_vanishes_after(GOODBYE).await;
    in_time(connection.closed()).await.result.unwrap();
}

#[tokio::test]
async fn a_stream_that_is_cut_short_is_told_from_one_that_ended() {
    let connection = peer_that_vanishes_after(b"").await;
    let error = in_time(connection.closed()).await.result.unwrap_err();
    let ConnectionError::Read(cause) = &error else { panic!("{error:?}") };
    assert_eq!(cause.kind(), io::ErrorKind::UnexpectedEof);
    assert!(matches!(cause.get_ref().unwrap().downcast_ref(), Some(TlsError::CutShort)));
    assert_eq!(
        why::<()>(Err(error)),
        "cannot read from the peer: the stream was cut short: it ended without `close_notify`"
    );

    let (client, server) = Authority::new().mutual();
    let (mut here, there) = shaken(&client, &server).await;
    let connection = PacketConnection::builder().spawn(there);
    in_time(here.shutdown()).await.unwrap();
    let ended = in_time(connection.closed()).await.result;
    assert!(matches!(ended, Err(ConnectionError::NoGoodbye)), "{ended:?}");
}

#[tokio::test]
async fn a_peer_that_stops_reading_is_noticed_within_tls_as_without() {
    let (client, server) = Authority::new().mutual();
    let (here, there) = shaken(&client, &server).await;
    // The clock has to stand while the handshake is done, which takes real time.
    tokio::time::pause();
    let limits = Limits::default();
    let connection = PacketConnection::builder().spawn(there);
    let error = in_time(connection.submit(0, 0, vec![0; 1 << 20])).await.unwrap_err();
    let CallError::Lost(ConnectionError::WriteStalled { limit, .. }) = error else { panic!("{error:?}") };
    assert_eq!(limit, limits.stall_timeout);
    drop(here);
}
