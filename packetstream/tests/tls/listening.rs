//! Serving at an address within TLS.

use crate::common::in_time;
use crate::support::{Authority, listener, why};
use packetstream::tls::{Client, Session, TlsError};
use packetstream::{Address, Failure, Incoming, PacketConnection, Peer, Reply, Stream};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

/// Tells a client by what name and from where it is known.
async fn who(request: Incoming) -> Result<Reply, Failure> {
    let Some(session) = request.extensions().get::<Session>() else { return Err(Failure::new("nobody")) };
    let Some(Peer::Tcp(from)) = request.extensions().get::<Peer>().as_deref().copied() else {
        return Err(Failure::new("nowhere"));
    };
    Ok(Reply::from(format!("{} of {}", session.names().join(" "), from.ip())))
}

async fn ask(client: &Client, address: &Address) -> String {
    let Address::Tcp(host_and_port) = address else { panic!("{address}") };
    let stream = in_time(client.connect_to(host_and_port)).await.unwrap();
    let connection = PacketConnection::builder().spawn(stream);
    let reply = in_time(connection.submit(0, 0, "who am I?")).await.unwrap();
    connection.close();
    in_time(connection.closed()).await.result.unwrap();
    String::from_utf8(reply.payload.to_vec()).unwrap()
}

#[tokio::test]
async fn handlers_know_each_client_by_its_certificate() {
    let authority = Authority::new();
    let server = authority.shown_by("127.0.0.1", authority.server()).trust(authority.pem()).server().unwrap();
    let (listener, address) = listener().await;
    tokio::spawn(server.serve(listener, || PacketConnection::builder().handler(who)));
    for name in ["alice.example", "bob.example"] {
        let client = authority.shown_by(name, authority.client()).client().unwrap();
        assert_eq!(ask(&client, &address).await, format!("{name} of 127.0.0.1"));
    }
}

#[tokio::test]
async fn a_name_is_looked_up_and_verified() {
    let authority = Authority::new();
    let server = authority.shown_by("localhost", authority.server()).server().unwrap();
    let (listener, address) = listener().await;
    tokio::spawn(server.serve(listener, || PacketConnection::builder().handler(who)));
    let client = authority.client().client().unwrap();
    let by_name = Address::Tcp(address.to_string().replace("tcp://127.0.0.1", "localhost"));
    assert_eq!(ask(&client, &by_name).await, " of 127.0.0.1");

    let Address::Tcp(by_address) = address else { panic!("{address}") };
    assert_eq!(
        why(in_time(client.connect_to(&by_address)).await),
        "the peer's certificate is for localhost, not for `127.0.0.1`"
    );
}

#[tokio::test]
async fn an_address_of_the_sixth_version_is_verified_without_its_brackets() {
    let authority = Authority::new();
    let server = authority.shown_by("::1", authority.server()).server().unwrap();
    let listener = packetstream::Listener::bind(&"tcp://[::1]:0".parse().unwrap()).await.unwrap();
    let Address::Tcp(address) = listener.local_address() else { panic!("{listener:?}") };
    tokio::spawn(server.serve(listener, PacketConnection::builder));
    in_time(authority.client().client().unwrap().connect_to(&address)).await.unwrap();
}

#[tokio::test]
async fn clients_that_are_slow_or_are_refused_do_not_hold_others_up() {
    let authority = Authority::new();
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = authority.shown_by("127.0.0.1", authority.server()).trust(authority.pem()).server().unwrap();
    let server = server.on_failed(move |peer, error| tell.send((peer, error.to_string())).unwrap());
    let (listener, address) = listener().await;
    tokio::spawn(server.serve(listener, || PacketConnection::builder().handler(who)));

    let slow = Stream::connect(&address).await.unwrap();
    let mut plain = Stream::connect(&address).await.unwrap();
    in_time(tokio::io::AsyncWriteExt::write_all(&mut plain, b"\x03\x01\x02\x00\x03\x00\x02\x00"))
        .await
        .unwrap();
    let (peer, error) = in_time(told.recv()).await.unwrap();
    assert!(matches!(peer, Peer::Tcp(_)), "{peer:?}");
    assert_eq!(error, "the peer does not speak TLS");
    let mut alert = Vec::new();
    in_time(plain.read_to_end(&mut alert)).await.unwrap();
    assert_eq!(alert.first(), Some(&21), "an alert");

    let client = authority.shown_by("alice.example", authority.client()).client().unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&client, &address).await, "alice.example of 127.0.0.1");
    }
    drop(slow);
    let (_, error) = in_time(told.recv()).await.unwrap();
    assert_eq!(error, "the peer ended the stream within the handshake");
}

#[tokio::test]
async fn what_is_no_address_and_what_is_no_name_is_told() {
    let client = Authority::new().client().client().unwrap();
    let error = in_time(client.connect_to("server.example")).await;
    assert_eq!(why(error), "missing port in `tcp://server.example`: expected tcp://host:port");
    let error = in_time(client.connect(Stream::pair(1).0, "no name!")).await;
    assert!(matches!(error, Err(TlsError::ServerName(_))), "{error:?}");
    assert_eq!(why(error), "`no name!` is neither a host name nor an address");

    let (listener, address) = listener().await;
    drop(listener);
    let Address::Tcp(host_and_port) = &address else { panic!("{address}") };
    let error = in_time(client.connect_to(host_and_port)).await;
    assert!(why(error).starts_with(&format!("cannot connect to {address}: ")));
}
