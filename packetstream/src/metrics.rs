#![doc = include_str!("../docs/metrics.md")]

mod names;
mod oldest;
mod requests;
mod watched;

use crate::protocol::Protocol;
use metrics::Label;
use oldest::Oldest;
use packetstream_core::{CallError, CloseReport, Observer, Outcome, RequestId, Stats};
use requests::Names;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use watched::Watched;

/// Has the metrics of a connection go to the facade `metrics`. It watches one connection; a clone watches another one,
/// and adds to the same metrics.
///
/// The module's page has them all.
#[derive(Default)]
pub struct Meter {
    settings: Settings,
    common: Arc<Common>,
    /// The connection, while there is one.
    watched: Mutex<Option<Watched>>,
}

/// How metrics are labelled.
#[derive(Clone, Default)]
struct Settings {
    labels: Vec<Label>,
    by_connection: bool,
    asking: Names,
    serving: Names,
}

/// What a meter and its clones have in common.
#[derive(Default)]
struct Common {
    described: OnceLock<()>,
    oldest: Arc<Oldest>,
}

impl Meter {
    /// A meter without a label, that knows no protocol.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Our requests are those of protocol `P`, and have its names.
    #[must_use]
    pub fn asking<P: Protocol>(mut self) -> Self {
        self.settings.asking = Names::Protocol(P::REQUESTS);
        self
    }

    /// The peer's requests are those of protocol `P`, and have its names.
    #[must_use]
    pub fn serving<P: Protocol>(mut self) -> Self {
        self.settings.serving = Names::Protocol(P::REQUESTS);
        self
    }

    /// Labels everything with the connection's [`name`](crate::Builder::name), if it has one: `connection`. Each name
    /// makes metrics of its own, which stay when the connection has ended: let there be few.
    #[must_use]
    pub fn by_connection(mut self) -> Self {
        self.settings.by_connection = true;
        self
    }

    /// One more label for everything. What a meter with this label and its clones tell is apart from what others do.
    #[must_use]
    pub fn label(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.settings.labels.push(Label::new(key.into(), value.into()));
        // Metrics with other labels are others: what was common to it and its clones is so no more.
        self.common = Arc::default();
        self
    }

    fn watch(&self, see: impl FnOnce(&mut Watched)) {
        // Only the connection's task is here; nothing else waits.
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = watched.as_mut() {
            see(watched);
        }
    }

    fn replace(&self, watched: Option<Watched>) {
        let mut place = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        *place = watched;
    }
}

impl Observer for Meter {
    fn opened(&self, name: Option<&str>) {
        self.common.described.get_or_init(names::describe);
        let mut settings = self.settings.clone();
        if let Some(name) = name
            && settings.by_connection
        {
            settings.labels.push(Label::new("connection", name.to_owned()));
        }
        let oldest = Arc::clone(&self.common.oldest);
        self.replace(Some(Watched::new(settings, &self.settings.labels, oldest)));
    }

    fn flushed(&self, packets: u64) {
        self.watch(|watched| watched.flushed(packets));
    }

    fn call_answered(&self, rq_type: u64, waited: Duration, outcome: &Outcome) {
        let outcome = if outcome.is_ok() { "ok" } else { "failed" };
        self.watch(|watched| watched.calls.answered(rq_type, outcome, waited));
    }

    fn call_unanswered(&self, rq_type: u64, _: Duration, error: &CallError) {
        let outcome = if matches!(error, CallError::NotSent(_)) { "not_sent" } else { "lost" };
        self.watch(|watched| watched.calls.unanswered(rq_type, outcome));
    }

    fn request_answered(&self, _: RequestId, rq_type: u64, took: Duration, outcome: &Outcome) {
        let outcome = if outcome.is_ok() { "ok" } else { "failed" };
        self.watch(|watched| watched.requests.answered(rq_type, outcome, took));
    }

    fn turned(&self, stats: &Stats) {
        self.watch(|watched| watched.turned(stats));
    }

    fn ended(&self, report: &CloseReport) {
        self.watch(|watched| watched.ended(report));
        self.replace(None);
    }
}

impl Clone for Meter {
    /// A meter for another connection.
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), common: Arc::clone(&self.common), watched: Mutex::default() }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("labels", &self.settings.labels)
            .field("by_connection", &self.settings.by_connection)
            .finish_non_exhaustive()
    }
}
