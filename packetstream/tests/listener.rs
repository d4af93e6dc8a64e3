//! Listeners: sockets that others have made, and a stop that lets what was asked be answered.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::in_time;
use packetstream::{
    Address, ConnectionError, Incoming, Limits, Listener, PacketConnection, Peer, Reply, ServeError, Stream,
    connect,
};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

/// End of requests, end of stream.
const GOODBYE: &[u8] = b"\x03\x01\x02\x00\x03\x00\x02\x00";

async fn listener() -> (Listener, String) {
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_address().to_string();
    (listener, address)
}

/// A server whose handlers wait for permits, and what stops it.
struct Stoppable {
    serving: JoinHandle<Result<(), ServeError>>,
    stop: oneshot::Sender<()>,
    /// One for each request that has begun.
    begun: mpsc::UnboundedReceiver<()>,
    permits: Arc<Semaphore>,
}

fn serve(listener: Listener, close_timeout: Duration) -> Stoppable {
    let (stop, stopped) = oneshot::channel();
    let (begins, begun) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(0));
    let permitted = Arc::clone(&permits);
    let builder = move || {
        let (begins, permitted) = (begins.clone(), Arc::clone(&permitted));
        let answer = move |request: Incoming| {
            let (begins, permitted) = (begins.clone(), Arc::clone(&permitted));
            async move {
                begins.send(()).unwrap();
                permitted.acquire().await.unwrap().forget();
                Ok(Reply::from(request.payload))
            }
        };
        PacketConnection::builder().handler(answer).limits(Limits { close_timeout, ..Limits::default() })
    };
    let serving = tokio::spawn(listener.serve_until(builder, async { drop(stopped.await) }));
    Stoppable { serving, stop, begun, permits }
}

/// That the peer of a server is answered, and was therefore accepted.
async fn is_answered(server: &Stoppable, peer: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    server.permits.add_permits(1);
    peer.write_all(b"\x03\x02\x02\x01").await.unwrap();
    let mut answer = [0; 3];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\x02\x02\x04");
}

#[tokio::test]
async fn stopping_answers_what_was_asked_on_every_connection_and_accepts_no_more() {
    in_time(async {
        let (listener, address) = listener().await;
        let mut server = serve(listener, Limits::default().close_timeout);
        let [one, two] = [(); 2].map(async |()| connect::<PacketConnection>(&address).await.unwrap());
        let (one, two) = tokio::join!(one, two);
        let calls = [one.submit(0, 0, "first"), two.submit(0, 0, "second")];
        for _ in 0..2 {
            server.begun.recv().await.unwrap();
        }
        server.stop.send(()).unwrap();
        while TcpStream::connect(address.strip_prefix("tcp://").unwrap()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!server.serving.is_finished());
        server.permits.add_permits(2);
        for (call, answer) in calls.into_iter().zip(["first", "second"]) {
            assert_eq!(call.await.unwrap().payload, answer);
        }
        server.serving.await.unwrap().unwrap();
        one.closed().await.result.unwrap();
        two.closed().await.result.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_does_not_say_goodbye_is_waited_for_as_long_as_its_limits_say() {
    in_time(async {
        let (listener, address) = listener().await;
        let (failures, mut failed) = mpsc::unbounded_channel();
        let listener = listener.on_failed(move |peer, report| failures.send((peer, report.clone())).unwrap());
        let limit = Duration::from_millis(20);
        let server = serve(listener, limit);
        let mut silent = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).await.unwrap();
        is_answered(&server, &mut silent).await;
        server.stop.send(()).unwrap();
        server.serving.await.unwrap().unwrap();
        let (peer, report) = failed.recv().await.unwrap();
        assert_eq!(peer, Peer::Tcp(silent.local_addr().unwrap()));
        let waited = &report.result;
        assert!(matches!(waited, Err(ConnectionError::GoodbyeTimedOut(time)) if *time == limit), "{report}");
    })
    .await;
}

#[tokio::test]
async fn connections_that_fail_are_told_of_and_others_are_not() {
    in_time(async {
        let (listener, address) = listener().await;
        let (failures, mut failed) = mpsc::unbounded_channel();
        let listener = listener.on_failed(move |peer, report| failures.send((peer, report.clone())).unwrap());
        let server = serve(listener, Limits::default().close_timeout);
        let address = address.strip_prefix("tcp://").unwrap();

        let mut polite = TcpStream::connect(address).await.unwrap();
        polite.write_all(GOODBYE).await.unwrap();
        let mut said = Vec::new();
        polite.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, GOODBYE);

        let vanishing = TcpStream::connect(address).await.unwrap();
        let peer = Peer::Tcp(vanishing.local_addr().unwrap());
        drop(vanishing);
        let (who, report) = failed.recv().await.unwrap();
        assert_eq!(who, peer);
        assert!(matches!(report.result, Err(ConnectionError::NoGoodbye)), "{report}");

        server.stop.send(()).unwrap();
        server.serving.await.unwrap().unwrap();
        assert!(failed.recv().await.is_none());
    })
    .await;
}

/// A server of one end of a socket, by its number, and the other end.
async fn serve_one() -> (Stoppable, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let address = format!("fd:{}", theirs.as_raw_fd()).parse().unwrap();
    let listener = Listener::bind(&address).await.unwrap();
    assert_eq!(listener.local_address(), address);
    (serve(listener, Limits::default().close_timeout), ours)
}

#[tokio::test]
async fn serving_ends_with_the_only_connection_and_as_it_does() {
    in_time(async {
        let (server, mut peer) = serve_one().await;
        peer.write_all(GOODBYE).await.unwrap();
        server.serving.await.unwrap().unwrap();

        let (server, mut peer) = serve_one().await;
        peer.write_all(&[0xff; 11]).await.unwrap();
        let error = server.serving.await.unwrap().unwrap_err();
        assert!(matches!(error, ServeError::Connection(ConnectionError::Decode(_))), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn stopping_closes_the_only_connection() {
    in_time(async {
        let (server, mut peer) = serve_one().await;
        is_answered(&server, &mut peer).await;
        server.stop.send(()).unwrap();
        let mut goodbye = [0; GOODBYE.len()];
        peer.read_exact(&mut goodbye).await.unwrap();
        assert_eq!(goodbye, GOODBYE);
        assert!(!server.serving.is_finished(), "it waits for the peer's");
        peer.write_all(GOODBYE).await.unwrap();
        server.serving.await.unwrap().unwrap();
    })
    .await;
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn a_connection_that_fails_is_an_event() {
    in_time(async {
        let log = common::log::Log::new();
        let (server, peer) = serve_one().await;
        drop(peer);
        let error = server.serving.await.unwrap().unwrap_err();
        assert!(matches!(error, ServeError::Connection(ConnectionError::NoGoodbye)), "{error:?}");
        let text = log.text();
        let event = text.lines().find(|line| line.starts_with(" WARN packetstream::connection{peer=Unix(")).unwrap();
        let report = "connection failed report=ended by the transport: the stream ended without the peer's goodbye; 0 calls;";
        assert!(event.contains(report), "{text}");
    })
    .await;
}

#[tokio::test]
async fn dropping_a_server_drops_its_connections() {
    in_time(async {
        let (listener, address) = listener().await;
        let mut server = serve(listener, Limits::default().close_timeout);
        let client: PacketConnection = connect(&address).await.unwrap();
        let call = client.submit(0, 0, "never answered");
        server.begun.recv().await.unwrap();
        server.serving.abort();
        call.await.unwrap_err();
        client.closed().await.result.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn sockets_that_others_have_made_are_served_and_their_files_left() {
    in_time(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp_address = Address::Tcp(tcp.local_addr().unwrap().to_string());
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        for (listener, address) in [
            (Listener::from_fd(tcp).unwrap(), tcp_address),
            (Listener::from_fd(unix).unwrap(), Address::Unix(path.clone())),
        ] {
            assert_eq!(listener.local_address(), address);
            let server = serve(listener, Limits::default().close_timeout);
            server.permits.add_permits(1);
            let client: PacketConnection = connect(&address.to_string()).await.unwrap();
            assert_eq!(client.submit(0, 0, "there?").await.unwrap().payload, "there?");
            server.stop.send(()).unwrap();
            server.serving.await.unwrap().unwrap();
        }
        assert!(path.exists());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_listening_socket_is_refused() {
    let (recv, _send) = std::io::pipe().unwrap();
    Listener::from_fd(recv).unwrap_err();
    let (stream, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let error = Listener::from_fd(stream).unwrap_err();
    assert_eq!(error.to_string(), "nobody listens at the socket");
}

#[tokio::test]
async fn a_listener_may_be_made_from_one_of_tokio() {
    in_time(async {
        let directory = tempfile::tempdir().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let unix = UnixListener::bind(directory.path().join("socket")).unwrap();
        let mut listeners =
            [Listener::from_fd(tcp.into_std().unwrap()), Listener::from_fd(unix.into_std().unwrap())];
        for listener in &mut listeners {
            let listener = listener.as_mut().unwrap();
            let address = listener.local_address();
            let (accepted, connected) = tokio::join!(listener.accept(), Stream::connect(&address));
            connected.unwrap();
            accepted.unwrap().unwrap();
        }
    })
    .await;
}
