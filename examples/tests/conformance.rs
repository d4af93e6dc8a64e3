//! The program `reverse`, in both roles, held to all conformance cases, over every kind of stream.
//!
//! `tests/conformance/run` does the same, and holds Python to them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod process;

use packetstream::Address;
use packetstream_tests::conformance::{Case, Deviations, Report, Role, Tally, Target, cases, run};
use process::{Program, reverse, within};
use std::time::Duration;

const SERVER: &str = env!("CARGO_BIN_EXE_reverse");

fn asker() -> String {
    format!("{SERVER} --connect {{address}} --count {{count}} --in-flight {{count}} --same")
}

/// Holds a server, and if it is said an asker, to all cases.
async fn passes(address: &str, is_asking: bool, piece: Option<usize>) {
    let cases = cases().unwrap();
    let target = Target {
        server: Some(address.parse::<Address>().unwrap()),
        asker: is_asking.then(asker),
        patience: Duration::from_secs(20),
        piece,
    };
    let known = Deviations::default();
    let report = within(Report::of(&cases, &target, &known)).await;
    let held = cases.iter().filter(|case| is_asking || case.role == Role::Server).count();
    assert_eq!(report.tally(), Tally { passed: held, deviated: 0, failed: 0 }, "{report}");
}

/// The same, with a server that is there for all cases.
async fn passes_at(address: &str, piece: Option<usize>) {
    let mut server = Program::start(reverse(["--listen", address]));
    let address = server.address().await;
    passes(&address, false, piece).await;
    server.interrupt();
    assert_eq!(server.ended().await.code, Some(0), "no case is the end of a server");
}

#[tokio::test]
async fn over_the_pipes_of_a_child_and_the_sockets_of_askers_every_case_passes() {
    passes(&format!("exec:{SERVER} --listen stdio:"), true, None).await;
}

#[tokio::test]
async fn byte_by_byte_every_case_passes() {
    passes(&format!("exec:{SERVER} --listen stdio:"), true, Some(1)).await;
}

#[tokio::test]
async fn an_asker_that_ends_otherwise_than_a_case_says_fails_it() {
    let target =
        Target { server: None, asker: Some(asker()), patience: Duration::from_secs(20), piece: None };
    for (answer, exit, came) in [
        ("[02 81 0c 03 02]", "failed", "expected a status that is not 0; exit status: 0"),
        ("[02 81 0c 03 03]", "ok", "expected status 0; exit status: 1"),
    ] {
        let text = format!(
            "## 1 It ends otherwise\nrules: R-4\nasks: 1\n< [02 82 56 02 02 03]\n> {answer}\n> ERQ EOF\nexit {exit}\n"
        );
        let case = Case::parse_all("a.cases", &text).unwrap().remove(0);
        let failure = within(run(&case, &target)).await.unwrap().unwrap_err();
        assert_eq!(failure.to_string(), format!("line 7: sent 03 01 02 00 03 00 02 00; {came}"));
    }
}

#[tokio::test]
async fn over_tcp_every_case_passes() {
    passes_at("tcp://127.0.0.1:0", None).await;
}

#[tokio::test]
async fn over_a_unix_socket_in_pieces_of_seven_bytes_every_case_passes() {
    let directory = tempfile::tempdir().unwrap();
    passes_at(&format!("unix:{}", directory.path().join("server").display()), Some(7)).await;
}
