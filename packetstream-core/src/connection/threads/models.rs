//! All threads of connections, over pipes that hold little.

mod pipe;

use super::super::models::Model;
use super::super::{
    CallError, CloseReport, ConnectionError, Handler, Incoming, Limits, NotSent, PacketConnection,
};
use super::Driver;
use crate::outcome::{Failure, Outcome, Reply};
use crate::sync::thread::{self, JoinHandle};
use pipe::{Stream, streams};
use shuttle::future::block_on;

pub(in crate::connection) const MODELS: &[Model] = &[
    Model { name: "threads: one asks, and closes", run: one_asks },
    Model { name: "threads: one asks again", run: one_asks_again },
    Model { name: "threads: both ask at once, over pipes of 4 bytes", run: both_ask },
    Model { name: "threads: a handler asks back", run: a_handler_asks_back },
    Model { name: "threads: more is asked than is read", run: more_is_asked_than_is_read },
    Model { name: "threads: the peer goes as it is asked", run: the_peer_goes },
    Model { name: "threads: the driver is dropped as its threads work", run: the_driver_is_dropped },
];

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

/// Asks the side that it was asked by.
async fn ask_back(request: Incoming) -> Outcome {
    let answer = request.peer().submit(1, 0, request.payload).await;
    answer.map_err(|error| Failure::new(error.to_string()))
}

/// A connection, and the thread that drives it.
struct End {
    connection: PacketConnection,
    driver: JoinHandle<()>,
}

impl End {
    fn new(stream: Stream, handler: impl Handler) -> Self {
        Self::with(Limits::default(), stream, handler)
    }

    fn with(limits: Limits, stream: Stream, handler: impl Handler) -> Self {
        let builder = PacketConnection::builder().limits(limits).handler(handler);
        let (connection, driver) = Driver::new(builder, stream).unwrap();
        Self { connection, driver: thread::spawn(move || driver.run_and_shut_down()) }
    }

    fn asks(&self) -> JoinHandle<Result<(), CallError>> {
        let call = self.connection.submit(0, 0, "?");
        thread::spawn(move || block_on(call).map(|reply| assert_eq!(reply.payload, "?")))
    }

    fn has_ended(self) -> CloseReport {
        let report = block_on(self.connection.closed());
        self.driver.join().unwrap();
        let CloseReport { calls_lost, calls_unsent, stats, .. } = &report;
        let settled = stats.calls_ok + stats.calls_failed + stats.calls_withdrawn + calls_lost + calls_unsent;
        assert_eq!(stats.calls, settled, "each call is in one number: {report:?}");
        report
    }
}

fn end_well(ends: [End; 2]) {
    for end in ends {
        let report = end.has_ended();
        assert!(report.result.is_ok() && report.requests_unanswered == 0, "{report:?}");
    }
}

fn one_asks() {
    let [here, there] = streams(64).map(|stream| End::new(stream, echo));
    let asked = here.asks();
    here.connection.close();
    asked.join().unwrap().unwrap();
    end_well([here, there]);
}

/// Whoever has performed a request waits to be called for the next.
fn one_asks_again() {
    let [here, there] = streams(64).map(|stream| End::new(stream, echo));
    for _ in 0..2 {
        here.asks().join().unwrap().unwrap();
    }
    here.connection.close();
    end_well([here, there]);
}

fn both_ask() {
    let ends = streams(4).map(|stream| End::new(stream, echo));
    for asked in ends.each_ref().map(End::asks) {
        asked.join().unwrap().unwrap();
    }
    ends[0].connection.close();
    end_well(ends);
}

fn a_handler_asks_back() {
    let [here, there] = streams(64);
    let (here, there) = (End::new(here, echo), End::new(there, ask_back));
    here.asks().join().unwrap().unwrap();
    there.connection.close();
    end_well([here, there]);
}

/// Until there is room again nothing is read.
fn more_is_asked_than_is_read() {
    let [here, there] = streams(64);
    let limits = Limits { max_handlers: 1, max_queued: 0, ..Limits::default() };
    let (here, there) = (End::new(here, echo), End::with(limits, there, echo));
    for asked in [here.asks(), here.asks(), here.asks()] {
        asked.join().unwrap().unwrap();
    }
    here.connection.close();
    end_well([here, there]);
}

fn the_peer_goes() {
    let [here, there] = streams(4);
    let here = End::new(here, echo);
    let asked = here.asks();
    drop(there);
    match asked.join().unwrap() {
        Err(CallError::Lost(_) | CallError::NotSent(NotSent::Lost(_))) => {}
        other => panic!("{other:?}"),
    }
    let report = here.has_ended();
    assert!(
        matches!(report.result, Err(ConnectionError::NoGoodbye | ConnectionError::Write(_))),
        "{report:?}"
    );
}

fn the_driver_is_dropped() {
    let [here, there] = streams(4);
    let there = End::new(there, echo);
    let (connection, driver) = Driver::new(PacketConnection::builder(), here).unwrap();
    let call = connection.submit(0, 0, "?");
    drop(driver);
    match block_on(call) {
        Ok(_)
        | Err(
            CallError::Lost(ConnectionError::Dropped)
            | CallError::NotSent(NotSent::Lost(ConnectionError::Dropped)),
        ) => {}
        other => panic!("{other:?}"),
    }
    let report = block_on(connection.closed());
    assert!(matches!(report.result, Err(ConnectionError::Dropped)), "{report:?}");
    there.has_ended();
}
