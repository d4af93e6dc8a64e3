//! What came of requests, by their type.

use super::names::Metric;
use metrics::{Counter, Histogram, Label};
use packetstream_core::description;
use std::collections::HashMap;
use std::time::Duration;

/// Without a protocol, request types below it have labels of their own. A peer could make up any.
const NUMBERS: u64 = 64;

/// What request types are called.
#[derive(Clone, Copy, Default)]
pub(super) enum Names {
    /// By their numbers.
    #[default]
    Numbers,
    /// As in a protocol.
    Protocol(&'static [description::Request]),
}

impl Names {
    /// The request type, if it has a name of its own.
    fn known(self, rq_type: u64) -> Option<u64> {
        let is_known = match self {
            Self::Numbers => rq_type < NUMBERS,
            Self::Protocol(requests) => requests.iter().any(|request| request.rq_type == rq_type),
        };
        is_known.then_some(rq_type)
    }

    /// The label of a request type.
    fn label(self, known: Option<u64>) -> Label {
        let find = |requests: &'static [description::Request]| {
            requests.iter().find(|request| Some(request.rq_type) == known)
        };
        match (self, known) {
            (Self::Numbers, Some(rq_type)) => Label::new("request", rq_type.to_string()),
            (Self::Numbers, None) => Label::from_static_parts("request", "other"),
            (Self::Protocol(requests), _) => {
                Label::from_static_parts("request", find(requests).map_or("unknown", |request| request.name))
            }
        }
    }
}

/// The metrics of requests in one direction.
pub(super) struct Requests {
    ended: &'static Metric,
    seconds: &'static Metric,
    names: Names,
    labels: Vec<Label>,
    found: HashMap<Kind, Ended>,
}

/// A request type, if it has a name of its own, and an outcome.
type Kind = (Option<u64>, &'static str);

struct Ended {
    count: Counter,
    /// Nothing for those that were not answered.
    seconds: Option<Histogram>,
}

impl Requests {
    pub(super) fn new(
        ended: &'static Metric,
        seconds: &'static Metric,
        names: Names,
        labels: Vec<Label>,
    ) -> Self {
        Self { ended, seconds, names, labels, found: HashMap::new() }
    }

    /// One was answered after this time.
    pub(super) fn answered(&mut self, rq_type: u64, outcome: &'static str, time: Duration) {
        if let Some(seconds) = self.count(rq_type, outcome, true) {
            seconds.record(time);
        }
    }

    /// One has ended without an answer.
    pub(super) fn unanswered(&mut self, rq_type: u64, outcome: &'static str) {
        self.count(rq_type, outcome, false);
    }

    fn count(&mut self, rq_type: u64, outcome: &'static str, is_timed: bool) -> Option<&Histogram> {
        let known = self.names.known(rq_type);
        let ended = self.found.entry((known, outcome)).or_insert_with(|| {
            let mut labels = self.labels.clone();
            labels.extend([self.names.label(known), Label::from_static_parts("outcome", outcome)]);
            let seconds = is_timed.then(|| self.seconds.histogram(&labels));
            Ended { count: self.ended.counter(&labels), seconds }
        });
        ended.count.increment(1);
        ended.seconds.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::{CALL_SECONDS, CALLS};
    use super::*;

    #[test]
    fn request_types_without_a_name_are_kept_as_one() {
        for names in [Names::Numbers, Names::Protocol(&[])] {
            let mut requests = Requests::new(&CALLS, &CALL_SECONDS, names, Vec::new());
            for rq_type in NUMBERS..2 * NUMBERS {
                requests.unanswered(rq_type, "lost");
            }
            assert_eq!(requests.found.len(), 1);
        }
    }
}
