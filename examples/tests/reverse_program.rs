//! The program `reverse`, seen from outside: what it prints, how it exits, what it does to its
//! descriptors, and what peers can do to it that are nothing but bytes.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod process;

use process::{Ended, Program, reverse, within};
use rustix::fs::{OFlags, fcntl_getfl};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

/// The first request of `reverse`: type 1, flags 0x55, payload 02 03.
const REQUEST: &[u8] = b"\x06\x02\x82\x56\x02\x02\x03";
/// The right answer to it: ok, flags 0x11, payload 03 02.
const ANSWER: &[u8] = b"\x05\x02\x81\x0c\x03\x02";
/// End of requests, end of stream.
const GOODBYE: &[u8] = b"\x03\x01\x02\x00\x03\x00\x02\x00";

// Listening

#[tokio::test]
async fn a_server_says_which_port_it_has_picked_and_nothing_else() {
    let mut server = listen("tcp://127.0.0.1:0");
    let address = server.address().await;
    let port = address.strip_prefix("tcp://127.0.0.1:").unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);

    connect(&address).await.converses().await;
    server.interrupt();
    ends(server, 0, &format!("listening on {address}")).await;
}

#[tokio::test]
async fn the_socket_file_is_there_until_the_server_is_interrupted() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("socket");
    let address = format!("unix:{}", path.display());
    let mut server = listen(&address);
    assert_eq!(server.address().await, address);

    Peer(UnixStream::connect(&path).await.unwrap()).converses().await;
    assert!(path.exists());
    server.interrupt();
    ends(server, 0, &format!("listening on {address}")).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_server_can_be_interrupted_as_soon_as_it_says_where_it_listens() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("socket");
    let address = format!("unix:{}", path.display());
    let mut server = listen(&address);
    server.address().await;
    server.interrupt();
    ends(server, 0, &format!("listening on {address}")).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_file_that_nobody_listens_at_is_replaced() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());

    let mut server = listen(&format!("unix:{}", path.display()));
    server.address().await;
    Peer(UnixStream::connect(&path).await.unwrap()).converses().await;
}

#[tokio::test]
async fn connections_are_served_side_by_side() {
    let mut server = listen("tcp://127.0.0.1:0");
    let address = server.address().await;
    let (mut slow, quick) = (connect(&address).await, connect(&address).await);
    let (first_half, second_half) = REQUEST.split_at(3);
    slow.says(first_half).await;
    quick.converses().await;
    connect(&address).await.converses().await;
    slow.says(second_half).await;
    slow.hears(ANSWER).await;
}

#[tokio::test]
async fn several_askers_are_all_answered() {
    let mut server = listen("tcp://127.0.0.1:0");
    let address = server.address().await;
    let ask = || Program::start(reverse(["--connect", &address, "--count", "300"]));
    for asker in [ask(), ask(), ask()] {
        ends(asker, 0, "300 requests, 16 in flight: all answered").await;
    }
}

#[tokio::test]
async fn a_peer_that_talks_nonsense_does_not_touch_the_others() {
    let mut server = listen("tcp://127.0.0.1:0");
    let address = server.address().await;
    let mut patient = connect(&address).await;
    patient.asks().await;

    let mut other = connect(&address).await;
    other.says(&[0xff; 11]).await;
    other.hears(b"\x03\x00\x02\x00").await;
    other.hears_no_more().await;
    drop(connect(&address).await);

    patient.says(GOODBYE).await;
    patient.hears(GOODBYE).await;
    connect(&address).await.converses().await;
    server.interrupt();
    ends(server, 0, &format!("listening on {address}")).await;
}

// Listening at standard input and output

#[tokio::test]
async fn over_pipes_the_bytes_are_those_of_the_protocol_and_a_goodbye_ends_well() {
    let (server, mut peer) = listen_at_pipes();
    peer.says(REQUEST).await;
    peer.hears(ANSWER).await;
    peer.says(GOODBYE).await;
    peer.hears(GOODBYE).await;
    peer.hears_no_more().await;
    ends_silently(server).await;
}

#[tokio::test]
async fn over_files_the_whole_conversation_is_carried() {
    let megabyte = vec![b'x'; 1 << 20];
    let request = [&b"\xc0\x80\x03\x02\x02\x02"[..], &megabyte, GOODBYE].concat();
    let answer = [&b"\xc0\x80\x03\x02\x81\x0c"[..], &megabyte, GOODBYE].concat();
    let directory = TempDir::new().unwrap();
    let (input, output) = (directory.path().join("input"), directory.path().join("output"));
    std::fs::write(&input, request).unwrap();
    let server = Program::start_over(
        reverse(["--listen", "stdio:"]),
        File::open(input).unwrap(),
        File::create(&output).unwrap(),
    );
    ends_silently(server).await;
    let said = std::fs::read(output).unwrap();
    assert!(said == answer, "{} of {} bytes", said.len(), answer.len());
}

#[tokio::test]
async fn input_that_ends_without_a_goodbye_is_an_error() {
    let (server, Peer(stream)) = listen_at_pipes();
    let (hears, says) = stream.into_inner();
    drop(says);
    fails(server, "the connection failed: the stream ended without the peer's goodbye").await;
    drop(hears);
}

#[tokio::test]
async fn input_that_ends_inside_a_packet_is_an_error() {
    let (server, mut peer) = listen_at_pipes();
    peer.says(&REQUEST[..3]).await;
    drop(peer);
    fails(
        server,
        "the connection failed: malformed packet stream: stream ended inside a packet, 3 bytes into it",
    )
    .await;
}

#[tokio::test]
async fn input_that_is_no_packet_stream_is_an_error_and_the_peer_is_told_of_the_end() {
    let (server, mut peer) = listen_at_pipes();
    peer.says(&[0xff; 11]).await;
    peer.hears(b"\x03\x00\x02\x00").await;
    let line = "the connection failed: malformed packet stream: bad length prefix of a packet: \
                number exceeds 64 bits";
    fails(server, line).await;
}

#[tokio::test]
async fn output_that_nobody_reads_any_more_is_an_error() {
    let (server, Peer(stream)) = listen_at_pipes();
    let (hears, mut says) = stream.into_inner();
    drop(hears);
    says.write_all(REQUEST).await.unwrap();
    fails(server, "the connection failed: cannot write to the peer: Broken pipe (os error 32)").await;
}

/// That descriptors which a server of standard input and output was given are non-blocking while it
/// serves, and afterwards as they were. What `end` returns is kept until then.
async fn descriptors_are_put_back<K>(end: impl AsyncFnOnce(&Program, Peer<Pipes>) -> K, code: i32) {
    let (input, says) = io::pipe().unwrap();
    let (hears, output) = io::pipe().unwrap();
    let flags = || [fcntl_getfl(input.as_fd()).unwrap(), fcntl_getfl(output.as_fd()).unwrap()];
    let before = flags();
    let given = (input.try_clone().unwrap(), output.try_clone().unwrap());
    let server = Program::start_over(reverse(["--listen", "stdio:"]), given.0, given.1);

    let mut peer = Peer(pipes(hears, says));
    peer.asks().await;
    assert_eq!(flags().map(|flags| flags.contains(OFlags::NONBLOCK)), [true, true]);
    let _kept = end(&server, peer).await;
    assert_eq!(server.ended().await.code, Some(code));
    assert_eq!(flags(), before);
}

#[tokio::test]
async fn descriptors_are_put_back_after_a_goodbye() {
    descriptors_are_put_back(
        async |_, mut peer| {
            peer.says(GOODBYE).await;
            peer.hears(GOODBYE).await;
        },
        0,
    )
    .await;
}

#[tokio::test]
async fn descriptors_are_put_back_after_a_connection_that_was_cut() {
    descriptors_are_put_back(async |_, peer| drop(peer), 1).await;
}

#[tokio::test]
async fn descriptors_are_put_back_after_an_interrupt() {
    descriptors_are_put_back(
        async |server, mut peer| {
            server.interrupt();
            peer.hears(GOODBYE).await;
            peer.says(GOODBYE).await;
            peer
        },
        0,
    )
    .await;
}

// Asking

#[tokio::test]
async fn an_asker_begins_with_the_request_of_the_protocol_s_description_and_closes_after_the_answer() {
    let (asker, mut peer) = ask().await;
    peer.hears(REQUEST).await;
    peer.says(ANSWER).await;
    peer.hears(GOODBYE).await;
    peer.says(GOODBYE).await;
    peer.hears_no_more().await;
    ends(asker, 0, "1 requests, 16 in flight: all answered").await;
}

#[tokio::test]
async fn an_asker_answers_the_goodbye_of_a_server_that_closes_first() {
    let (asker, mut peer) = ask().await;
    peer.hears(REQUEST).await;
    peer.says(&[ANSWER, GOODBYE].concat()).await;
    peer.hears(GOODBYE).await;
    peer.hears_no_more().await;
    ends(asker, 0, "1 requests, 16 in flight: all answered").await;
}

#[tokio::test]
async fn an_asker_starts_the_command_of_its_address() {
    let address = format!("exec:{} --listen stdio:", env!("CARGO_BIN_EXE_reverse"));
    let asker = Program::start(reverse(["--connect", &address, "--count", "300", "--in-flight", "256"]));
    ends(asker, 0, "300 requests, 256 in flight: all answered").await;
}

#[tokio::test]
async fn a_command_that_does_not_talk_is_an_error() {
    let asker = Program::start(reverse(["--connect", "exec:true"]));
    let Ended { code, stdout, stderr } = asker.ended().await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    // Whether reading or writing is the first to fail is open.
    assert!(is_line(&stderr) && stderr.starts_with("reverse: request 0 failed: no answer"), "{stderr}");
}

#[tokio::test]
async fn wrong_flags_are_an_error() {
    gives_up_at(b"\x05\x02\x81\x04\x03\x02", "request 0 was answered with flags 0x10, not 0x11").await;
}

#[tokio::test]
async fn a_wrong_payload_is_an_error() {
    gives_up_at(b"\x05\x02\x81\x0c\x02\x03", "request 0 was not answered with its payload reversed").await;
}

#[tokio::test]
async fn an_answer_that_is_not_ok_is_an_error_on_one_line() {
    let line = r"request 0 failed: the peer answered not-ok: not\nnow (flags 0x11)";
    gives_up_at(b"\x0a\x02\x81\x08not\nnow", line).await;
}

#[tokio::test]
async fn a_goodbye_before_the_answer_is_an_error() {
    gives_up_at(GOODBYE, "request 0 failed: no answer to the request: the peer closed the connection").await;
}

#[tokio::test]
async fn answers_that_are_no_packet_stream_are_an_error() {
    let line = "request 0 failed: no answer to the request: malformed packet stream: \
                bad length prefix of a packet: number exceeds 64 bits";
    gives_up_at(&[0xff; 11], line).await;
}

#[tokio::test]
async fn a_server_that_speaks_another_protocol_is_an_error() {
    let (asker, mut peer) = ask().await;
    peer.hears(REQUEST).await;
    peer.says(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    drop(peer);
    let line = "request 0 failed: no answer to the request: malformed packet stream: \
                stream ended inside a packet, 28 bytes into it";
    fails(asker, line).await;
}

#[tokio::test]
async fn a_connection_that_is_dropped_before_the_answer_is_an_error() {
    let (asker, mut peer) = ask().await;
    peer.hears(REQUEST).await;
    drop(peer);
    let line = "request 0 failed: no answer to the request: the stream ended without the peer's goodbye";
    fails(asker, line).await;
}

#[tokio::test]
async fn a_connection_that_is_reset_is_an_error() {
    let (asker, Peer(stream)) = ask().await;
    // To close with something unread is to reset.
    within(stream.peek(&mut [0])).await.unwrap();
    drop(stream);
    let line = "request 0 failed: no answer to the request: cannot read from the peer: \
                Connection reset by peer (os error 104)";
    fails(asker, line).await;
}

#[tokio::test]
async fn a_connection_that_is_dropped_instead_of_a_goodbye_is_an_error() {
    let (asker, mut peer) = ask().await;
    peer.hears(REQUEST).await;
    peer.says(ANSWER).await;
    peer.hears(GOODBYE).await;
    drop(peer);
    fails(asker, "the connection did not end well: the stream ended without the peer's goodbye").await;
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_waited_for_no_longer_than_is_said() {
    gives_up_at(b"", "request 0 was not answered within 1s").await;
}

#[tokio::test]
async fn an_answer_to_another_request_is_none() {
    gives_up_at(b"\x05\x03\x81\x0c\x03\x02", "request 0 was not answered within 1s").await;
}

#[tokio::test]
async fn a_peer_that_stops_inside_its_answer_is_waited_for_no_longer_than_is_said() {
    gives_up_at(&ANSWER[..4], "request 0 was not answered within 1s").await;
}

#[tokio::test]
async fn a_peer_that_does_not_say_goodbye_is_waited_for_no_longer_than_is_said() {
    let line = "the connection did not end well: no goodbye from the peer within 1s";
    gives_up_at(ANSWER, line).await;
}

// Addresses

#[tokio::test]
async fn an_address_where_nobody_listens_is_an_error() {
    // Bound and not listening, so that nobody else can.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = format!("tcp://{}", socket.local_addr().unwrap());
    let asker = Program::start(reverse(["--connect", &address]));
    fails(asker, &format!("cannot connect to {address}: Connection refused (os error 111)")).await;

    let (_directory, path) = nowhere();
    let address = format!("unix:{}", path.display());
    let asker = Program::start(reverse(["--connect", &address]));
    fails(asker, &format!("cannot connect to {address}: No such file or directory (os error 2)")).await;

    let address = format!("exec:{}", path.display());
    let asker = Program::start(reverse(["--connect", &address]));
    fails(asker, &format!("cannot connect to {address}: No such file or directory (os error 2)")).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    fails(listen(&address), &format!("cannot listen on {address}: Address already in use (os error 98)"))
        .await;
}

#[tokio::test]
async fn a_socket_file_that_somebody_listens_at_and_any_other_file_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let (socket, file) = (directory.path().join("socket"), directory.path().join("file"));
    let listener = UnixListener::bind(&socket).unwrap();
    std::fs::write(&file, "precious").unwrap();
    for path in [&socket, &file] {
        let address = format!("unix:{}", path.display());
        fails(listen(&address), &format!("cannot listen on {address}: Address already in use (os error 98)"))
            .await;
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    UnixStream::connect(&socket).await.unwrap();
    drop(listener);
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_at_is_an_error() {
    let (_directory, path) = nowhere();
    let address = format!("unix:{}", path.display());
    fails(listen(&address), &format!("cannot listen on {address}: No such file or directory (os error 2)"))
        .await;
    let line = "cannot listen on exec:cat: a command can be connected to, not listened at";
    fails(listen("exec:cat"), line).await;
}

#[tokio::test]
async fn a_command_line_that_is_wrong_is_an_error_that_says_where() {
    for (arguments, error) in [
        (&["--listen", "tcp://localhost"][..], "missing port in `tcp://localhost`: expected tcp://host:port"),
        (&["--connect", "localhost:80"], "unknown kind of address `localhost:80`: expected tcp://host:port"),
        (&["--connect", "stdio:", "--in-flight", "0"], "invalid value '0' for '--in-flight"),
        (&["--connect", "stdio:", "--patience", "0"], "invalid value '0' for '--patience"),
        (&["--connect", "stdio:", "--listen", "stdio:"], "cannot be used with"),
        (&["--listen", "stdio:", "--patience", "1"], "cannot be used with"),
        (&[], "required arguments"),
    ] {
        let Ended { code, stdout, stderr } = Program::start(reverse(arguments)).ended().await;
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        let first_line = stderr.lines().next().unwrap_or_default();
        assert!(first_line.starts_with("error: ") && first_line.contains(error), "{arguments:?}: {stderr}");
    }
}

// What the tests have in common

/// The other end of a connection of `reverse`, which says and expects bytes.
struct Peer<S>(S);

type Pipes = tokio::io::Join<pipe::Receiver, pipe::Sender>;

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    async fn says(&mut self, bytes: &[u8]) {
        within(self.0.write_all(bytes)).await.unwrap();
    }

    async fn hears(&mut self, bytes: &[u8]) {
        let mut heard = vec![0; bytes.len()];
        within(self.0.read_exact(&mut heard)).await.unwrap();
        assert_eq!(heard, bytes);
    }

    async fn hears_no_more(&mut self) {
        let mut rest = Vec::new();
        within(self.0.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest, b"");
    }

    async fn asks(&mut self) {
        self.says(REQUEST).await;
        self.hears(ANSWER).await;
    }

    /// A whole conversation.
    async fn converses(mut self) {
        self.asks().await;
        self.says(GOODBYE).await;
        self.hears(GOODBYE).await;
        self.hears_no_more().await;
    }
}

fn pipes(hears: io::PipeReader, says: io::PipeWriter) -> Pipes {
    let hears = pipe::Receiver::from_owned_fd(hears.into()).unwrap();
    let says = pipe::Sender::from_owned_fd(says.into()).unwrap();
    tokio::io::join(hears, says)
}

fn listen(address: &str) -> Program {
    Program::start(reverse(["--listen", address]))
}

fn listen_at_pipes() -> (Program, Peer<Pipes>) {
    let (input, says) = io::pipe().unwrap();
    let (hears, output) = io::pipe().unwrap();
    let server = Program::start_over(reverse(["--listen", "stdio:"]), input, output);
    (server, Peer(pipes(hears, says)))
}

async fn connect(address: &str) -> Peer<TcpStream> {
    let address = address.strip_prefix("tcp://").unwrap();
    Peer(within(TcpStream::connect(address)).await.unwrap())
}

/// An asker of one request, impatient, and its server.
async fn ask() -> (Program, Peer<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let asker = Program::start(reverse(["--connect", &address, "--count", "1", "--patience", "1"]));
    let (stream, _) = within(listener.accept()).await.unwrap();
    (asker, Peer(stream))
}

/// That an asker whose only request is answered with `answer`, and nothing after it, fails with `line`.
async fn gives_up_at(answer: &[u8], line: &str) {
    let (asker, mut peer) = ask().await;
    peer.hears(REQUEST).await;
    peer.says(answer).await;
    fails(asker, line).await;
}

/// A path in a directory that does not exist.
fn nowhere() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("missing").join("file");
    (directory, path)
}

async fn fails(program: Program, line: &str) {
    ends(program, 1, &format!("reverse: {line}")).await;
}

async fn ends_silently(program: Program) {
    let nothing = Ended { code: Some(0), stdout: String::new(), stderr: String::new() };
    assert_eq!(program.ended().await, nothing);
}

/// That a program has said `line` and nothing else when it ends.
async fn ends(program: Program, code: i32, line: &str) {
    let said = Ended { code: Some(code), stdout: String::new(), stderr: format!("{line}\n") };
    assert_eq!(program.ended().await, said);
}

fn is_line(text: &str) -> bool {
    text.ends_with('\n') && text.lines().count() == 1
}
