//! Requests that are performed by asking back, while a side closes.

use crate::Trials;
use crate::stage::Party::{self, Client, Server};
use crate::stage::{Answer, Stage, Work};

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: R-18
    trials.both("both ask back", both_ask_back);

    // Rules: R-18, L-5
    trials.both("a server asks back after the client has closed", asks_back_after_the_client);
    trials.both("a server that has closed asks back", asks_back_after_its_own_end);
}

async fn both_ask_back(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.asks(Client, Work::AskBack, "abc").await;
    stage.asks(Server, Work::AskBack, "xyz").await;
    assert_eq!(stage.answer(Client).await, Answer::reversed("abc"));
    assert_eq!(stage.answer(Server).await, Answer::reversed("xyz"));
    stage.closes(Client).await;
    stage.hears_the_end_and_closes(Server).await;
    stage.ends_well(Client).await;
    let lines = stage.tape.lines();
    assert_eq!(lines[lines.len() - 4..], ["> ERQ", "> EOF", "< ERQ", "< EOF"]);
}

async fn asks_back_after_the_client(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.asks(Client, Work::HeldAskBack, "abc").await;
    stage.holds(Server, 1).await;
    stage.closes(Client).await;
    let erq = if we == Client { &["> ERQ"][..] } else { &[] };
    stage.tape.reads(&[&["> request 2"], erq].concat()).await;
    stage.releases(Server).await;
    assert_eq!(stage.answer(Client).await, Answer::reversed("abc"));
    stage.hears_the_end_and_closes(Server).await;
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    stage.agrees(&report).await;
    // Python says nothing of its end before it has the answer, whatever it has promised its application.
    let late_erq = if we == Client { &[][..] } else { &["> ERQ"] };
    let asked = ["< request 2", "> ok 2", "< ok 2"];
    stage.tape.reads(&[&["> request 2"], erq, &asked, late_erq, &["> EOF", "< ERQ", "< EOF"]].concat()).await;
    stage.python.says("closed").await;
}

async fn asks_back_after_its_own_end(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.asks(Client, Work::HeldAskBack, "abc").await;
    stage.holds(Server, 1).await;
    stage.settles(Server).await;
    stage.closes(Server).await;
    stage.tape.reads(&["> request 2", "< request 2", "> ok 2", "< ERQ"]).await;
    stage.releases(Server).await;
    // Neither side's handler can ask any more. Ours is told so by our side; Python's by its own, or else by us.
    let words = if we == Client { "exception during handler" } else { "request not sent" };
    assert_eq!(stage.answer(Client).await, Answer::not_ok(words));
    stage.hears_the_end_and_closes(Client).await;
    stage.ends_well(Server).await;
    let refused = ["< request 3", "> not-ok 3"];
    let mut lines = stage.tape.lines();
    if we == Client && lines.get(4..6).is_some_and(|lines| lines == refused) {
        lines.drain(4..6);
    }
    assert_eq!(lines[4..], ["< not-ok 2", "< EOF", "> ERQ", "> EOF"]);
}
