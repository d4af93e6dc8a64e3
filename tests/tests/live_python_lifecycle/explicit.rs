//! End markers that Python's application sends by itself, and requests that come too late.

use crate::Trials;
use crate::stage::Party::{self, Client, Server};
use crate::stage::{Answer, Stage, Work};
use packetstream_core::{ConnectionError, EndedBy};

pub(crate) fn add_to(trials: &mut Trials) {
    trials.both("python says erq again and again", repeated_erq);
    trials.both("python asks after its own erq", asks_after_its_erq);
    //    trials.both("python says eof by itself", explicit_eof);
    //    trials.both("python says eof by itself while it waits for an answer", explicit_eof_with_a_request);
    //    trials.both("a request of ours crosses python's explicit eof", crosses_explicit_eof);
    //    trials.both("we ask after python's eof", we_ask_after_the_end);
    //    trials.both("python asks after our eof", python_asks_after_the_end);
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
    let said = ["ERQ", "ERQ", "ok 2", "ERQ", "EOF"].map(|what| format!("{} {what}", they.sign()));
    stage.tape.reads_of(they, &said.each_ref().map(String::as_str)).await;
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
