//! One side goes without its goodbye, or does not come to it.

use crate::Trials;
use crate::ours::Ours;
use crate::puppet::Puppet;
use crate::stage::{Answer, Party, Stage, Work, lines, soon};
use packetstream_core::{ConnectionError, EndedBy, PacketConnection};
use serde_json::json;
use std::io;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: L-13
    trials.both("python is killed", python_is_killed);
    trials.both("we vanish", we_vanish);

    // Rules: L-12
    trials.one("python resets the connection", python_resets);
    trials.one("we reset the connection", we_reset);

    // Rules: L-11
    trials.one("we vanish, and the socket is shut", we_vanish_and_shut_the_socket);

    // Rules: L-13
    trials.both("python closes its half of the transport without a goodbye", python_half_closes);
    trials.both("our half of the transport ends without a goodbye", our_half_ends);

    // Rules: L-15
    trials.both("python never says goodbye", python_never_says_goodbye);
    trials.both("our goodbye never comes", our_goodbye_never_comes);
}

async fn python_is_killed(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(we, Work::Held, "ours").await;
    stage.asks(they, Work::Held, "theirs").await;
    stage.holds(they, 1).await;
    stage.holds(we, 1).await;
    stage.python.is_killed().await;
    assert_eq!(stage.answer(we).await, Answer::lost("the stream ended without the peer's goodbye"));
    // It may have closed one direction only, so that its request is still worth an answer.
    stage.releases(we).await;
    let report = stage.report().await;
    assert!(matches!(report.result, Err(ConnectionError::NoGoodbye)), "{report}");
    assert_eq!((report.ended_by, report.calls_lost), (EndedBy::Transport, 1), "{report}");
    stage.tape.reads_of(they, &lines([(they, "request 2")])).await;
    let said = ["request 2", "ERQ", "ok 2", "EOF"].map(|what| (we, what));
    stage.tape.reads_of(we, &lines(said)).await;
}

/// To Python it is as if we had said goodbye, and who waits for an answer there waits on.
async fn we_vanish(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(they, Work::Held, "theirs").await;
    stage.asks(we, Work::Held, "ours").await;
    stage.holds(we, 1).await;
    stage.holds(they, 1).await;
    stage.ours.vanish().await;
    assert_eq!(stage.answer(we).await, Answer::lost("the connection's task is gone"));
    let report = stage.report().await;
    assert_eq!((report.calls_lost, report.requests_unanswered), (1, 1), "{report}");
    assert_eq!(report.ended_by, EndedBy::Us, "{report}");
    stage.hears_the_end(they).await;
    stage.releases(they).await;
    stage.tape.has(3).await;
    stage.python.never_says("lost").await;
    stage.closes(they).await;
    stage.python.says("closed").await;
    let said = ["request 2", "ok 2", "ERQ", "EOF"].map(|what| (they, what));
    stage.tape.reads_of(they, &lines(said)).await;
}

/// Python closed one half of its socket.
async fn python_half_closes(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(they, Work::Held, "abc").await;
    stage.holds(we, 1).await;
    stage.python.does("shut_write").await;
    stage.tape.reads(&lines([(they, "request 2"), (we, "ERQ")])).await;
    stage.releases(we).await;
    assert_eq!(stage.answer(they).await, Answer::reversed("abc"));
    let report = stage.report().await;
    assert!(matches!(report.result, Err(ConnectionError::NoGoodbye)), "{report}");
    assert_eq!((report.ended_by, report.requests_unanswered), (EndedBy::Transport, 0), "{report}");
    stage.agrees(&report).await;
    stage.tape.reads(&lines([(they, "request 2"), (we, "ERQ"), (we, "ok 2"), (we, "EOF")])).await;
}

async fn our_half_ends(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(we, Work::Held, "abc").await;
    stage.holds(they, 1).await;
    stage.tape.cut(we);
    stage.hears_the_end(they).await;
    stage.releases(they).await;
    assert_eq!(stage.answer(we).await, Answer::reversed("abc"));
    stage.closes(they).await;
    stage.ends_well(they).await;
    let said = [(we, "request 2"), (they, "ok 2"), (they, "ERQ"), (they, "EOF"), (we, "ERQ"), (we, "EOF")];
    stage.tape.reads(&lines(said)).await;
}

/// Its application does not close, and we have our limit.
async fn python_never_says_goodbye(we: Party) {
    let mut stage = Stage::set_impatient(we).await;
    stage.asks(we, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(we).await, Answer::reversed("abc"));
    stage.closes(we).await;
    let report = stage.report().await;
    assert!(matches!(report.result, Err(ConnectionError::GoodbyeTimedOut(_))), "{report}");
    assert_eq!((report.ended_by, report.calls_lost), (EndedBy::Us, 0), "{report}");
    stage.agrees(&report).await;
}

/// Python has no limit: it waits until the goodbye comes.
async fn our_goodbye_never_comes(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.tape.hold(we);
    stage.closes(they).await;
    stage.tape.reads(&lines([(they, "ERQ"), (they, "EOF"), (we, "ERQ"), (we, "EOF")])).await;
    stage.python.never_says("closed").await;
    stage.tape.pass(we);
    stage.ends_well(they).await;
}

/// Both sides with nothing between.
struct Bare {
    ours: Ours,
    python: Puppet,
    _directory: Option<TempDir>,
}

impl Bare {
    /// Over TCP. What becomes of the connection when our side goes away is a reset, if that is wanted.
    async fn over_tcp(we_reset: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut python = Puppet::start(&format!("tcp://{}", listener.local_addr().unwrap()));
        let (stream, _) = soon(listener.accept()).await.unwrap();
        if we_reset {
            stream.set_zero_linger().unwrap();
        }
        python.does("open").await;
        Self { ours: Ours::over(stream, PacketConnection::builder()), python, _directory: None }
    }

    /// Over a Unix socket, which fails to be written as soon as the other side is gone.
    async fn over_unix() -> Self {
        let (directory, stream, mut python) = Puppet::start_over_unix().await;
        python.does("open").await;
        Self { ours: Ours::over(stream, PacketConnection::builder()), python, _directory: Some(directory) }
    }

    async fn python_asks(&mut self, work: Work) {
        let request = json!({ "do": "submit", "as": "theirs", "type": work.number(), "payload": "00" });
        self.python.obeys(request).await;
    }
}

async fn python_resets() {
    let Bare { mut ours, mut python, .. } = Bare::over_tcp(false).await;
    ours.ask(Work::Held, "ours");
    python.says("handling").await;
    python.does("linger_not").await;
    python.is_killed().await;
    let answer = soon(ours.answer()).await;
    assert_eq!(answer, Answer::lost("cannot read from the peer"));
    let report = soon(ours.connection.closed()).await;
    let Err(ConnectionError::Read(error)) = &report.result else { panic!("{report}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((report.ended_by, report.calls_lost), (EndedBy::Transport, 1), "{report}");
}

/// Python's receive thread dies, and with it every hope of whoever waits for an answer.
async fn we_reset() {
    let mut bare = Bare::over_tcp(true).await;
    bare.python_asks(Work::Held).await;
    soon(bare.ours.holds(1)).await;
    bare.ours.vanish().await;
    assert_eq!(bare.python.says("died").await["exception"], "ConnectionResetError");
    bare.python.never_says("lost").await;
    bare.python.does("close").await;
    // Sometimes with a `BrokenPipeError`.
    bare.python.says("closed").await;
}

async fn we_vanish_and_shut_the_socket() {
    let mut bare = Bare::over_unix().await;
    bare.ours.vanish().await;
    bare.python.does("join_recv").await;
    bare.python.says("joined").await;
    bare.python.does("close").await;
    assert_eq!(bare.python.says("closed").await["raised"], "BrokenPipeError");
}
