//! Calls, and what befalls their connection meanwhile: a driver, and handles on threads of their own.

mod echo;

use super::super::driver::{Driver, Ended};
use super::super::models::Model;
use super::super::{CallError, CloseReport, ConnectionError, Limits, NotSent, PacketConnection};
use super::Call;
use crate::sync::thread::{self, JoinHandle};
use echo::Echo;
use shuttle::future::block_on;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(in crate::connection) const MODELS: &[Model] = &[
    Model { name: "call: dropped as its answer comes", run: dropped },
    Model { name: "call: given up in time as its answer comes", run: timed_out },
    Model { name: "call: made as the connection closes", run: closed },
    Model { name: "call: made as the connection is aborted", run: aborted },
    Model { name: "call: made as the driver is dropped", run: driver_dropped },
    Model { name: "call: made by the last handles", run: last_handles },
    Model { name: "call: waits for its turn as others give theirs up", run: turns },
    Model { name: "call: places are reserved and given back", run: places },
    Model { name: "call: settled before the barrier behind it", run: barrier },
];

/// Longer than anybody waits: the checker's timers go off at once if they are to go off at all within a year.
const NEVER: Duration = Duration::from_hours(24 * 400);

/// A connection whose peer answers everything.
fn connection(max_calls: usize) -> (PacketConnection, Driver<Echo>) {
    let limits = Limits {
        max_calls,
        stall_timeout: NEVER,
        answer_timeout: NEVER,
        close_timeout: NEVER,
        ..Limits::default()
    };
    PacketConnection::builder().limits(limits).build(Echo::new(max_calls))
}

fn drive(driver: Driver<Echo>) -> JoinHandle<CloseReport> {
    thread::spawn(move || {
        let Ended { report, .. } = block_on(driver.run());
        report
    })
}

/// What holds of every connection that has ended, when all its calls have come back or were dropped.
fn has_ended(connection: &PacketConnection) -> CloseReport {
    let report = block_on(connection.closed());
    let CloseReport { calls_lost, calls_unsent, stats, .. } = &report;
    let settled = stats.calls_ok + stats.calls_failed + stats.calls_withdrawn + calls_lost + calls_unsent;
    assert_eq!(stats.calls, settled, "each call is in one number: {report:?}");
    let shared = &connection.shared;
    assert_eq!(shared.inbox.given_up(), 0, "as many are answered as were given up");
    assert_eq!(shared.inbox.queued(), 0, "nobody waits for a turn");
    assert_eq!(shared.inbox.free_places(), shared.limits.max_calls, "every place is given back");
    report
}

fn ask(connection: &PacketConnection) -> Call {
    connection.submit(0, 0, "")
}

/// Looks once whether it is answered.
fn poll_once(call: &mut Call) -> Poll<Result<(), CallError>> {
    block_on(poll_fn(|cx| Poll::Ready(Pin::new(&mut *call).poll(cx).map_ok(drop))))
}

/// Has a thread do something with a handle of its own.
fn meanwhile<T: Send + 'static>(
    connection: &PacketConnection,
    work: impl FnOnce(PacketConnection) -> T + Send + 'static,
) -> JoinHandle<T> {
    let connection = connection.clone();
    thread::spawn(move || work(connection))
}

fn dropped() {
    let (connection, driver) = connection(2);
    let driver = drive(driver);
    let dropping = meanwhile(&connection, |connection| drop(ask(&connection)));
    let mut call = ask(&connection);
    if let Poll::Ready(answer) = poll_once(&mut call) {
        answer.unwrap();
    }
    drop(call);
    dropping.join().unwrap();
    connection.close();
    has_ended(&connection);
    driver.join().unwrap().result.unwrap();
}

fn timed_out() {
    fn give_up(connection: &PacketConnection) {
        match block_on(ask(connection).timeout(Duration::from_secs(1))) {
            Ok(_) | Err(CallError::Unanswered(_) | CallError::NotSent(NotSent::NoTurn(_))) => {}
            Err(other) => panic!("{other:?}"),
        }
    }

    let (connection, driver) = connection(1);
    let driver = drive(driver);
    let other = meanwhile(&connection, |connection| give_up(&connection));
    give_up(&connection);
    other.join().unwrap();
    connection.close();
    has_ended(&connection);
    driver.join().unwrap().result.unwrap();
}

fn closed() {
    let (connection, driver) = connection(2);
    let driver = drive(driver);
    let asking = meanwhile(&connection, |connection| {
        for call in [ask(&connection), ask(&connection)] {
            match block_on(call) {
                Ok(_) | Err(CallError::NotSent(NotSent::Closed)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let closing = meanwhile(&connection, |connection| {
        connection.close();
        let late = block_on(ask(&connection));
        assert!(matches!(late, Err(CallError::NotSent(NotSent::Closed))), "{late:?}");
    });
    asking.join().unwrap();
    closing.join().unwrap();
    let report = has_ended(&connection);
    report.result.unwrap();
    assert_eq!((report.calls_lost, report.stats.calls_withdrawn), (0, 0));
    driver.join().unwrap();
}

fn aborted() {
    let (connection, driver) = connection(2);
    let driver = drive(driver);
    let asking = [(); 2].map(|()| {
        meanwhile(&connection, |connection| match block_on(ask(&connection)) {
            Ok(_) => {}
            Err(
                CallError::Lost(ConnectionError::Aborted)
                | CallError::NotSent(NotSent::Closed | NotSent::Lost(ConnectionError::Aborted)),
            ) => assert!(!connection.is_open(), "whoever hears of the end finds it closed"),
            Err(other) => panic!("{other:?}"),
        })
    });
    connection.abort();
    asking.into_iter().for_each(|asking| asking.join().unwrap());
    let report = has_ended(&connection);
    assert!(matches!(report.result, Err(ConnectionError::Aborted)), "{report:?}");
    driver.join().unwrap();
}

fn driver_dropped() {
    let (connection, driver) = connection(2);
    let asking = [(); 2].map(|()| {
        meanwhile(&connection, |connection| match block_on(ask(&connection)) {
            Err(
                CallError::Lost(ConnectionError::Dropped)
                | CallError::NotSent(NotSent::Closed | NotSent::Lost(ConnectionError::Dropped)),
            ) => assert!(!connection.is_open(), "whoever hears of the end finds it closed"),
            other => panic!("{other:?}"),
        })
    });
    let waiting = meanwhile(&connection, |connection| block_on(connection.barrier()));
    let setting = meanwhile(&connection, |connection| drop(connection.channel(7)));
    drop(driver);
    asking.into_iter().for_each(|asking| asking.join().unwrap());
    waiting.join().unwrap();
    setting.join().unwrap();
    has_ended(&connection);
}

fn last_handles() {
    let (connection, driver) = connection(2);
    let driver = drive(driver);
    let asking = meanwhile(&connection, |connection| block_on(ask(&connection)).map(drop));
    let call = ask(&connection);
    drop(connection);
    block_on(call).unwrap();
    asking.join().unwrap().unwrap();
    let report = driver.join().unwrap();
    report.result.unwrap();
    assert_eq!(report.stats.calls_ok, 2);
}

fn turns() {
    let (connection, driver) = connection(1);
    let driver = drive(driver);
    let asking =
        [(); 2].map(|()| meanwhile(&connection, |connection| drop(block_on(ask(&connection)).unwrap())));
    let giving_up = meanwhile(&connection, |connection| drop(poll_once(&mut ask(&connection))));
    asking.into_iter().for_each(|asking| asking.join().unwrap());
    giving_up.join().unwrap();
    connection.close();
    has_ended(&connection);
    driver.join().unwrap().result.unwrap();
}

fn places() {
    let (connection, driver) = connection(1);
    let driver = drive(driver);
    let using = meanwhile(&connection, |connection| {
        let place = block_on(connection.reserve()).unwrap();
        block_on(place.submit(0, 0, "")).unwrap();
    });
    let giving_back = meanwhile(&connection, |connection| drop(block_on(connection.reserve()).unwrap()));
    block_on(ask(&connection)).unwrap();
    using.join().unwrap();
    giving_back.join().unwrap();
    let late = meanwhile(&connection, |connection| match block_on(connection.reserve()) {
        // Whoever has a place when the connection closes gives it back all the same.
        Ok(place) => match block_on(place.submit(0, 0, "")) {
            Ok(_) | Err(CallError::NotSent(NotSent::Closed)) => {}
            Err(other) => panic!("{other:?}"),
        },
        Err(error) => assert!(matches!(error, NotSent::Closed), "{error:?}"),
    });
    connection.close();
    late.join().unwrap();
    has_ended(&connection);
    driver.join().unwrap().result.unwrap();
}

fn barrier() {
    let (connection, driver) = connection(2);
    let driver = drive(driver);
    let other = meanwhile(&connection, |connection| drop(block_on(ask(&connection)).unwrap()));
    let mut call = ask(&connection);
    block_on(connection.barrier());
    let answer = Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Ok(_))), "{answer:?}");
    other.join().unwrap();
    connection.close();
    has_ended(&connection);
    driver.join().unwrap().result.unwrap();
}
