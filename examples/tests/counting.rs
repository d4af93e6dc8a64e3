//! The program `counting`, seen from outside: both of its halves, over a socket and as a child.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::process::Output;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_counting");

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(1);

fn asking(address: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["--connect", address, "--text", "to be or not to be", "to", "not", "be"])
        .kill_on_drop(true);
    command
}

/// Both sides have asked: the other one whether it may, before it answered.
const LINES: [&str; 6] =
    ["asked: count `to`?", "to: 2", "asked: count `not`?", "not: not counted", "asked: count `be`?", "be: 2"];

fn has_counted(output: Output) {
    let said = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said:?}");
    assert_eq!((said.0.lines().collect::<Vec<_>>(), said.1.as_str()), (LINES.to_vec(), ""));
}

#[tokio::test]
async fn both_ask_and_both_answer_on_one_connection_over_a_socket() {
    let mut server = Command::new(PROGRAM);
    server.args(["--listen", "tcp://127.0.0.1:0"]).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    let mut server = server.spawn().unwrap();
    let counted = async {
        let mut line = String::new();
        BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).await.unwrap();
        asking(line.trim().strip_prefix("listening on ").unwrap()).output().await.unwrap()
    };
    has_counted(tokio::time::timeout(LIMIT, counted).await.unwrap());
}

#[tokio::test]
async fn both_ask_and_both_answer_when_one_is_the_others_child() {
    let address = format!("exec:{PROGRAM} --listen stdio:");
    has_counted(tokio::time::timeout(LIMIT, asking(&address).output()).await.unwrap().unwrap());
}

#[tokio::test]
async fn a_child_that_cannot_count_is_one_line() {
    let failed = tokio::time::timeout(LIMIT, asking("exec:sh -c 'exit 3'").output()).await.unwrap().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(said.starts_with("counting: cannot have `to` counted: ") && said.lines().count() == 1, "{said}");
    assert!(said.contains("ended with status 3"), "{said}");
}
