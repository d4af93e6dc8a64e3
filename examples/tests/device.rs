//! The program `device`, seen from outside.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::time::Duration;
use tokio::process::Command;

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// What the program has said when it has ended well, with this filter for its log.
async fn run(filter: &str) -> (String, String) {
    let mut device = Command::new(env!("CARGO_BIN_EXE_device"));
    let running = device.env("RUST_LOG", filter).kill_on_drop(true).output();
    let output = tokio::time::timeout(LIMIT, running).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn the_controller_learns_what_came_of_each_telegram() {
    let (said, logged) = run("").await;
    let lines = [
        "device 0xc0ffee, firmware 0x0102, up for 60 min",
        "wrote 32 bytes at 0x0010",
        "device asks: may I erase page 1?",
        "wrote 32 bytes at 0x0100",
        "device asks: may I erase page 2?",
        "not written: the controller would not have page 2 erased",
        "not written: nothing is at 0xfff0",
        "not even sent: payload of 5004 bytes exceeds the limit of 4096",
        "the bus answers \"hello\" with registers 0x55",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
    assert_eq!(logged, "");
}

#[tokio::test]
async fn a_log_shows_calls_requests_and_packets_in_the_spans_of_their_connections() {
    let (_, logged) = run("packetstream=trace").await;
    let in_span = |connection: &str, parts: &[&str]| {
        let span = format!("packetstream::connection{{connection=\"{connection}\"}}");
        logged
            .lines()
            .filter(|line| line.contains(&span) && parts.iter().all(|part| line.contains(part)))
            .count()
    };
    assert_eq!(in_span("controller", &["packetstream::packet", "direction=sent", "kind=\"request\""]), 6);
    assert_eq!(in_span("device", &["packetstream::packet", "direction=sent", "kind=\"request\""]), 2);
    assert_eq!(
        in_span("controller", &["packetstream::call{", "request=\"Write\" tag=", "close time.busy="]),
        4
    );
    assert_eq!(
        in_span("device", &["packetstream::request{", "request=\"Write\" outcome=", "close time.busy="]),
        4
    );
    assert!(!logged.contains("WARN") && !logged.contains("olleh"), "{logged}");
}
