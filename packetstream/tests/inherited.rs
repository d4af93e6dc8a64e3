//! What a program is started with: its standard input and output, descriptors by number, sockets of systemd.
//!
//! Started with the argument `serve` it is that program, which answers every request with its payload reversed; with
//! `threads` it is one without a runtime.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use common::in_time;
use libtest_mimic::{Arguments, Failed, Trial};
use packetstream::{
    Bytes, Child, ConnectError, Incoming, Listener, PacketConnection, Peer, Reply, Stream, TcpOptions,
    blocking,
};
use std::env;
use std::error::Error;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{ExitCode, Stdio};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", ref addresses @ ..] => program(addresses),
        ["threads", ref addresses @ ..] => program_on_threads(addresses),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    fn trial<F: Future<Output = ()> + 'static>(name: &str, test: fn() -> F) -> Trial {
        let run = move || -> Result<(), Failed> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(in_time(test()));
            Ok(())
        };
        Trial::test(name, run)
    }
    vec![
        trial("no_stray_print_reaches_the_stream", no_stray_print_reaches_the_stream),
        trial("no_stray_print_reaches_a_stream_on_threads", no_stray_print_reaches_a_stream_on_threads),
        trial("descriptors_and_sockets_of_systemd_are_had_without_a_runtime", without_a_runtime),
        trial("standard_output_is_put_back", standard_output_is_put_back),
        trial("standard_output_is_taken_once", standard_output_is_taken_once),
        trial("a_socket_is_had_by_its_number", a_socket_is_had_by_its_number),
        trial("two_pipes_are_had_by_their_numbers", two_pipes_are_had_by_their_numbers),
        trial("a_descriptor_that_is_not_open_is_named", a_descriptor_that_is_not_open_is_named),
        trial("sockets_of_systemd_are_had_by_name", sockets_of_systemd_are_had_by_name),
        trial("the_first_socket_of_systemd_has_no_need_of_a_name", the_first_socket_of_systemd),
        trial("sockets_for_another_process_are_not_taken", sockets_for_another_process_are_not_taken),
        trial("a_socket_that_systemd_has_not_passed_is_named", a_missing_socket_is_named),
        trial("a_socket_of_systemd_cannot_be_connected_to", a_socket_of_systemd_cannot_be_connected_to),
    ]
}

// The program

/// Serves at each address, one connection each, and prints meanwhile what it should not.
fn program(addresses: &[&str]) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = addresses.iter().try_for_each(|address| runtime.block_on(serve_one(address)));
    println!("served");
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("{error}{cause}");
            ExitCode::from(9)
        }
    }
}

async fn serve_one(address: &str) -> Result<(), io::Error> {
    let mut listener = Listener::bind(&address.parse().unwrap()).await?;
    println!("stray: listening");
    if address == "stdio:" {
        let error = Stream::connect(&"stdio:".parse().unwrap()).await.unwrap_err();
        let ConnectError::Io { source, .. } = error else { panic!("{error:?}") };
        println!("stray: {source}");
    }
    let stream = listener.accept().await?.unwrap();
    println!("stray: from {:?}", stream.peer());
    let reverse = async |request: Incoming| {
        println!("stray: a line");
        print!("stray: no line, ");
        let child =
            std::process::Command::new("sh").args(["-c", "echo stray: a child; cat"]).status().unwrap();
        println!("stray: {child}");
        Ok(Reply::from(request.payload.iter().rev().copied().collect::<Bytes>()))
    };
    let ended = PacketConnection::builder().handler(reverse).serve(stream).await;
    print!("stray: the beginning of a line, ");
    ended.report.result.unwrap();
    Ok(())
}

/// The same without a runtime.
fn program_on_threads(addresses: &[&str]) -> ExitCode {
    for address in addresses {
        let mut listener = blocking::Listener::bind(&address.parse().unwrap()).unwrap();
        println!("stray: listening");
        let stream = listener.accept().unwrap().unwrap();
        let reverse = async |request: Incoming| {
            println!("stray: a line");
            Ok(Reply::from(request.payload.iter().rev().copied().collect::<Bytes>()))
        };
        let ended = blocking::serve(PacketConnection::builder().handler(reverse), stream).unwrap();
        ended.report.result.unwrap();
    }
    println!("served");
    ExitCode::SUCCESS
}

fn this_program(addresses: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("serve").args(addresses);
    command
}

/// This program, run by a shell that does `redirections` first and is systemd to it, too.
fn by_shell(redirections: &str, addresses: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!(r#"LISTEN_PID=$$ exec "$0" serve "$@" {redirections}"#);
    command.args(["-c", &script]).arg(env::current_exe().unwrap()).args(addresses).env_remove("LISTEN_FDS");
    command.kill_on_drop(true);
    command
}

/// Has a conversation, and returns the stream with what was read behind it already.
async fn converse(stream: Stream) -> (Stream, Bytes) {
    let (connection, driver) = PacketConnection::builder().build(stream);
    let ask = async {
        for question in ["abc", "", "another one"] {
            let answer = connection.submit(3, 0, question).await.unwrap();
            assert_eq!(answer.payload, question.bytes().rev().collect::<Vec<_>>());
        }
        connection.close();
    };
    let (ended, ()) = tokio::join!(driver.run(), ask);
    ended.report.result.unwrap();
    (ended.transport, ended.unread)
}

/// Has a conversation, and returns what comes behind it, to the end of the stream.
async fn converse_to_the_end(stream: Stream) -> String {
    let (mut stream, unread) = converse(stream).await;
    let mut rest = unread.to_vec();
    stream.read_to_end(&mut rest).await.unwrap();
    String::from_utf8(rest).unwrap()
}

/// A file, and a place to write into it for somebody else.
fn file() -> (File, Stdio) {
    let file = tempfile::tempfile().unwrap();
    let other = file.try_clone().unwrap();
    (file, other.into())
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

// Standard input and output

async fn no_stray_print_reaches_the_stream() {
    let (stderr, place) = file();
    let mut command = this_program(&["stdio:"]);
    command.stderr(place);
    let (stream, child) = Child::spawn(command).unwrap();
    let rest = converse_to_the_end(stream).await;
    assert_eq!(rest, "served\n", "only what was printed when the stream was gone");
    assert!(child.wait().await.unwrap().success());

    let text = text(stderr);
    // That of the child is not what comes from a buffer.
    assert_eq!(text.matches("stray: a line\n").count(), 3, "{text}");
    assert_eq!(text.matches("stray: a child\n").count(), 3, "{text}");
    assert_eq!(text.matches("stray: exit status: 0\n").count(), 3, "its input is empty: {text}");
    assert!(text.lines().last().unwrap().ends_with("stray: the beginning of a line, "), "{text}");
}

async fn no_stray_print_reaches_a_stream_on_threads() {
    let (stderr, place) = file();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["threads", "stdio:"]).stderr(place);
    let (stream, child) = Child::spawn(command).unwrap();
    assert_eq!(converse_to_the_end(stream).await, "served\n");
    assert!(child.wait().await.unwrap().success());
    let text = text(stderr);
    assert_eq!(text.matches("stray: a line\n").count(), 3, "{text}");
}

async fn without_a_runtime() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listening.local_addr().unwrap();
    // The socket is the first that systemd may pass, which is number 3.
    let script =
        r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" threads fd:4 systemd: 3<&0 4<&1 >/dev/null </dev/null"#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(env::current_exe().unwrap()).kill_on_drop(true);
    command.stdin(OwnedFd::from(listening)).stdout(OwnedFd::from(theirs));
    let mut child = command.spawn().unwrap();
    drop(command);
    converse(Stream::from_fd(ours).unwrap()).await;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    converse(Stream::tcp(stream, TcpOptions::default()).unwrap()).await;
    assert!(child.wait().await.unwrap().success());
}

async fn standard_output_is_put_back() {
    // Not a pipe, where its end would be that of the stream.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let theirs = OwnedFd::from(theirs);
    let mut command = this_program(&["stdio:", "stdio:"]);
    command.stdin(theirs.try_clone().unwrap()).stdout(theirs).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    let (stream, unread) = converse(Stream::from_fd(ours).unwrap()).await;
    assert_eq!(unread, "", "nothing is printed in between");
    assert_eq!(converse_to_the_end(stream).await, "served\n");
    assert!(child.wait().await.unwrap().success());
}

async fn standard_output_is_taken_once() {
    let (stderr, place) = file();
    let mut command = this_program(&["stdio:"]);
    command.stderr(place);
    let (stream, child) = Child::spawn(command).unwrap();
    let _stream = converse(stream).await;
    assert!(child.wait().await.unwrap().success());
    let text = text(stderr);
    let refusal = "stray: another stream has this program's standard input and output";
    assert!(text.lines().any(|line| line == refusal), "{text}");
}

// Descriptors by number

async fn a_socket_is_had_by_its_number() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (stdout, place) = file();
    let mut command = by_shell("3<&0 </dev/null", &["fd:3"]);
    let mut child = command.stdin(OwnedFd::from(theirs)).stdout(place).spawn().unwrap();
    drop(command);
    let stream = Stream::from_fd(ours).unwrap();
    assert!(matches!(stream.peer(), Peer::Unix(Some(_))), "{stream:?}");
    assert_eq!(converse_to_the_end(stream).await, "");
    assert!(child.wait().await.unwrap().success());
    let text = text(stdout);
    assert!(text.contains("stray: from Unix(Some("), "{text}");
}

async fn two_pipes_are_had_by_their_numbers() {
    let (their_recv, our_send) = io::pipe().unwrap();
    let (our_recv, their_send) = io::pipe().unwrap();
    let mut command = by_shell("4<&0 5>&1 </dev/null >/dev/null", &["fd:4,5"]);
    let mut child = command.stdin(their_recv).stdout(their_send).spawn().unwrap();
    drop(command);
    assert_eq!(converse_to_the_end(Stream::from_fds(our_recv, our_send).unwrap()).await, "");
    assert!(child.wait().await.unwrap().success());
}

async fn a_descriptor_that_is_not_open_is_named() {
    for address in ["fd:77", "fd:4294967295"] {
        let output = by_shell("", &[address]).output().await.unwrap();
        let number = address.strip_prefix("fd:").unwrap();
        let error = format!("cannot duplicate descriptor {number}: Bad file descriptor (os error 9)\n");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), error);
    }
}

// Sockets of systemd

/// A listening TCP socket, and a stream to it.
fn tcp() -> (Stdio, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (OwnedFd::from(listener).into(), Stream::from_fd(client).unwrap())
}

async fn sockets_of_systemd_are_had_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let unix = OwnedFd::from(UnixListener::bind(&path).unwrap());
    let over_unix = Stream::from_fd(UnixStream::connect(&path).unwrap()).unwrap();
    let (tcp, over_tcp) = tcp();

    let mut command = by_shell("3<&0 4<&1 </dev/null >&2", &["systemd:tcp", "systemd:unix"]);
    command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", "unix:tcp");
    let mut child = command.stdin(unix).stdout(tcp).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    converse(over_tcp).await;
    converse(over_unix).await;
    assert!(child.wait().await.unwrap().success());
    assert!(path.exists(), "the file is not the program's to remove");
}

async fn the_first_socket_of_systemd() {
    let (tcp, over_tcp) = tcp();
    let mut command = by_shell("3<&0 </dev/null", &["systemd:"]);
    command.env("LISTEN_FDS", "1").stdin(tcp).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    converse(over_tcp).await;
    assert!(child.wait().await.unwrap().success());
}

/// What the program says that is given one socket, named `web`.
async fn refusal(mut command: Command) -> String {
    command.env("LISTEN_FDNAMES", "web").env("LISTEN_FDS", "1").stdin(tcp().0);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(9));
    String::from_utf8(output.stderr).unwrap()
}

async fn sockets_for_another_process_are_not_taken() {
    let mut command = this_program(&["systemd:web"]);
    command.env("LISTEN_PID", "1");
    assert_eq!(refusal(command).await, "systemd has passed no socket named `web`\n");
}

async fn a_missing_socket_is_named() {
    let command = by_shell("3<&0 </dev/null", &["systemd:other"]);
    let error = "none is left of the sockets named `other`: systemd has passed 1, `web`\n";
    assert_eq!(refusal(command).await, error);
}

async fn a_socket_of_systemd_cannot_be_connected_to() {
    let error = Stream::connect(&"systemd:".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "a socket of systemd can be listened at, not connected to"
    );
}
