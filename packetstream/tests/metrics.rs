//! What the facade `metrics` is told of connections.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::in_time;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use packetstream::metrics::Meter;
use packetstream::{
    Builder, Client, Context, Failure, Fulfil, HasPacketConnection, Incoming, Limits, PacketConnection,
    Protocol, Request, Stream, serve,
};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

#[derive(Debug, Request)]
#[request(reply = u64)]
struct Double(u64);

#[derive(Protocol)]
enum Calc {
    #[request(7)]
    Double(Double),
}

struct Server;

impl Fulfil<Double> for Server {
    async fn fulfil(&self, Double(n): Double, _: Context) -> Result<u64, Failure> {
        assert!(n > 0, "zero is nothing to double");
        tokio::time::sleep(Duration::from_secs(n)).await;
        n.checked_mul(2).filter(|n| *n < 10).ok_or_else(|| Failure::new("too large"))
    }
}

/// What has come to the exporter: the recorder's snapshots add up, since each begins anew.
struct Seen {
    snapshots: Snapshotter,
    numbers: BTreeMap<String, f64>,
    samples: BTreeMap<String, Vec<f64>>,
    units: BTreeMap<String, String>,
}

impl Seen {
    /// Looks at what was told since.
    fn look(&mut self) {
        for (key, unit, _, value) in self.snapshots.snapshot().into_vec() {
            let (_, key) = key.into_parts();
            let labels: Vec<_> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let name =
                format!("{}{{{}}}", key.name().strip_prefix("packetstream_").unwrap(), labels.join(","));
            self.units.insert(name.clone(), format!("{unit:?}"));
            match value {
                DebugValue::Counter(count) => {
                    *self.numbers.entry(name).or_default() += f64::from(u32::try_from(count).unwrap());
                }
                DebugValue::Gauge(change) => *self.numbers.entry(name).or_default() += change.0,
                DebugValue::Histogram(samples) => {
                    let samples = samples.into_iter().map(|sample| sample.0);
                    self.samples.entry(name).or_default().extend(samples);
                }
            }
        }
    }

    #[track_caller]
    fn number(&self, name: &str) -> f64 {
        let Some(number) = self.numbers.get(name) else { panic!("no {name} in {:#?}", self.numbers) };
        *number
    }

    /// These have these values.
    #[track_caller]
    fn are(&mut self, numbers: &[(&str, u32)]) {
        self.look();
        for (name, number) in numbers {
            let seen = self.number(name);
            assert!((seen - f64::from(*number)).abs() < 1e-6, "{name} is {seen} and not {number}");
        }
    }
}

/// Runs a test on a clock that is paused, with an exporter of its own.
fn with_exporter<T: Future<Output = ()>>(test: impl FnOnce(Seen) -> T) {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let seen = Seen { snapshots, numbers: BTreeMap::new(), samples: BTreeMap::new(), units: BTreeMap::new() };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(in_time(test(seen))));
}

fn pair(ours: Builder, theirs: Builder) -> (PacketConnection, PacketConnection) {
    let (here, there) = Stream::pair(1 << 16);
    (ours.spawn(here), theirs.spawn(there))
}

fn builder() -> Builder {
    PacketConnection::builder()
}

async fn performs_one(connection: &PacketConnection) {
    while connection.stats().performing < 1 {
        tokio::task::yield_now().await;
    }
}

async fn closed(connections: [&PacketConnection; 2]) {
    connections[0].close();
    for connection in connections {
        connection.closed().await;
    }
}

#[test]
fn calls_and_requests_are_counted_and_timed_by_the_names_of_the_protocol() {
    with_exporter(|mut seen| async move {
        let meter = Meter::new().asking::<Calc>().serving::<Calc>();
        let serving = builder().handler(serve::<Calc, _>(Server)).observer(meter.clone());
        let (here, there) = pair(builder().observer(meter), serving);
        let client = Client::<Calc>::from(here);
        assert_eq!(client.call(Double(2)).await.unwrap(), 4);
        assert_eq!(client.call(Double(1)).await.unwrap(), 2);
        client.call(Double(9)).await.unwrap_err();
        client.call(Double(0)).await.unwrap_err();
        client.connection().submit(1, 0, "").await.unwrap_err();
        closed([client.connection(), &there]).await;
        seen.are(&[
            ("calls_total{request=Double,outcome=ok}", 2),
            ("calls_total{request=Double,outcome=failed}", 2),
            ("calls_total{request=unknown,outcome=failed}", 1),
            ("requests_total{request=Double,outcome=ok}", 2),
            ("requests_total{request=Double,outcome=failed}", 2),
            ("requests_total{request=unknown,outcome=failed}", 1),
            ("requests_panicked_total{}", 1),
        ]);
        for name in ["call", "request"] {
            let ok = format!("{name}_seconds{{request=Double,outcome=ok}}");
            assert_eq!(seen.samples[&ok], [2.0, 1.0]);
            assert_eq!(seen.units[&ok], "Some(Seconds)");
            assert_eq!(seen.samples[&format!("{name}_seconds{{request=Double,outcome=failed}}")], [9.0, 0.0]);
        }
    });
}

#[test]
fn several_connections_add_up_to_what_their_own_numbers_say() {
    with_exporter(|mut seen| async move {
        let echo = async |request: Incoming| Ok(request.payload.into());
        let meter = Meter::new();
        let mut totals = BTreeMap::<_, u64>::new();
        for round in 1..=3 {
            let (here, there) = pair(builder().observer(meter.clone()), builder().handler(echo));
            for _ in 0..round {
                here.submit(round, 0, "abcde").await.unwrap();
            }
            closed([&here, &there]).await;
            let stats = here.stats();
            for (name, number) in [
                ("packets_sent_total{}", stats.packets_sent),
                ("packets_received_total{}", stats.packets_received),
                ("bytes_sent_total{}", stats.bytes_sent),
                ("bytes_received_total{}", stats.bytes_received),
                ("flushes_total{}", stats.flushes),
            ] {
                assert!(number > 0, "{name}");
                *totals.entry(name).or_default() += number;
            }
        }
        for (name, total) in &totals {
            seen.are(&[(name, u32::try_from(*total).unwrap())]);
        }
        seen.are(&[
            ("connections_opened_total{}", 3),
            ("connections_ended_total{result=ok,by=us}", 3),
            ("connections{}", 0),
            ("calls_total{request=1,outcome=ok}", 1),
            ("calls_total{request=2,outcome=ok}", 2),
            ("calls_total{request=3,outcome=ok}", 3),
        ]);
        let shared: f64 = seen.samples["flush_packets{}"].iter().sum();
        assert!(
            (shared - seen.number("packets_sent_total{}")).abs() < 0.5,
            "every packet is in one: {shared}"
        );
        assert_eq!(
            seen.samples["flush_packets{}"].len(),
            9,
            "one for each request, and one for each goodbye"
        );
        assert_eq!(seen.units["bytes_sent_total{}"], "Some(Bytes)");
    });
}

#[test]
fn what_connections_hold_adds_up_and_goes_with_them() {
    with_exporter(|mut seen| async move {
        let handler = async |_: Incoming| pending().await;
        let meter = Meter::new();
        let limits = Limits { max_handlers: 1, max_calls: 2, ..Limits::default() };
        let serving = || builder().limits(limits).handler(handler).observer(meter.clone());
        let pairs = [(); 2].map(|()| pair(serving(), serving()));
        let mut calls = Vec::new();
        for (here, there) in &pairs {
            calls.extend([(); 3].map(|()| here.submit(0, 0, "")));
            while there.stats().waiting < 1 {
                tokio::task::yield_now().await;
            }
        }
        seen.are(&[
            ("connections{}", 4),
            ("calls_in_flight{}", 4),
            ("requests_performing{}", 2),
            ("requests_waiting{}", 2),
        ]);
        drop(calls.split_off(4));
        // Each turn tells of the last.
        for (here, there) in &pairs {
            there.submit(0, 0, "").timeout(Duration::from_millis(1)).await.unwrap_err();
            performs_one(here).await;
        }
        seen.are(&[("calls_queued{}", 1), ("calls_abandoned{}", 1)]);
        let mut unanswered = 0;
        for (here, there) in &pairs {
            here.abort();
            unanswered += here.closed().await.requests_unanswered + there.closed().await.requests_unanswered;
        }
        assert!(unanswered > 0);
        for name in [
            "connections{}",
            "calls_in_flight{}",
            "calls_abandoned{}",
            "calls_queued{}",
            "requests_performing{}",
            "requests_waiting{}",
            "unsent_bytes{}",
        ] {
            seen.are(&[(name, 0)]);
        }
        seen.are(&[
            ("calls_total{request=0,outcome=lost}", 6),
            ("connections_ended_total{result=aborted,by=us}", 2),
        ]);
        seen.are(&[("requests_unanswered_total{}", u32::try_from(unanswered).unwrap())]);
    });
}

#[test]
fn a_peer_cannot_make_up_labels_without_end() {
    with_exporter(|mut seen| async move {
        let echo = async |request: Incoming| Ok(request.payload.into());
        let (here, there) = pair(builder(), builder().handler(echo).observer(Meter::new()));
        for rq_type in [5, 63, 64, 65, 1 << 40] {
            here.submit(rq_type, 0, "").await.unwrap();
        }
        closed([&here, &there]).await;
        seen.are(&[
            ("requests_total{request=5,outcome=ok}", 1),
            ("requests_total{request=63,outcome=ok}", 1),
            ("requests_total{request=other,outcome=ok}", 3),
        ]);
    });
}

#[test]
fn a_clone_with_a_label_more_has_an_oldest_handler_of_its_own() {
    with_exporter(|mut seen| async move {
        let never = async |_: Incoming| pending().await;
        let meter = Meter::new();
        let left = meter.clone().label("side", "left");
        let (a, b) = pair(builder(), builder().handler(never).observer(meter));
        let (c, d) = pair(builder(), builder().handler(never).observer(left));
        let _first = a.submit(0, 0, "");
        performs_one(&b).await;
        // As if that had been begun earlier, see above.
        tokio::time::sleep(Duration::from_secs(50)).await;
        b.submit(0, 0, "").await.unwrap_err();
        let _second = c.submit(0, 0, "");
        performs_one(&d).await;
        seen.look();
        let starts =
            ["", "side=left"].map(|labels| seen.number(&format!("oldest_handler_start_seconds{{{labels}}}")));
        assert!(starts[1] - starts[0] > 49.0, "{starts:?}");
    });
}

#[test]
fn labels_are_those_that_were_asked_for() {
    with_exporter(|mut seen| async move {
        let meter = Meter::new().label("side", "left");
        let (a, b) =
            pair(builder().name("a").observer(meter.clone()), builder().observer(meter.by_connection()));
        closed([&a, &b]).await;
        let named = Meter::new().by_connection();
        let (c, d) = pair(builder().name("c").observer(named.clone()), builder().name("d").observer(named));
        closed([&c, &d]).await;
        seen.are(&[
            ("connections_opened_total{side=left}", 2),
            ("connections_opened_total{connection=c}", 1),
            ("connections_ended_total{connection=d,result=ok,by=peer}", 1),
        ]);
    });
}

#[test]
fn refusals_and_withdrawals_and_packets_without_a_meaning_are_counted() {
    with_exporter(|mut seen| async move {
        let (here, mut there) = tokio::io::duplex(1 << 12);
        let connection = builder().observer(Meter::new()).spawn(here);
        drop(connection.submit(0, 0, ""));
        let _call = connection.submit(0, 0, "");
        there.read_u8().await.unwrap();
        // A request on an unknown channel, and an answer that nobody waits for.
        there.write_all(&[4, 2, 3, 9, 1, 2, 77, 4]).await.unwrap();
        there.write_all(&[3, 0, 2, 0]).await.unwrap();
        connection.closed().await;
        seen.are(&[
            ("calls_withdrawn_total{}", 1),
            ("requests_refused_total{}", 1),
            ("packets_ignored_total{}", 1),
            ("calls_total{request=0,outcome=lost}", 1),
            ("connections_ended_total{result=ok,by=peer}", 1),
        ]);
    });
}

#[test]
fn the_start_of_the_oldest_handler_is_that_of_all_connections() {
    with_exporter(|mut seen| async move {
        let meter = Meter::new();
        let (finish, finished) = oneshot::channel::<()>();
        let finished = std::sync::Mutex::new(Some(finished));
        let once = move |_: Incoming| {
            let finished = finished.lock().unwrap().take().unwrap();
            async move {
                finished.await.unwrap();
                Ok(().into())
            }
        };
        let never = async |_: Incoming| pending().await;
        let (a, b) = pair(builder(), builder().handler(once).observer(meter.clone()));
        let (c, d) = pair(builder(), builder().handler(never).observer(meter.clone()));
        let mut oldest = move || {
            seen.look();
            seen.numbers.remove("oldest_handler_start_seconds{}").unwrap()
        };
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();

        let before = now();
        let first = a.submit(0, 0, "");
        performs_one(&b).await;
        let start = oldest();
        assert!(before - 1.0 < start && start < now() + 1.0, "{start}");
        // The clock of the handlers moves, that of the system does not: it is as if the first were older.
        tokio::time::sleep(Duration::from_secs(50)).await;
        let _second = c.submit(0, 0, "");
        performs_one(&d).await;
        b.submit(0, 0, "").await.unwrap_err();
        let start = oldest();
        assert!(before - 51.0 < start && start < now() - 49.0, "{start}");
        finish.send(()).unwrap();
        first.await.unwrap();
        let start = oldest();
        assert!(before - 1.0 < start && start < now() + 1.0, "the second is the oldest now: {start}");
        d.abort();
        d.closed().await;
        assert_eq!(oldest().to_bits(), 0.0_f64.to_bits(), "none runs");
        closed([&a, &b]).await;
    });
}
