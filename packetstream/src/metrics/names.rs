//! Which metrics there are.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Unit};
use packetstream_core::Stats;

/// A metric, and where its value is found if that is in [`Stats`].
pub(super) struct Metric<F = ()> {
    name: &'static str,
    unit: Unit,
    what: &'static str,
    pub(super) of: F,
}

/// A number that only grows.
pub(super) type Total = Metric<fn(&Stats) -> u64>;

/// What there is now.
pub(super) type Held = Metric<fn(&Stats) -> usize>;

const METADATA: Metadata<'_> = Metadata::new("packetstream", Level::INFO, Some(module_path!()));

const fn metric<F>(name: &'static str, unit: Unit, what: &'static str, of: F) -> Metric<F> {
    Metric { name, unit, what, of }
}

pub(super) const TOTALS: [Total; 9] = [
    metric(
        "packetstream_packets_sent_total",
        Unit::Count,
        "Packets handed to the transport's buffer.",
        |stats| stats.packets_sent,
    ),
    metric("packetstream_packets_received_total", Unit::Count, "Packets read.", |stats| {
        stats.packets_received
    }),
    metric(
        "packetstream_packets_ignored_total",
        Unit::Count,
        "Packets of the peer that made no sense.",
        |stats| stats.packets_ignored,
    ),
    metric("packetstream_bytes_sent_total", Unit::Bytes, "Bytes that the transport has taken.", |stats| {
        stats.bytes_sent
    }),
    metric(
        "packetstream_bytes_received_total",
        Unit::Bytes,
        "Bytes that the transport has brought.",
        |stats| stats.bytes_received,
    ),
    metric("packetstream_flushes_total", Unit::Count, "Times that the transport was flushed.", |stats| {
        stats.flushes
    }),
    metric(
        "packetstream_calls_withdrawn_total",
        Unit::Count,
        "Our requests that were taken back unsent, because nobody waited for them any more.",
        |stats| stats.calls_withdrawn,
    ),
    metric(
        "packetstream_requests_panicked_total",
        Unit::Count,
        "The peer's requests whose handler panicked.",
        |stats| stats.requests_panicked,
    ),
    metric(
        "packetstream_requests_refused_total",
        Unit::Count,
        "The peer's requests that were not performed: too many, on an unknown channel, or too late.",
        |stats| stats.requests_refused,
    ),
];

pub(super) const HELD: [Held; 7] = [
    metric("packetstream_connections", Unit::Count, "Connections there are.", |_| 1),
    metric("packetstream_calls_in_flight", Unit::Count, "Our requests without an answer.", |stats| {
        stats.in_flight
    }),
    metric("packetstream_calls_abandoned", Unit::Count, "Those that nobody waits for.", |stats| {
        stats.abandoned
    }),
    metric(
        "packetstream_calls_queued",
        Unit::Count,
        "Our requests that wait to be sent, and places that are waited for.",
        |stats| stats.queued,
    ),
    metric(
        "packetstream_requests_performing",
        Unit::Count,
        "The peer's requests that are performed.",
        |stats| stats.performing,
    ),
    metric(
        "packetstream_requests_waiting",
        Unit::Count,
        "The peer's requests that wait to be performed.",
        |stats| stats.waiting,
    ),
    metric("packetstream_unsent_bytes", Unit::Bytes, "Bytes that wait to be written.", |stats| {
        stats.unsent_bytes
    }),
];

pub(super) const OPENED: Metric =
    metric("packetstream_connections_opened_total", Unit::Count, "Connections that were made.", ());
pub(super) const ENDED: Metric = metric(
    "packetstream_connections_ended_total",
    Unit::Count,
    "Connections that have ended: `ok` or why not; by `us`, `peer` or `transport`.",
    (),
);
pub(super) const CALLS: Metric = metric(
    "packetstream_calls_total",
    Unit::Count,
    "Our requests that have ended: `ok`, `failed` when the peer answered not-ok, `lost` or `not_sent`.",
    (),
);
pub(super) const REQUESTS: Metric = metric(
    "packetstream_requests_total",
    Unit::Count,
    "The peer's requests that were performed: `ok` or `failed`.",
    (),
);
pub(super) const REQUESTS_UNANSWERED: Metric = metric(
    "packetstream_requests_unanswered_total",
    Unit::Count,
    "The peer's requests that got no answer, because the connection ended.",
    (),
);
pub(super) const OLDEST_HANDLER: Metric = metric(
    "packetstream_oldest_handler_start_seconds",
    Unit::Seconds,
    "When the oldest handler that still runs was begun, in seconds since 1970; 0 if none runs.",
    (),
);
pub(super) const CALL_SECONDS: Metric =
    metric("packetstream_call_seconds", Unit::Seconds, "How long the peer took to answer.", ());
pub(super) const REQUEST_SECONDS: Metric =
    metric("packetstream_request_seconds", Unit::Seconds, "How long handlers took.", ());
pub(super) const FLUSH_PACKETS: Metric =
    metric("packetstream_flush_packets", Unit::Count, "Packets that shared a flush.", ());

const COUNTERS: [Metric; 5] = [OPENED, ENDED, CALLS, REQUESTS, REQUESTS_UNANSWERED];
const HISTOGRAMS: [Metric; 3] = [CALL_SECONDS, REQUEST_SECONDS, FLUSH_PACKETS];

/// Tells the exporter what the metrics mean.
pub(super) fn describe() {
    let totals = TOTALS.iter().map(Metric::described);
    for (name, unit, what) in totals.chain(COUNTERS.iter().map(Metric::described)) {
        metrics::describe_counter!(name, unit, what);
    }
    for (name, unit, what) in HELD.iter().map(Metric::described).chain([OLDEST_HANDLER.described()]) {
        metrics::describe_gauge!(name, unit, what);
    }
    for (name, unit, what) in HISTOGRAMS.iter().map(Metric::described) {
        metrics::describe_histogram!(name, unit, what);
    }
}

impl<F> Metric<F> {
    const fn described(&self) -> (&'static str, Unit, &'static str) {
        (self.name, self.unit, self.what)
    }

    fn key(&self, labels: &[Label]) -> Key {
        Key::from_parts(self.name, labels.to_vec())
    }

    pub(super) fn counter(&self, labels: &[Label]) -> Counter {
        metrics::with_recorder(|recorder| recorder.register_counter(&self.key(labels), &METADATA))
    }

    pub(super) fn gauge(&self, labels: &[Label]) -> Gauge {
        metrics::with_recorder(|recorder| recorder.register_gauge(&self.key(labels), &METADATA))
    }

    pub(super) fn histogram(&self, labels: &[Label]) -> Histogram {
        metrics::with_recorder(|recorder| recorder.register_histogram(&self.key(labels), &METADATA))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_of_every_metric_what_it_is() {
        let page = include_str!("../../docs/metrics.md");
        let totals = TOTALS.iter().map(Metric::described);
        let held = HELD.iter().map(Metric::described);
        let others = COUNTERS.iter().chain(&HISTOGRAMS).chain([&OLDEST_HANDLER]).map(Metric::described);
        let metrics: Vec<_> = totals.chain(held).chain(others).collect();
        for (name, _, what) in &metrics {
            let rows = page.lines().filter(|line| line.starts_with(&format!("| `{name}` | ")));
            assert_eq!(rows.filter(|line| line.ends_with(&format!(" | {what} |"))).count(), 1, "{name}");
        }
        assert_eq!(page.matches("\n| `packetstream_").count(), metrics.len(), "and of no other");
    }
}
