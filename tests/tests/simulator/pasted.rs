// Scenarios that failed once, as they were printed, smallest form.

// Rules: W-24
#[test]
#[rustfmt::skip]
fn packets_too_short_for_a_goodbye() {
    Scenario {
        seed: 0xd102502cec085be1,
        rounds: 1,
        ends: [
            End { max_packet: 1, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
            End { max_packet: 1, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
        ],
        links: [
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
        ],
        steps: vec![
        ],
    }
    .check();
}

// Rules: R-18
#[test]
#[rustfmt::skip]
fn handlers_that_wait_for_each_others_turn() {
    Scenario {
        seed: 0xa219fb19343d22fb,
        rounds: 1,
        ends: [
            End { max_packet: 600, max_calls: 0, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
            End { max_packet: 600, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
        ],
        links: [
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
        ],
        steps: vec![
            Ask { end: 1, then: Wait, request: Request { channel: 0, deed: AskTwice, size: 0, reply: 0, ms: 0, depth: 3 } },
            Settle,
        ],
    }
    .check();
}

// Rules: none: of a transport
#[test]
#[rustfmt::skip]
fn a_transport_that_claims_more_than_it_was_given_though_more_waits() {
    Scenario {
        seed: 0xaea98f201b7ac2ac,
        rounds: 1,
        ends: [
            End { max_packet: 16777216, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
            End { max_packet: 16777216, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
        ],
        links: [
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: Some(Cut { at: 357, reader: NothingMore, writer: Lie }), shutdown: Fine },
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
        ],
        steps: vec![
            Ask { end: 0, then: Wait, request: Request { channel: 0, deed: Echo, size: 10692, reply: 0, ms: 0, depth: 0 } },
        ],
    }
    .check();
}

// Rules: R-20
#[test]
#[rustfmt::skip]
fn handlers_that_go_with_their_connection() {
    Scenario {
        seed: 0xbceaf5f00729f7d1,
        rounds: 1,
        ends: [
            End { max_packet: 16777216, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
            End { max_packet: 16777216, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: true },
        ],
        links: [
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: true, vectored: false, stall: Some(Stall { at: 4098, ms: 294044 }), flip: None, cut: None, shutdown: Fine },
        ],
        steps: vec![
            Flood { end: 1, count: 25, then: Wait, request: Request { channel: 7, deed: AskTwice, size: 16, reply: 0, ms: 9, depth: 2 } },
            Yield(1),
        ],
    }
    .check();
}

// Rules: R-20
#[test]
#[rustfmt::skip]
fn nested_requests_that_are_taken_one_at_a_time() {
    Scenario {
        seed: 0x2306cad69c774daf,
        rounds: 1,
        ends: [
            End { max_packet: 64, max_calls: 256, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 0, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 10, shuts_down: false },
            End { max_packet: 64, max_calls: 1, max_call_bytes: 16777216, max_handlers: 256, max_queued: 1024, max_request_bytes: 33554432, max_unsent_bytes: 4194304, stall: 60000, answer: 3600000, close: 3600000, grace: 0, shuts_down: false },
        ],
        links: [
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
            Link { capacity: 65536, read: 65536, write: 65536, delay: 0, again: 0, wakes: 0, holds: false, vectored: false, stall: None, flip: None, cut: None, shutdown: Fine },
        ],
        steps: vec![
            Flood { end: 1, count: 213, then: Wait, request: Request { channel: 0, deed: AskBack, size: 1, reply: 0, ms: 0, depth: 0 } },
            Ask { end: 0, then: Wait, request: Request { channel: 0, deed: AskBack, size: 0, reply: 0, ms: 0, depth: 3 } },
            Settle,
        ],
    }
    .check();
}
