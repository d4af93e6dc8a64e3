//! A conversation: our side, Python's, and the tap between them.

use crate::ours::Ours;
use crate::puppet::Puppet;
use crate::tape::Tape;
use packetstream_core::{Builder, CloseReport, EndedBy, Limits, PacketConnection};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixStream;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One of the two in a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Party {
    Client,
    Server,
}

/// What a party can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Work {
    /// To reverse the payload.
    Reverse = 1,
    /// The same, when it is released.
    Held = 2,
    /// To ask the asker to reverse it.
    AskBack = 3,
    /// The same, when it is released.
    HeldAskBack = 4,
    /// To answer in the form of Python's that the payload names.
    Form = 5,
}

/// What came of a request.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Ok(u64, Vec<u8>),
    /// Not-ok, with these words.
    NotOk(String),
    /// None will come, for this reason.
    Lost(String),
    /// It never left.
    NotSent,
}

/// A conversation.
pub(crate) struct Stage {
    pub(crate) ours: Ours,
    pub(crate) python: Puppet,
    pub(crate) tape: Tape,
    we: Party,
    /// Python's requests that were not asked about.
    asked: VecDeque<String>,
    _directory: TempDir,
}

impl Stage {
    /// Begins a conversation in which we are the client, or the server.
    pub(crate) async fn set(we: Party) -> Self {
        Self::set_with(we, PacketConnection::builder()).await
    }

    /// The same, where our side does not wait long for the peer's last packet.
    pub(crate) async fn set_impatient(we: Party) -> Self {
        let limits = Limits { close_timeout: Duration::from_millis(300), ..Limits::default() };
        Self::set_with(we, PacketConnection::builder().limits(limits)).await
    }

    /// The same, with our side built as is said.
    pub(crate) async fn set_with(we: Party, builder: Builder) -> Self {
        Self::between(we, json!({ "do": "open" }), |transport| Ours::over(transport, builder)).await
    }

    /// The same, with both sides as is said.
    pub(crate) async fn between(we: Party, open: Value, make_ours: impl FnOnce(UnixStream) -> Ours) -> Self {
        let (our_transport, tap_of_ours) = UnixStream::pair().unwrap();
        let (directory, tap_of_python, mut python) = Puppet::start_over_unix().await;
        python.obeys(open).await;
        let tape = match we {
            Party::Client => Tape::between(tap_of_ours, tap_of_python),
            Party::Server => Tape::between(tap_of_python, tap_of_ours),
        };
        let ours = make_ours(our_transport);
        Self { ours, python, tape, we, asked: VecDeque::new(), _directory: directory }
    }

    /// Has a party ask the other.
    pub(crate) async fn asks(&mut self, party: Party, work: Work, payload: &str) {
        if party == self.we {
            return self.ours.ask(work, payload);
        }
        let name = format!("{work:?} of {payload}");
        let request = json!({ "do": "submit", "as": name, "type": work.number(), "payload": payload });
        self.python.obeys(request).await;
        self.asked.push_back(name);
    }

    /// What came of the oldest request of a party that this was not asked of.
    pub(crate) async fn answer(&mut self, party: Party) -> Answer {
        if party == self.we {
            return soon(self.ours.answer()).await;
        }
        let name = self.asked.pop_front().unwrap();
        self.python.answer(&name).await
    }

    /// Has a party close.
    pub(crate) async fn closes(&mut self, party: Party) {
        if party == self.we {
            self.ours.connection.close();
        } else {
            self.python.does("close").await;
        }
    }

    /// Waits until a party knows that the other has said its last. We close then, and Python, which does nothing by
    /// itself, is told to.
    pub(crate) async fn hears_the_end_and_closes(&mut self, party: Party) {
        if party == self.we {
            soon(self.ours.connection.peer_closed()).await;
        } else {
            self.hears_the_end(party).await;
            self.python.does("close").await;
        }
    }

    /// Waits until a party knows that the other has said its last.
    pub(crate) async fn hears_the_end(&mut self, party: Party) {
        if party == self.we {
            soon(self.ours.connection.peer_closed()).await;
        } else {
            self.python.does("join_recv").await;
            self.python.says("joined").await;
        }
    }

    /// Waits until a party performs so many held requests.
    pub(crate) async fn holds(&mut self, party: Party, count: usize) {
        if party == self.we {
            return soon(self.ours.holds(count)).await;
        }
        for _ in 0..count {
            self.python.says("handling").await;
        }
    }

    /// Has a party ask something, so that what it was asked before has surely reached it. Python forgets what it owes
    /// when it closes just as it begins a request.
    pub(crate) async fn settles(&mut self, party: Party) {
        self.asks(party, Work::Reverse, "settled").await;
        assert_eq!(self.answer(party).await, Answer::reversed("settled"));
    }

    /// Lets a party go on with held requests.
    pub(crate) async fn releases(&mut self, party: Party) {
        if party == self.we {
            self.ours.release();
        } else {
            self.python.does("release").await;
        }
    }

    /// How it ended for us.
    pub(crate) async fn report(&self) -> CloseReport {
        soon(self.ours.connection.closed()).await
    }

    /// That both sides come to their end in good order, that our report blames the right one for it, and that it has
    /// counted what the tap has heard.
    pub(crate) async fn ends_well(&mut self, first: Party) {
        let report = self.report().await;
        assert!(report.result.is_ok(), "{report}");
        let ended_by = if first == self.we { EndedBy::Us } else { EndedBy::Peer };
        assert_eq!(report.ended_by, ended_by, "{report}");
        assert_eq!(
            (report.calls_lost, report.calls_unsent, report.requests_unanswered),
            (0, 0, 0),
            "{report}"
        );
        self.python.closes_well().await;
        self.agrees(&report).await;
    }

    /// That we have counted what the tap has heard.
    pub(crate) async fn agrees(&self, report: &CloseReport) {
        let stats = &report.stats;
        self.tape.hears(self.we, stats.packets_sent, stats.bytes_sent).await;
        self.tape.hears(self.we.other(), stats.packets_received, stats.bytes_received).await;
    }
}

/// What the tape reads when each party has said what it is given with.
pub(crate) fn lines<const N: usize>(said: [(Party, &str); N]) -> [String; N] {
    said.map(|(party, what)| format!("{} {what}", party.sign()))
}

/// What a wait comes to, which is over soon.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.expect("waited in vain")
}

impl Answer {
    /// The flags of what was reversed.
    pub(crate) const FLAGS: u64 = 0x11;

    /// The answer of who was to reverse `payload`.
    pub(crate) fn reversed(payload: &str) -> Self {
        Self::Ok(Self::FLAGS, payload.bytes().rev().collect())
    }

    pub(crate) fn not_ok(words: &str) -> Self {
        Self::NotOk(words.into())
    }

    pub(crate) fn lost(why: &str) -> Self {
        Self::Lost(why.into())
    }
}

impl Work {
    const ALL: [Self; 5] = [Self::Reverse, Self::Held, Self::AskBack, Self::HeldAskBack, Self::Form];

    pub(crate) fn number(self) -> u64 {
        self as u64
    }

    pub(crate) fn of(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|work| work.number() == number)
    }
}

impl Party {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// The direction of what it says.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Client => ">",
            Self::Server => "<",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
