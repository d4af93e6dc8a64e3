//! End markers that Python's application sends by itself, and requests that come too late.

use crate::Trials;
use crate::stage::Party;
use crate::stage::{Answer, Stage, Work, lines};
use packetstream_core::{ConnectionError, EndedBy};
use serde_json::Value;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: L-6
    trials.both("python says erq again and again", repeated_erq);

    // Rules: R-11
    trials.both("python asks after its own erq", asks_after_its_erq);

    // Rules: L-4, L-6, L-8
    trials.both("python says eof by itself", explicit_eof);

    // Rules: L-7
    trials.both("python says eof by itself while it waits for an answer", explicit_eof_with_a_request);
    trials.both("a request of ours crosses python's explicit eof", crosses_explicit_eof);
    trials.both("a request of ours crosses python's eof", crosses_close);
    trials.both("we ask after python's eof", we_ask_after_the_end);

    // Rules: L-10
    trials.both("python asks after our eof", python_asks_after_the_end);
}

async fn repeated_erq(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.python.does("send_erq").await;
    stage.python.does("send_erq").await;
    stage.asks(we, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(we).await, Answer::reversed("abc"));
    stage.closes(they).await;
    stage.ends_well(they).await;
    let said = ["ERQ", "ERQ", "ok 2", "ERQ", "EOF"].map(|what| (they, what));
    stage.tape.reads_of(they, &lines(said)).await;
}

async fn asks_after_its_erq(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.python.does("send_erq").await;
    stage.asks(they, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(they).await, Answer::not_ok("requests no longer allowed"));
    stage.closes(we).await;
    stage.hears_the_end_and_closes(they).await;
    stage.ends_well(we).await;
    assert_eq!(stage.ours.connection.stats().requests_refused, 1);
}

async fn explicit_eof(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.python.does("send_eof").await;
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    assert_eq!(report.ended_by, EndedBy::Peer);
    stage.closes(they).await;
    stage.python.closes_well().await;
    let said = [(they, "EOF"), (we, "ERQ"), (we, "EOF")];
    stage.tape.reads(&lines(said)).await;
}

async fn explicit_eof_with_a_request(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(they, Work::Held, "abc").await;
    stage.holds(we, 1).await;
    stage.python.does("send_eof").await;
    stage.tape.has(3).await;
    stage.releases(we).await;
    assert_eq!(stage.answer(they).await, Answer::reversed("abc"));
    assert!(stage.report().await.result.is_ok());
    stage.closes(they).await;
    stage.python.closes_well().await;
    let said = [(they, "request 2"), (they, "EOF"), (we, "ERQ"), (we, "ok 2"), (we, "EOF")];
    stage.tape.reads(&lines(said)).await;
}

/// Python performs it, and cannot answer any more.
async fn crosses_explicit_eof(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.tape.hold(they);
    stage.python.does("send_eof").await;
    stage.tape.has(1).await;
    stage.asks(we, Work::Held, "abc").await;
    stage.holds(they, 1).await;
    stage.releases(they).await;
    stage.tape.pass(they);
    assert_eq!(stage.answer(we).await, Answer::lost("the peer closed the connection"));
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    assert_eq!((report.ended_by, report.calls_lost), (EndedBy::Peer, 1));
    stage.closes(they).await;
    stage.python.closes_well().await;
    let said = [(they, "EOF"), (we, "request 2"), (we, "ERQ"), (we, "EOF")];
    stage.tape.reads(&lines(said)).await;
}

/// Python's receive thread dies of a request after it has closed, and its close returns without our goodbye.
async fn crosses_close(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.tape.hold(they);
    stage.closes(they).await;
    stage.tape.has(2).await;
    stage.asks(we, Work::Reverse, "abc").await;
    assert_eq!(stage.python.says("died").await["exception"], "RuntimeError");
    assert_eq!(stage.python.says("closed").await["raised"], Value::Null);
    stage.tape.pass(they);
    assert_eq!(stage.answer(we).await, Answer::lost("the peer closed the connection"));
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    assert_eq!((report.ended_by, report.calls_lost), (EndedBy::Peer, 1));
    let said = [(they, "ERQ"), (they, "EOF"), (we, "request 2"), (we, "ERQ"), (we, "EOF")];
    stage.tape.reads(&lines(said)).await;
}

async fn we_ask_after_the_end(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.closes(they).await;
    stage.hears_the_end(we).await;
    stage.asks(we, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(we).await, Answer::NotSent);
    stage.ends_well(they).await;
    stage.tape.reads(&lines([(they, "ERQ"), (they, "EOF"), (we, "ERQ"), (we, "EOF")])).await;
}

/// Python sends it, waits for ever for the answer, and does not say goodbye meanwhile. So we stop waiting.
async fn python_asks_after_the_end(we: Party) {
    let they = we.other();
    let mut stage = Stage::set_impatient(we).await;
    stage.closes(we).await;
    stage.hears_the_end(they).await;
    stage.asks(they, Work::Reverse, "abc").await;
    stage.tape.has(3).await;
    stage.closes(they).await;
    let report = stage.report().await;
    assert!(matches!(report.result, Err(ConnectionError::GoodbyeTimedOut(_))), "{report}");
    assert_eq!(report.ended_by, EndedBy::Us);
    // Its close has returned all the same.
    stage.python.closes_well().await;
    stage.python.never_says("answered").await;
    stage.tape.reads(&lines([(we, "ERQ"), (we, "EOF"), (they, "request 2")])).await;
}
