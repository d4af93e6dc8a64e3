//! The page for those who know the Python original names everything of its documentation, and a test for each.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../packetstream/docs/python.md");
const TESTS: &str = concat!(
    include_str!("../../packetstream/tests/parity/base_request.rs"),
    include_str!("../../packetstream/tests/parity/files.rs"),
    include_str!("../../packetstream/tests/parity/has_packet_connection.rs"),
    include_str!("../../packetstream/tests/parity/methods.rs"),
    include_str!("../../packetstream/tests/parity/packet.rs"),
    include_str!("../../packetstream/tests/parity/parameters.rs"),
    include_str!("../../packetstream/tests/parity/release_notes.rs"),
    include_str!("../../packetstream/tests/parity/request_state.rs"),
);

/// The names in the documentation of the three releases.
const NAMES: &[&str] = &[
    "Packet",
    "Packet.__str__",
    "Packet.parse",
    "Packet.transcribe",
    "Packet.write",
    "Packet.__eq__",
    "PacketConnection",
    "recv",
    "send",
    "recv_send",
    "request_handler",
    "name",
    "packet_grace",
    "DEFAULT_PACKET_GRACE",
    "tick",
    "tick_fd_2",
    "trace_log",
    "__call__",
    "do",
    "submit",
    "request",
    "decode_response",
    "channel",
    "label",
    "join",
    "join_recv",
    "send_eof",
    "send_erq",
    "end_requests",
    "shutdown",
    "MultiOpenMixin",
    "startup_shutdown",
    "RequestState",
    "result",
    "cancel",
    "complete",
    "fail",
    "BaseRequest",
    "flags",
    "fulfil",
    "from_request_payload",
    "decode_response_payload",
    "parse",
    "HasPacketConnection",
    "rq_type_map",
    "conn_do_remote",
    "conn_submit",
    "conn_handle_request",
    "ReadableFile",
    "SendableFile",
    "ReadableFile.read",
    "SendableFile.write",
    "SendableFile.flush",
    "CornuCopyBuffer",
];

/// The rows of the tables whose last column names a test: the cells.
fn rows() -> Vec<Vec<&'static str>> {
    let tables = PAGE
        .split("\n\n")
        .filter(|part| part.lines().next().is_some_and(|line| line.ends_with("shown by |")));
    tables
        .flat_map(|table| table.lines().skip(2))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[test]
fn every_row_names_a_test_that_exists_and_every_test_has_a_row() {
    let rows = rows();
    assert!(rows.len() >= 70, "{} rows", rows.len());
    let mut named = BTreeSet::new();
    for row in &rows {
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let test = row[2].trim_matches('`');
        assert!(
            TESTS.contains(&format!("\nfn {test}()")) || TESTS.contains(&format!("\nasync fn {test}()")),
            "{test}"
        );
        named.insert(test);
    }
    let tests = TESTS.split("test]\n").skip(1).chain(TESTS.split("test(start_paused = true)]\n").skip(1));
    for test in tests.filter_map(|text| text.split_once("fn ")?.1.split_once("()")) {
        assert!(named.contains(test.0), "{} has no row", test.0);
    }
}

#[test]
fn everything_in_the_documentation_of_the_original_is_on_the_page() {
    let words: BTreeSet<&str> = PAGE.split(|c: char| !(c.is_alphanumeric() || "_.".contains(c))).collect();
    for name in NAMES {
        assert!(words.contains(name), "{name} is not on the page");
    }
}
