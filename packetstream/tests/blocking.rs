//! Typed requests on plain threads: clients, services and their contracts, streams by address.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{protocol, refusal};
use packetstream::blocking::{self, Child, ConnectError, Listener, Stream};
use packetstream::{
    Address, Context, Failure, Fulfil, Handler, Incoming, NotSent, PacketConnection, Peer, Protocol, Reply,
    Request, RequestError, serve,
};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The bound on every test.
fn in_time<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    let test = thread::spawn(move || {
        let result = test();
        // Whoever waited has given up.
        let _ = done.send(result);
    });
    match result.recv_timeout(Duration::from_mins(1)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => std::panic::resume_unwind(test.join().unwrap_err()),
    }
}

/// Two sides of one connection, each with its handler.
fn pair(here: impl Handler, there: impl Handler) -> (blocking::PacketConnection, blocking::PacketConnection) {
    let (a, b) = UnixStream::pair().unwrap();
    let spawn = |stream, builder| blocking::spawn(builder, stream).unwrap();
    (
        spawn(a, PacketConnection::builder().handler(here)),
        spawn(b, PacketConnection::builder().handler(there)),
    )
}

async fn nothing(_: Incoming) -> packetstream::Outcome {
    Err(Failure::new("nothing is served"))
}

// Asking

#[derive(Debug, Request)]
#[request(reply = u64)]
struct Double(u64);

#[derive(Debug, Protocol)]
#[packetstream(client = CalcClient)]
enum Calc {
    #[request(0)]
    Double(Double),
}

/// Asks back to add each number to itself.
struct Server;

impl Fulfil<Double> for Server {
    async fn fulfil(&self, Double(n): Double, cx: Context) -> Result<u64, Failure> {
        let sum = cx.peer::<blocking::Client<Sums>>().call(Add { a: n, b: n });
        sum.map_err(|error| Failure::new(format!("cannot add: {error}")))
    }
}

#[derive(Debug, Request)]
#[request(reply = u64)]
struct Add {
    a: u64,
    b: u64,
}

protocol!(Sums { 3 => Add });

struct Adder;

impl Fulfil<Add> for Adder {
    async fn fulfil(&self, Add { a, b }: Add, _: Context) -> Result<u64, Failure> {
        a.checked_add(b).ok_or_else(|| Failure::new("too large"))
    }
}

#[test]
fn clients_of_both_kinds_ask_and_handlers_ask_back() {
    in_time(|| {
        let (connection, _peer) = pair(serve::<Sums, _>(Adder), serve::<Calc, _>(Server));
        let client = blocking::Client::<Calc>::from(connection.clone());
        assert_eq!(client.call(Double(21)).unwrap(), 42);
        let generated = connection.client::<CalcClient>();
        assert_eq!(generated.double(Double(4)).wait().unwrap(), 8);
        let calls = [1, 2, 3].map(|n| client.submit(Double(n)));
        assert_eq!(calls.map(|call| call.wait().unwrap()), [2, 4, 6]);
        let error = refusal(client.call(Double(u64::MAX)));
        assert_eq!(error, "cannot add: the peer answered not-ok: too large");
    });
}

#[test]
fn typed_calls_are_refused_inside_a_runtime() {
    in_time(|| {
        let (connection, _peer) = pair(serve::<Sums, _>(Adder), serve::<Calc, _>(Server));
        let client = blocking::Client::<Calc>::from(connection.clone());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let error = client.call(Double(1)).unwrap_err();
            assert!(matches!(error, RequestError::NotSent(NotSent::InsideRuntime)), "{error:?}");
            let error = client.submit(Double(1)).wait().unwrap_err();
            assert!(matches!(error, RequestError::InsideRuntime), "{error:?}");
            let refused = blocking::connect::<CalcClient>("unix:/nowhere").unwrap_err();
            assert!(matches!(refused, ConnectError::Spawn(_)), "{refused:?}");
            let mut listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
            listener.accept().unwrap_err();
            listener.serve(PacketConnection::builder).unwrap_err();
        });
        drop(runtime);
        assert_eq!(client.call(Double(1)).unwrap(), 2, "it lives on");
    });
}

// Contracts

const SHORT: Duration = Duration::from_millis(100);

#[derive(Debug, Request)]
#[request(reply = u64, ordered)]
struct Ordered(u64);

#[derive(Debug, Request)]
#[request(reply = u64, timeout = "100ms")]
struct Quick(u64);

#[derive(Debug, Request)]
#[request(reply = u64, timeout = "100ms", concurrency = 1, blocking)]
struct QuickBlocking(u64);

#[derive(Debug, Request)]
#[request(reply = u64, blocking)]
struct Blocking(u64);

protocol!(Lab { 0 => Ordered, 1 => Quick, 2 => QuickBlocking, 3 => Blocking });

struct Bench {
    order: Arc<Mutex<Vec<u64>>>,
    begun: Sender<Arc<Context>>,
    end: Arc<Mutex<Receiver<()>>>,
}

impl Fulfil<Ordered> for Bench {
    async fn fulfil(&self, Ordered(number): Ordered, _: Context) -> Result<u64, Failure> {
        self.order.lock().unwrap().push(number);
        Ok(number)
    }
}

impl Fulfil<Quick> for Bench {
    async fn fulfil(&self, _: Quick, _: Context) -> Result<u64, Failure> {
        std::future::pending().await
    }
}

impl Fulfil<QuickBlocking> for Bench {
    async fn fulfil(&self, QuickBlocking(number): QuickBlocking, cx: Context) -> Result<u64, Failure> {
        self.begun.send(Arc::new(cx)).unwrap();
        self.end.lock().unwrap().recv().unwrap();
        Ok(number)
    }
}

impl Fulfil<Blocking> for Bench {
    async fn fulfil(&self, Blocking(number): Blocking, _: Context) -> Result<u64, Failure> {
        match number {
            0 => panic!("as the test wants"),
            number => Ok(number),
        }
    }
}

type Benched = (blocking::Client<Lab>, Arc<Mutex<Vec<u64>>>, Receiver<Arc<Context>>, Sender<()>);

fn bench() -> Benched {
    let order = Arc::default();
    let (begun, begins) = mpsc::channel();
    let (end, ends) = mpsc::channel();
    let bench = Bench { order: Arc::clone(&order), begun, end: Arc::new(Mutex::new(ends)) };
    let (connection, peer) = pair(nothing, serve::<Lab, _>(bench));
    // It lives as long as the connection it is kept with.
    connection.extensions().insert(peer);
    (connection.into(), order, begins, end)
}

#[test]
fn ordered_requests_are_performed_in_the_order_of_arrival_whichever_threads_come_first() {
    in_time(|| {
        for _ in 0..20 {
            let (lab, order, ..) = bench();
            let calls: Vec<_> = (0..100).map(|n| lab.submit(Ordered(n))).collect();
            for call in calls {
                call.wait().unwrap();
            }
            assert!(order.lock().unwrap().iter().copied().eq(0..100), "{order:?}");
        }
    });
}

#[test]
fn a_handler_that_waits_too_long_is_dropped() {
    in_time(|| {
        let (lab, ..) = bench();
        let start = Instant::now();
        assert_eq!(refusal(lab.call(Quick(1))), "not done within 100ms");
        assert!(start.elapsed() >= SHORT);
    });
}

#[test]
fn a_handler_that_blocks_too_long_goes_on_and_keeps_its_place_until_it_ends() {
    in_time(|| {
        let (lab, _, begins, end) = bench();
        assert_eq!(refusal(lab.call(QuickBlocking(1))), "not done within 100ms");
        let cx = begins.recv().unwrap();
        assert!(cx.is_cancelled());
        assert_eq!(refusal(lab.call(QuickBlocking(2))), "busy: at most 1 of `QuickBlocking` at once");
        end.send(()).unwrap();
        end.send(()).unwrap();
        // The place is free some time after the handler has been told to end.
        let third = loop {
            match lab.call(QuickBlocking(3)) {
                Err(RequestError::Refused(failure)) if failure.is_busy() => thread::yield_now(),
                result => break result,
            }
        };
        assert_eq!(third.unwrap(), 3);
    });
}

#[test]
fn a_blocking_handler_that_panics_is_one_failure() {
    in_time(|| {
        let (lab, ..) = bench();
        assert_eq!(refusal(lab.call(Blocking(0))), "exception during handler");
        assert_eq!(lab.call(Blocking(7)).unwrap(), 7);
    });
}

// Streams

/// Answers with who asks.
async fn whoami(request: Incoming) -> packetstream::Outcome {
    let peer = request.extensions().get::<Peer>().unwrap();
    Ok(Reply::from(packetstream::Bytes::from(format!("{peer:?}").into_bytes())))
}

fn listen(address: &str) -> Address {
    let listener = Listener::bind(&address.parse().unwrap()).unwrap();
    let address = listener.local_address();
    // It serves until the test program ends.
    thread::spawn(move || listener.serve(|| PacketConnection::builder().handler(whoami)));
    address
}

#[test]
fn a_listener_serves_each_peer_that_comes_over_tcp() {
    in_time(|| {
        let address = listen("tcp://127.0.0.1:0").to_string();
        let connections =
            [(); 3].map(|()| blocking::connect::<blocking::PacketConnection>(&address).unwrap());
        for connection in connections {
            let reply = connection.call(0, 0, "").unwrap();
            assert!(reply.payload.starts_with(b"Tcp(127.0.0.1:"), "{reply:?}");
            connection.close();
            let report = connection.closed().unwrap();
            assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
        }
    });
}

#[test]
fn a_listener_serves_each_peer_that_comes_over_a_unix_socket_and_knows_it() {
    in_time(|| {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let address = listen(&format!("unix:{}", path.display())).to_string();
        let connection: blocking::PacketConnection = blocking::connect(&address).unwrap();
        let reply = connection.call(0, 0, "").unwrap();
        let me = format!("pid: Some({})", std::process::id());
        assert!(String::from_utf8_lossy(&reply.payload).contains(&me), "{reply:?}");
    });
}

#[test]
fn connecting_in_vain_says_where_to() {
    let error = blocking::connect::<blocking::PacketConnection>("unix:/nowhere/socket").unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to unix:/nowhere/socket");
}

fn shell(script: &str) -> (Stream, Child) {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Child::spawn(command).unwrap()
}

#[test]
fn a_child_is_a_peer_and_the_report_tells_how_it_ended() {
    in_time(|| {
        // Its answer to our goodbye is our goodbye.
        let (stream, child) = shell("cat; exit 3");
        let connection = blocking::spawn(PacketConnection::builder(), stream).unwrap();
        connection.close();
        let report = connection.closed().unwrap();
        report.result.unwrap();
        assert_eq!(report.shut_down.unwrap().to_string(), "the child has ended with exit status: 3");
        assert_eq!(child.wait().unwrap().code(), Some(3));
    });
}

#[test]
fn a_child_that_does_not_end_with_its_input_is_killed() {
    in_time(|| {
        let (stream, child) = shell("exec sleep 1000");
        let start = Instant::now();
        let connection = blocking::spawn(PacketConnection::builder(), stream).unwrap();
        connection.abort();
        let report = connection.closed().unwrap();
        assert!(start.elapsed() < Duration::from_secs(20));
        assert!(report.shut_down.unwrap().to_string().contains("signal: 9"), "{:?}", report.result);
        assert!(!child.wait().unwrap().success());
    });
}

#[test]
fn a_child_whose_stream_is_dropped_ends() {
    in_time(|| {
        let (stream, child) = shell("cat");
        drop(stream);
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn all_that_asks_at_once_is_answered_at_once() {
    in_time(|| {
        let all = Arc::new(Barrier::new(2));
        let handler = move |_: Incoming| {
            let all = Arc::clone(&all);
            async move {
                all.wait();
                Ok(Reply::default())
            }
        };
        let (connection, _peer) = pair(nothing, handler);
        let calls = [0, 1].map(|n| connection.submit(n, 0, ""));
        for call in calls {
            call.wait().unwrap();
        }
    });
}
