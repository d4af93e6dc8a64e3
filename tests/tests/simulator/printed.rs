Scenario {
        seed: 0xba0af749d620d48d,
        rounds: 1,
        ends: [
            End { max_packet: 64, max_calls: 0, max_call_bytes: 5000, max_handlers: 1, max_queued: 4, max_request_bytes: 33554432, max_unsent_bytes: 100, stall: 60000, answer: 3600000, close: 3600000, grace: 1, shuts_down: false },
            End { max_packet: 64, max_calls: 0, max_call_bytes: 16777216, max_handlers: 1, max_queued: 1024, max_request_bytes: 100, max_unsent_bytes: 0, stall: 60000, answer: 3600000, close: 3600000, grace: 1, shuts_down: false },
        ],
        links: [
            Link { capacity: 3, read: 1, write: 100, delay: 1, again: 0, wakes: 2, holds: true, vectored: false, stall: None, flip: Some(Flip { at: 9540, bit: 2 }), cut: None, shutdown: Fine },
            Link { capacity: 3, read: 4096, write: 16, delay: 1, again: 5, wakes: 5, holds: true, vectored: true, stall: Some(Stall { at: 39, ms: 1217 }), flip: None, cut: Some(Cut { at: 80, reader: StreamEnd, writer: Zero }), shutdown: Fine },
        ],
        steps: vec![
            Ask { end: 1, then: Reserve, request: Request { channel: 7, deed: PanicLater, size: 0, reply: 0, ms: 9, depth: 0 } },
            Settle,
            Barrier(1),
            Flood { end: 0, count: 99, then: Timeout(410), request: Request { channel: 0, deed: PanicLater, size: 0, reply: 0, ms: 6, depth: 0 } },
            Ask { end: 1, then: Wait, request: Request { channel: 0, deed: Panic, size: 0, reply: 0, ms: 4, depth: 0 } },
            Ask { end: 0, then: Wait, request: Request { channel: 9, deed: Echo, size: 0, reply: 0, ms: 0, depth: 0 } },
            Ask { end: 0, then: Wait, request: Request { channel: 0, deed: Echo, size: 0, reply: 0, ms: 6, depth: 0 } },
            Ask { end: 1, then: Wait, request: Request { channel: 7, deed: Panic, size: 0, reply: 0, ms: 2, depth: 0 } },
            Yield(5),
            Barrier(1),
        ],
    }
