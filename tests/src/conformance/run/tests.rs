//! A suite that cannot fail shows nothing: programs that do something else are found out.

use super::*;
use packetstream::{Incoming, Outcome, PacketConnection, Reply};
use std::path::PathBuf;
use tempfile::TempDir;

const CASE: &str =
    "## 1 A request is answered\nrules: R-1\n> [02 82 56 02 02 03]\n< [02 81 0c 03 02]\ngoodbye\n";

/// An address, for as long as its directory lives.
fn address() -> (TempDir, Address) {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("server");
    (directory, Address::Unix(path))
}

fn target(server: &Address) -> Target {
    let patience = Duration::from_millis(500);
    Target { server: Some(server.clone()), asker: None, patience, piece: None }
}

/// What comes of a case with a peer that says these bytes when it has heard something, and is then as it is said.
async fn against(text: &str, says: &'static [u8], stay: bool) -> Result<(), Failure> {
    let (_directory, address) = address();
    let mut listener = Listener::bind(&address).await.unwrap();
    let server = tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().unwrap();
        stream.read_buf(&mut Vec::new()).await.unwrap();
        stream.write_all(says).await.unwrap();
        if stay {
            std::future::pending::<()>().await;
        }
    });
    let case = Case::parse_all("a.cases", text).unwrap().remove(0);
    let result = run(&case, &target(&address)).await.unwrap();
    server.abort();
    result
}

/// How the case fails then, but for where.
async fn failure(says: &'static [u8], stay: bool) -> String {
    against(CASE, says, stay).await.unwrap_err().to_string()
}

const ANSWER: &[u8] = &[5, 2, 0x81, 0x0c, 3, 2];
/// The answer and a goodbye.
const ALL: &[u8] = &[5, 2, 0x81, 0x0c, 3, 2, 3, 1, 2, 0, 3, 0, 2, 0];

#[tokio::test]
async fn a_program_that_keeps_the_rules_passes() {
    against(CASE, ALL, false).await.unwrap();
}

#[tokio::test]
async fn a_word_behind_its_eof_fails_whatever_it_is() {
    for (more, came) in [
        (ANSWER, "came 05 02 81 0c 03 02"),
        (&[3, 0, 2, 0], "came EOF"),
        (&[3, 1, 2, 0], "came ERQ"),
        (&[0x80], "the stream ended within a packet, behind 80"),
    ] {
        let says = [ALL, more].concat().leak();
        let sent = "03 01 02 00 03 00 02 00";
        assert_eq!(failure(says, false).await, format!("line 5: sent {sent}; expected the end; {came}"));
    }
}

#[tokio::test]
async fn a_stream_that_stays_open_behind_its_eof_fails() {
    let came = failure(ALL, true).await;
    assert_eq!(came, "line 5: sent 03 01 02 00 03 00 02 00; expected the end; nothing for 500ms");
}

#[tokio::test]
async fn an_answer_that_is_another_one_fails() {
    let came = failure(&[5, 2, 0x81, 0x08, 3, 2], true).await;
    assert_eq!(came, "line 4: sent 06 02 82 56 02 02 03; expected 05 02 81 0c 03 02; came 05 02 81 08 03 02");
}

#[tokio::test]
async fn an_answer_that_does_not_come_fails() {
    assert_eq!(
        failure(b"", true).await,
        "line 4: sent 06 02 82 56 02 02 03; expected 05 02 81 0c 03 02; nothing for 500ms"
    );
    assert_eq!(
        failure(b"", false).await,
        "line 4: sent 06 02 82 56 02 02 03; expected 05 02 81 0c 03 02; the stream ended"
    );
    let part = "line 4: sent 06 02 82 56 02 02 03; expected 05 02 81 0c 03 02; the stream ended within a packet, behind 05 02";
    assert_eq!(failure(&ANSWER[..2], false).await, part);
}

#[tokio::test]
async fn an_answer_more_fails() {
    let twice: &[u8] = &[5, 2, 0x81, 0x0c, 3, 2, 5, 2, 0x81, 0x0c, 3, 2];
    assert_eq!(
        failure(twice, true).await,
        "line 5: sent 03 01 02 00 03 00 02 00; expected ERQ; came 05 02 81 0c 03 02"
    );
}

#[tokio::test]
async fn a_goodbye_without_its_beginning_or_its_end_fails() {
    assert_eq!(
        failure(&[5, 2, 0x81, 0x0c, 3, 2, 3, 0, 2, 0], true).await,
        "line 5: sent 03 01 02 00 03 00 02 00; expected ERQ; came EOF"
    );
    let endless = &[5, 2, 0x81, 0x0c, 3, 2, 3, 1, 2, 0];
    assert_eq!(
        failure(endless, true).await,
        "line 5: sent 03 01 02 00 03 00 02 00; expected EOF; nothing for 500ms"
    );
}

#[tokio::test]
async fn an_end_is_an_end_however_it_is_said_but_nothing_else_is() {
    let case = "## 1 It ends\nrules: L-1\n> 00\nend\n";
    against(case, b"", false).await.unwrap();
    against(case, &[3, 0, 2, 0], false).await.unwrap();
    against(case, &[3, 1, 2, 0, 3, 0, 2, 0], false).await.unwrap();
    against(case, &[3, 1, 2, 0], false).await.unwrap();
    for (says, stay) in [
        (&b""[..], true),
        (&[3, 1, 2, 0], true),
        (&[3, 0, 2, 0], true),
        (ANSWER, false),
        (&[3, 1, 2], false),
        (&[3, 1, 2, 0, 3, 1, 2, 0], false),
        (&[3, 0, 2, 0, 3, 1, 2, 0], false),
    ] {
        against(case, says, stay).await.unwrap_err();
    }
}

#[tokio::test]
async fn packets_of_one_line_come_in_any_order_and_those_of_two_do_not() {
    let any = "## 1 Two\nrules: R-2\n> 00\n< [02 04] [03 04]\n";
    let fixed = "## 1 Two\nrules: R-2\n> 00\n< [02 04]\n< [03 04]\n";
    let turned = &[2, 3, 4, 2, 2, 4];
    against(any, turned, false).await.unwrap();
    against(fixed, turned, false).await.unwrap_err();
    against(any, &[2, 3, 4, 2, 3, 4], false).await.unwrap_err();
}

#[tokio::test]
async fn a_program_that_is_not_there_fails() {
    let (_directory, address) = address();
    let case = Case::parse_all("a.cases", CASE).unwrap().remove(0);
    let failure = run(&case, &target(&address)).await.unwrap().unwrap_err();
    assert!(matches!(failure, Failure::Connect(_)), "{failure}");
}

#[tokio::test]
async fn an_asker_that_does_not_start_or_does_not_connect_fails() {
    let case = Case::parse_all("a.cases", "## 1 It asks\nrules: R-1\nasks: 1\n< ERQ\n").unwrap().remove(0);
    for (command, why) in [
        ("no-such-program {address}", "`no-such-program`: No such file or directory"),
        ("true {address}", "it ended first: exit status: 0"),
        ("", "an empty command"),
        ("'", "`'` is no command"),
    ] {
        let patience = Duration::from_millis(500);
        let target = Target { server: None, asker: Some(command.to_owned()), patience, piece: None };
        let failure = run(&case, &target).await.unwrap().unwrap_err().to_string();
        assert!(failure.starts_with(&format!("cannot be reached: {why}")), "{failure}");
    }
}

#[tokio::test]
async fn this_library_passes_a_case_of_this_library() {
    async fn reverse(request: Incoming) -> Outcome {
        let reversed: packetstream::Bytes = request.payload.iter().rev().copied().collect();
        Ok(Reply::from((0x11, reversed)))
    }
    let (_directory, address) = address();
    let listener = Listener::bind(&address).await.unwrap();
    let server = tokio::spawn(listener.serve(|| PacketConnection::builder().handler(reverse)));
    let case = Case::parse_all("a.cases", CASE).unwrap().remove(0);
    run(&case, &target(&address)).await.unwrap().unwrap();
    server.abort();
}
