//! The page of the limits, made of what they are.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use super::{FAREWELL, Limits, MAX_REFUSALS, SHED_AFTER, SHUT_DOWN};
use crate::payload::MAX_DEPTH;
use crate::state::STRAY_BUDGET;
use crate::varint;
use std::fmt::Write;
use std::time::Duration;
use std::{env, fs};

const PAGE: &str = "docs/limits.md";

const INTRODUCTION: &str = "\
The defaults are for a peer that is not trusted. Two peers with the same of these limits never reach each other's: the
calls that one has in flight, and their bytes, are fewer than what the other performs and queues. The exception is
handlers that ask back, level upon level: they hold their place until the innermost is done.

| | [`default`](Limits::default) | [`trusted`](Limits::trusted) | [`python`](Limits::python) |
|---|---|---|---|
";

const LADDER: &str = "
A peer that asks more than is performed and queued is left unread, and loses nothing. While answers to our own requests
may be behind what is unread, that lasts no longer than a pause; then what is too much is answered not-ok `busy`. A
peer that takes none of those answers either is given up. A request's place among `max_calls` is its own until
its answer, whether or not anybody waits for it.

What nobody sets:

| | |
|---|---|
";

/// A number as a person writes it: with a unit where it is bytes, in groups of three where it is a count.
fn bytes(count: usize) -> String {
    match count {
        0 => "0".to_owned(),
        _ if count.is_multiple_of(1 << 30) => format!("{} GiB", count >> 30),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ => format!("{count} B"),
    }
}

fn count(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// The limits by name. One that is added does not compile before it is told here.
fn values(limits: Limits) -> [(&'static str, String); 10] {
    let Limits {
        max_packet,
        max_calls,
        max_call_bytes,
        max_handlers,
        max_queued,
        max_request_bytes,
        max_unsent_bytes,
        stall_timeout,
        answer_timeout,
        close_timeout,
    } = limits;
    [
        ("max_packet", bytes(max_packet)),
        ("max_calls", count(max_calls)),
        ("max_call_bytes", bytes(max_call_bytes)),
        ("max_handlers", count(max_handlers)),
        ("max_queued", count(max_queued)),
        ("max_request_bytes", bytes(max_request_bytes)),
        ("max_unsent_bytes", bytes(max_unsent_bytes)),
        ("stall_timeout", time(stall_timeout)),
        ("answer_timeout", time(answer_timeout)),
        ("close_timeout", time(close_timeout)),
    ]
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let presets = [Limits::default(), Limits::trusted(), Limits::python()].map(values);
    for (row, (name, value)) in presets[0].iter().enumerate() {
        let others = presets[1..].iter().fold(String::new(), |text, preset| text + " | " + &preset[row].1);
        writeln!(page, "| [`{name}`](Limits::{name}) | {value}{others} |").unwrap();
    }
    page += LADDER;
    for (what, value) in [
        (
            "the pause before requests are refused, while answers may be behind them, or handlers wait for each other once more",
            time(SHED_AFTER),
        ),
        (
            "answers and refusals that wait, beyond those of requests held, before the peer is given up",
            count(MAX_REFUSALS),
        ),
        (
            "packets that make no sense before the connection ends; each answer that somebody waits for takes one back",
            count(STRAY_BUDGET as usize),
        ),
        ("a connection that has failed tells its peer so", time(FAREWELL)),
        ("a transport shuts down", time(SHUT_DOWN)),
        ("bytes of one number, padding included", count(varint::MAX_LEN)),
        ("values within values", count(MAX_DEPTH)),
    ] {
        writeln!(page, "| {what} | {value} |").unwrap();
    }
    page
}

/// `PACKETSTREAM_PAGE=write cargo test -p packetstream-core limits::page` writes it anew.
#[test]
fn the_page_tells_of_the_limits_as_they_are() {
    let page = page();
    if env::var_os("PACKETSTREAM_PAGE").is_some_and(|mode| mode == "write") {
        fs::write(PAGE, &page).unwrap();
    }
    assert_eq!(page, fs::read_to_string(PAGE).unwrap_or_default());
}

#[test]
fn two_peers_with_the_same_preset_never_reach_each_others_limits() {
    for limits in [Limits::default(), Limits::trusted(), Limits::python()] {
        assert!(limits.max_calls < limits.max_requests());
        assert!(limits.max_call_bytes < limits.max_request_bytes);
        assert!(limits.max_packet < limits.max_request_bytes, "a larger request goes alone");
    }
}
