//! What our verbs do to a Python peer.

use crate::Trials;
use crate::stage::Party;
use crate::stage::{Answer, Stage, Work, lines, soon};
use packetstream_core::{ConnectionError, EndedBy};

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: L-2
    trials.both("we drain and answer on until python closes", we_drain);

    // Rules: L-2, L-5
    trials.both("we drain, then close", we_drain_then_close);

    // Rules: L-9
    trials.both("both sides drain", both_drain);

    // Rules: none: what our barrier is
    trials.both("we wait for a barrier", barrier);

    // Rules: L-17
    trials.both("we abort", abort);
}

/// Python does not react to the end of our requests. It goes on asking, and we answer.
async fn we_drain(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(we, Work::Held, "ours").await;
    stage.holds(they, 1).await;
    stage.ours.connection.drain();
    stage.tape.has(2).await;
    stage.asks(they, Work::Reverse, "theirs").await;
    assert_eq!(stage.answer(they).await, Answer::reversed("theirs"));
    stage.releases(they).await;
    assert_eq!(stage.answer(we).await, Answer::reversed("ours"));
    stage.asks(we, Work::Reverse, "too late").await;
    assert_eq!(stage.answer(we).await, Answer::NotSent);
    stage.asks(they, Work::Reverse, "once more").await;
    assert_eq!(stage.answer(they).await, Answer::reversed("once more"));

    stage.closes(they).await;
    stage.ends_well(they).await;
    let begin = [(we, "request 2"), (we, "ERQ"), (they, "request 2"), (we, "ok 2"), (they, "ok 2")];
    assert_eq!(stage.tape.lines()[..5], lines(begin));
    let ours = ["request 2", "ERQ", "ok 2", "ok 3", "EOF"].map(|what| (we, what));
    stage.tape.reads_of(we, &lines(ours)).await;
    let theirs = ["request 2", "ok 2", "request 3", "ERQ", "EOF"].map(|what| (they, what));
    stage.tape.reads_of(they, &lines(theirs)).await;
}

async fn we_drain_then_close(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.ours.connection.drain();
    stage.ours.connection.drain();
    stage.tape.reads(&lines([(we, "ERQ")])).await;
    stage.closes(we).await;
    stage.hears_the_end_and_closes(we.other()).await;
    stage.ends_well(we).await;
    stage.tape.reads_of(we, &lines([(we, "ERQ"), (we, "EOF")])).await;
}

async fn both_drain(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(they, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(they).await, Answer::reversed("abc"));
    stage.ours.connection.drain();
    stage.tape.has(3).await;
    stage.python.does("send_erq").await;
    soon(stage.ours.connection.peer_drained()).await;
    // We close by ourselves, and Python's application when it hears of that.
    stage.hears_the_end_and_closes(they).await;
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    stage.agrees(&report).await;
    stage.python.closes_well().await;
    let said = [
        (they, "request 2"),
        (we, "ok 2"),
        (we, "ERQ"),
        (they, "ERQ"),
        (we, "EOF"),
        (they, "ERQ"),
        (they, "EOF"),
    ];
    stage.tape.reads(&lines(said)).await;
}

async fn barrier(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(we, Work::Held, "held").await;
    stage.asks(we, Work::Reverse, "abc").await;
    stage.holds(they, 1).await;
    stage.tape.has(3).await;
    let mut barrier = std::pin::pin!(stage.ours.connection.barrier());
    stage.asks(they, Work::Reverse, "xyz").await;
    tokio::select! {
        biased;
        () = &mut barrier => panic!("a request before it has no answer"),
        answer = stage.python.answer("Reverse of xyz") => assert_eq!(answer, Answer::reversed("xyz")),
    }
    stage.releases(they).await;
    soon(barrier).await;
    assert_eq!(stage.answer(we).await, Answer::reversed("held"));
    assert_eq!(stage.answer(we).await, Answer::reversed("abc"));
    assert_eq!(stage.tape.lines().len(), 6, "a barrier sends nothing");
    stage.closes(we).await;
    stage.hears_the_end_and_closes(they).await;
    stage.ends_well(we).await;
}

async fn abort(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(we, Work::Held, "ours").await;
    stage.asks(they, Work::Held, "theirs").await;
    stage.holds(they, 1).await;
    stage.holds(we, 1).await;
    stage.ours.connection.abort();
    assert_eq!(stage.answer(we).await, Answer::lost("the connection was aborted"));
    let report = stage.report().await;
    assert!(matches!(report.result, Err(ConnectionError::Aborted)), "{report}");
    assert_eq!(report.ended_by, EndedBy::Us);
    assert_eq!((report.calls_lost, report.requests_unanswered), (1, 1), "{report}");
    stage.tape.reads_of(we, &lines([(we, "request 2"), (we, "EOF")])).await;
    // To Python it is a goodbye like another; who waits for an answer there waits on.
    stage.hears_the_end_and_closes(they).await;
    stage.python.never_says("answered").await;
    stage.releases(they).await;
    stage.python.says("closed").await;
}
