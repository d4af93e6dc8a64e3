//! The program `vault`, seen from outside: who gets in, who gets what, and what everybody is told.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

#[allow(dead_code, reason = "each test program uses a part")]
mod process;

use process::{Ended, Program, within};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;
use tokio::process::Command;

async fn run<const N: usize>(arguments: [&str; N]) -> Ended {
    start(arguments).ended().await
}

fn start<const N: usize>(arguments: [&str; N]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
    command.args(arguments);
    Program::start(command)
}

/// A directory with certificates of an authority of its own.
async fn certified() -> TempDir {
    let directory = TempDir::new().unwrap();
    let ended = run(["certify", path(&directory)]).await;
    assert_eq!(ended, said(0, "", ""));
    directory
}

fn path(directory: &TempDir) -> &str {
    directory.path().to_str().unwrap()
}

fn said(code: i32, stdout: &str, stderr: &str) -> Ended {
    Ended { code: Some(code), stdout: stdout.into(), stderr: stderr.into() }
}

/// A vault that serves with certificates of a directory, and its `host:port`.
async fn serving(directory: &TempDir) -> (Program, String) {
    let files = ["--certificates", path(directory), "--name", "server"];
    let [certificates, directory, name, server] = files;
    let mut vault = start(["serve", "--listen", "tcp://127.0.0.1:0", certificates, directory, name, server]);
    let address = vault.address().await;
    (vault, address.strip_prefix("tcp://").unwrap().to_owned())
}

/// What somebody gets who asks.
async fn ask<const N: usize>(at: &str, directory: &TempDir, name: &str, question: [&str; N]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
    command.args(["ask", "--connect", at, "--certificates", path(directory), "--name", name]);
    command.args(question);
    Program::start(command).ended().await
}

#[tokio::test]
async fn the_demo_shows_who_gets_what_and_who_is_not_let_in() {
    let Ended { code, stdout, stderr } = run(["demo"]).await;
    assert_eq!((code, &stderr[..]), (Some(0), ""), "{stdout}");
    let lines = [
        "alice has `1234` kept for `door`",
        "the vault asks: replace `door`? yes",
        "alice has `5678` kept for `door`",
        "bob has `cats` kept for `door`",
        "the vault asks: replace `door`? no",
        "bob: the peer answered not-ok: not replaced: its owner would not have it",
        "alice gets `5678` back",
        "bob gets `cats` back",
        "mallory: no answer to the request: cannot read from the peer: the peer refuses us: our certificate was issued by nobody whom it trusts",
        "  and the vault says: the peer's certificate was issued by nobody who is trusted here",
        "nobody: no answer to the request: cannot read from the peer: the peer refuses us: it wants a certificate and was shown none",
        "  and the vault says: the peer has shown no certificate",
        "carol: the peer's certificate was issued by nobody who is trusted here",
        "  and the vault says: the peer refuses us: our certificate was issued by nobody whom it trusts",
    ];
    assert_eq!(stdout.lines().collect::<Vec<_>>(), lines);
}

#[tokio::test]
async fn secrets_are_those_of_who_shows_the_certificate() {
    let directory = certified().await;
    let (vault, at) = serving(&directory).await;
    assert_eq!(ask(&at, &directory, "alice", ["keep", "door", "1234"]).await, said(0, "kept\n", ""));
    assert_eq!(ask(&at, &directory, "alice", ["fetch", "door"]).await, said(0, "1234\n", ""));
    assert_eq!(
        ask(&at, &directory, "bob", ["fetch", "door"]).await,
        said(1, "", "vault: the vault keeps nothing of that name for us\n")
    );

    let asked = |answer| format!("the vault asks: replace `door`? {answer}\n");
    let refused = "vault: the peer answered not-ok: not replaced: its owner would not have it\n";
    let kept = ask(&at, &directory, "alice", ["keep", "door", "5678"]).await;
    assert_eq!(kept, said(1, &asked("no"), refused));
    let kept = ask(&at, &directory, "alice", ["--replace", "keep", "door", "5678"]).await;
    assert_eq!(kept, said(0, &(asked("yes") + "kept\n"), ""));
    assert_eq!(ask(&at, &directory, "alice", ["fetch", "door"]).await, said(0, "5678\n", ""));

    vault.interrupt();
    assert_eq!(vault.ended().await, said(0, "", &format!("listening on tcp://{at}\n")));
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why_and_so_is_the_vault() {
    let (ours, theirs) = (certified().await, certified().await);
    let (vault, at) = serving(&ours).await;

    // Somebody with a certificate of theirs who has got hold of our authority's.
    fs::copy(ours.path().join("ca.pem"), theirs.path().join("ca.pem")).unwrap();
    let mallory = ask(&at, &theirs, "alice", ["fetch", "door"]).await;
    let refusal = "the peer refuses us: a signature of ours is wrong: our certificate was issued by another of that name, or is not our own";
    let said_of_call = format!("vault: no answer to the request: cannot read from the peer: {refusal}\n");
    assert_eq!(mallory, said(1, "", &said_of_call));

    let elsewhere = ask(&at.replace("127.0.0.1", "127.0.0.2"), &ours, "alice", ["fetch", "door"]).await;
    let refused = format!("vault: cannot connect to tcp://{}: ", at.replace("127.0.0.1", "127.0.0.2"));
    assert!(elsewhere.code == Some(1) && elsewhere.stderr.starts_with(&refused), "{elsewhere}");

    vault.interrupt();
    let Ended { code, stderr, .. } = vault.ended().await;
    let reasons = format!(
        "listening on tcp://{at}\nnot let in: 127.0.0.1: a signature of the peer's is wrong: its certificate was issued by another of that name, or is not its own\n"
    );
    assert_eq!((code, stderr), (Some(0), reasons));
}

#[tokio::test]
async fn a_key_is_for_its_owners_eyes_and_never_overwritten() {
    let directory = certified().await;
    let key = directory.path().join("alice.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&key).unwrap();
    let again = run(["certify", path(&directory)]).await;
    let expected = format!("vault: cannot write to {}: ", path(&directory));
    assert!(again.code == Some(1) && again.stderr.starts_with(&expected), "{again}");
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_missing_or_not_pem_is_named() {
    let directory = certified().await;
    let missing = within(ask("127.0.0.1:1", &directory, "carol", ["fetch", "door"])).await;
    let carol = Path::new(path(&directory)).join("carol.pem");
    let expected = format!("vault: cannot read {}: ", carol.display());
    assert!(missing.code == Some(1) && missing.stderr.starts_with(&expected), "{missing}");

    fs::write(directory.path().join("alice.key"), "no key").unwrap();
    let damaged = ask("127.0.0.1:1", &directory, "alice", ["fetch", "door"]).await;
    assert_eq!(damaged, said(1, "", "vault: bad private key: no items found\n"));
}
