//! Children that end in every way, and what whoever talks to them is told.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use common::in_time;
use packetstream::{Child, ChildEnded, ConnectionError, PacketConnection, Stderr, Stream};
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn spawn(script: &str) -> (Stream, Child) {
    Child::spawn(shell(script)).unwrap()
}

fn spawn_and_keep(script: &str) -> Stream {
    Child::spawn_with(shell(script), Stderr::Keep(1000)).unwrap().0
}

/// What a stream to a child fails with.
fn ended(error: &io::Error) -> ChildEnded {
    ChildEnded::find_in(error).unwrap_or_else(|| panic!("{error:?}")).clone()
}

#[tokio::test]
async fn a_signal_that_ends_a_child_is_named_by_the_read_behind_its_last_byte() {
    in_time(async {
        let (mut stream, child) = spawn("printf last; kill -9 $$");
        let mut said = Vec::new();
        let error = stream.read_to_end(&mut said).await.unwrap_err();
        assert_eq!(said, b"last");
        assert_eq!(error.to_string(), format!("child {} was ended by signal 9 (SIGKILL)", child.id()));
        assert_eq!(ended(&error).status.signal(), Some(9));
        let again = stream.read_u8().await.unwrap_err();
        assert_eq!(ended(&again), ended(&error));
        assert_eq!(child.wait().await.unwrap().signal(), Some(9));
    })
    .await;
}

#[tokio::test]
async fn a_status_other_than_zero_is_an_error_and_zero_the_end() {
    in_time(async {
        let (mut stream, child) = spawn("exit 3");
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.to_string(), format!("child {} ended with status 3", child.id()));

        let (mut stream, _child) = spawn("exit 0");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn writing_to_a_child_that_is_gone_names_what_ended_it() {
    in_time(async {
        let (mut stream, child) = spawn("kill -15 $$");
        child.wait().await.unwrap();
        for _ in 0..2 {
            let error = stream.write_all(b"anybody there?").await.unwrap_err();
            assert_eq!((error.kind(), ended(&error).status.signal()), (io::ErrorKind::BrokenPipe, Some(15)));
        }

        let (mut stream, child) = spawn("exit 0");
        child.wait().await.unwrap();
        let error = stream.write_all(b"anybody there?").await.unwrap_err();
        assert_eq!((error.kind(), ChildEnded::find_in(&error)), (io::ErrorKind::BrokenPipe, None));
    })
    .await;
}

#[tokio::test]
async fn shutting_down_waits_for_the_child_and_says_how_it_ended() {
    in_time(async {
        let (mut stream, _child) = spawn("cat >/dev/null; exit 7");
        for _ in 0..2 {
            let error = stream.shutdown().await.unwrap_err();
            assert_eq!(ended(&error).status.code(), Some(7));
        }
        let (mut stream, _child) = spawn("cat >/dev/null");
        stream.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_child_that_closes_its_output_and_goes_on_has_not_failed() {
    in_time(async {
        let (mut stream, child) = spawn("exec >&-; cat >/dev/null; exit 4");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        let begun = Instant::now();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert!(begun.elapsed() < Duration::from_millis(900), "its status is waited for but once");
        stream.write_all(b"still there").await.unwrap();
        drop(stream);
        assert_eq!(child.wait().await.unwrap().code(), Some(4));
    })
    .await;
}

#[tokio::test]
async fn a_connection_says_what_ended_its_child() {
    in_time(async {
        let (stream, child) = spawn("head -c 7 >/dev/null; kill -11 $$");
        let connection = PacketConnection::builder().spawn(stream);
        let error = connection.submit(0, 0, "a question").await.unwrap_err();
        assert_eq!(ChildEnded::find_in(&error).unwrap().pid, child.id());
        let error = connection.closed().await.result.unwrap_err();
        assert!(matches!(error, ConnectionError::Read(_) | ConnectionError::Write(_)), "{error:?}");
        assert_eq!(ChildEnded::find_in(&error).unwrap().status.signal(), Some(11));
    })
    .await;
}

#[tokio::test]
async fn how_a_child_ends_behind_a_goodbye_is_part_of_the_report() {
    in_time(async {
        let goodbye = r"printf '\003\001\002\000\003\000\002\000'; cat >/dev/null";
        let report = PacketConnection::builder().spawn(spawn(&format!("{goodbye}; exit 7")).0).closed().await;
        assert!(report.result.is_ok(), "{report}");
        assert_eq!(ended(report.shut_down.as_deref().unwrap()).status.code(), Some(7));

        let report = PacketConnection::builder().spawn(spawn(goodbye).0).closed().await;
        assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    })
    .await;
}

#[tokio::test]
async fn the_last_words_are_part_of_the_error() {
    in_time(async {
        let error = spawn_and_keep("echo one >&2; echo two >&2; exit 1").read_u8().await.unwrap_err();
        let ended = ended(&error);
        assert_eq!(ended.stderr, "one\ntwo\n");
        assert_eq!(error.to_string(), format!("child {} ended with status 1: two", ended.pid));
    })
    .await;
}

#[tokio::test]
async fn no_more_of_the_last_words_is_kept_than_was_asked_for() {
    in_time(async {
        let error = spawn_and_keep("head -c 300000 /dev/zero | tr '\\0' x >&2; printf end >&2; exit 1")
            .read_u8()
            .await
            .unwrap_err();
        assert_eq!(ended(&error).stderr, format!("{}end", "x".repeat(997)));
    })
    .await;
}

#[tokio::test]
async fn last_words_are_not_waited_for_while_a_grandchild_may_say_more() {
    in_time(async {
        let mut stream = spawn_and_keep("sleep 600 >/dev/null & echo $!; echo mine >&2; exit 5");
        let mut said = Vec::new();
        let error = stream.read_to_end(&mut said).await.unwrap_err();
        let grandchild = String::from_utf8(said).unwrap().trim().parse().unwrap();
        // It is still there, or there would be nobody to be killed.
        kill_process(Pid::from_raw(grandchild).unwrap(), Signal::KILL).unwrap();
        assert_eq!(ended(&error).stderr, "mine\n");
    })
    .await;
}

#[cfg(feature = "tracing")]
mod traced {
    use super::*;
    use common::log::Log;

    /// What is logged of a child that ends with status 1, and its error.
    async fn logged(script: &str) -> (String, ChildEnded) {
        let log = Log::new();
        let (mut stream, _child) = Child::spawn_with(shell(script), Stderr::Trace).unwrap();
        let error = in_time(stream.read_u8()).await.unwrap_err();
        (log.text(), ended(&error))
    }

    fn event(child: &ChildEnded, line: &str) -> String {
        format!(" INFO packetstream::child: {line} pid={}\n", child.pid)
    }

    #[tokio::test]
    async fn each_line_of_standard_error_is_an_event() {
        let (log, child) = logged(r"printf 'one\r\n\n\033[31mtwo\nthree' >&2; exit 1").await;
        let lines = ["one", "", r"\u{1b}[31mtwo", "three"];
        assert_eq!(log, lines.map(|line| event(&child, line)).concat());
        assert_eq!(child.stderr, "one\r\n\n\u{1b}[31mtwo\nthree");
    }

    #[tokio::test]
    async fn a_line_is_cut_where_it_is_too_long() {
        let (log, child) =
            logged(r"head -c 100000 /dev/zero | tr '\0' x >&2; printf '\nnext\n' >&2; exit 1").await;
        let cut = format!("{}…", "x".repeat(4096));
        assert_eq!(log, event(&child, &cut) + &event(&child, "next"));
        assert_eq!(child.stderr.len(), 1024);
    }
}

/// Whether the system knows a process by this number, as a zombie or otherwise.
fn exists(pid: u32) -> bool {
    std::fs::exists(format!("/proc/{pid}")).unwrap()
}

#[test]
fn a_runtime_that_shuts_down_leaves_neither_a_child_nor_a_zombie() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (stream, child) = runtime.block_on(async { spawn("exec sleep 1000") });
    assert!(exists(child.id()));
    drop(runtime);
    assert!(!exists(child.id()));
    drop(stream);
}
