//! Either closes first, or both; with nothing left to do, or with something.

use crate::Trials;
use crate::stage::Party::{self, Client, Server};
use crate::stage::{Answer, Stage, Work, lines};

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: L-5, L-8
    trials.both("the client closes first", the_client_closes_first);
    trials.both("the server closes first", the_server_closes_first);

    // Rules: L-8
    trials.both("a side that has heard the end and does not close says nothing", late_to_close);

    // Rules: L-14
    trials.both("both close at once", both_close_at_once);

    // Rules: L-3, L-4, L-5
    trials.both("what waits is answered between erq and eof", what_waits_is_answered);

    // Rules: L-5
    trials.both("the client closes with requests of its own", with_requests_of_its_own);

    // Rules: L-5, L-8
    trials.both("the client closes without a request", without_a_request);

    // Rules: L-5, R-1
    trials.one("a request that crosses our goodbye is served", crosses_our_goodbye);

    // Rules: L-7
    trials.one("a request that crosses python's goodbye is answered or lost", crosses_pythons_goodbye);
}

async fn the_client_closes_first(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.asks(Client, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(Client).await, Answer::reversed("abc"));
    stage.closes(Client).await;
    stage.hears_the_end_and_closes(Server).await;
    stage.ends_well(Client).await;
    stage.tape.reads(&["> request 2", "< ok 2", "> ERQ", "> EOF", "< ERQ", "< EOF"]).await;
}

async fn the_server_closes_first(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.asks(Client, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(Client).await, Answer::reversed("abc"));
    stage.closes(Server).await;
    stage.hears_the_end_and_closes(Client).await;
    stage.ends_well(Server).await;
    stage.tape.reads(&["> request 2", "< ok 2", "< ERQ", "< EOF", "> ERQ", "> EOF"]).await;
}

/// Python does not answer a goodbye before its application closes. We do, at once.
async fn late_to_close(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.closes(we).await;
    stage.hears_the_end(we.other()).await;
    stage.python.never_says("closed").await;
    stage.tape.reads(&lines([(we, "ERQ"), (we, "EOF")])).await;
    stage.closes(we.other()).await;
    stage.ends_well(we).await;

    let mut stage = Stage::set(we).await;
    stage.closes(we.other()).await;
    // Nobody has told us to.
    stage.ends_well(we.other()).await;
}

async fn both_close_at_once(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.tape.hold(Client);
    stage.tape.hold(Server);
    stage.closes(Client).await;
    stage.closes(Server).await;
    stage.tape.reads_of(Client, &["> ERQ", "> EOF"]).await;
    stage.tape.reads_of(Server, &["< ERQ", "< EOF"]).await;
    stage.python.never_says("closed").await;
    stage.tape.pass(Client);
    stage.tape.pass(Server);
    // Each believes that it was the first.
    stage.ends_well(we).await;
    stage.tape.has(4).await;
    assert_eq!(stage.tape.lines().len(), 4);
}

/// Python performs four requests at a time; six are more than it has begun when it closes.
async fn what_waits_is_answered(we: Party) {
    let mut stage = Stage::set(we).await;
    let payloads = ["a1", "b2", "c3", "d4", "e5", "f6"];
    for payload in payloads {
        stage.asks(Client, Work::Held, payload).await;
    }
    stage.holds(Server, 4).await;
    stage.settles(Server).await;
    stage.closes(Server).await;
    stage.tape.reads_of(Server, &["< request 2", "< ERQ"]).await;
    stage.python.never_says("closed").await;
    stage.releases(Server).await;
    for payload in payloads {
        assert_eq!(stage.answer(Client).await, Answer::reversed(payload));
    }
    stage.hears_the_end_and_closes(Client).await;
    stage.ends_well(Server).await;

    let lines = stage.tape.lines();
    let (asked, rest) = lines.split_at(9);
    assert_eq!(asked.last().unwrap(), "< ERQ");
    let (answers, goodbye) = rest.split_at(6);
    assert!(answers.iter().all(|line| line.starts_with("< ok")), "{answers:?}");
    assert_eq!(goodbye, ["< EOF", "> ERQ", "> EOF"]);
}

async fn with_requests_of_its_own(we: Party) {
    let mut stage = Stage::set(we).await;
    let payloads = ["a1", "b2", "c3", "d4", "e5", "f6"];
    for payload in payloads {
        stage.asks(Client, Work::Held, payload).await;
    }
    stage.holds(Server, 4).await;
    stage.closes(Client).await;
    if we == Client {
        // So that the server knows, while it performs.
        stage.tape.has(7).await;
        assert_eq!(stage.tape.lines()[6], "> ERQ");
    } else {
        // Python returns from its close at once, and sends nothing before the last of its requests is answered.
        stage.python.closes_well().await;
        stage.python.never_says("died").await;
        assert_eq!(stage.tape.lines().len(), 6);
    }
    stage.releases(Server).await;
    for payload in payloads {
        assert_eq!(stage.answer(Client).await, Answer::reversed(payload));
    }
    stage.hears_the_end_and_closes(Server).await;
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    assert_eq!((report.calls_lost, report.requests_unanswered), (0, 0), "{report}");
    stage.agrees(&report).await;
    let lines = stage.tape.lines();
    assert_eq!(lines[lines.len() - 3..], ["> EOF", "< ERQ", "< EOF"]);
    assert_eq!(lines.iter().filter(|line| *line == "> ERQ").count(), 1);
    if we == Client {
        stage.python.closes_well().await;
    } else {
        // The thread that has closed in the end; all is said by then.
        assert_eq!(stage.python.says("died").await["exception"], "TypeError");
    }
}

async fn without_a_request(we: Party) {
    let mut stage = Stage::set(we).await;
    stage.closes(Client).await;
    stage.hears_the_end_and_closes(Server).await;
    stage.ends_well(Client).await;
    stage.tape.reads(&["> ERQ", "> EOF", "< ERQ", "< EOF"]).await;
}

async fn crosses_our_goodbye() {
    let mut stage = Stage::set(Server).await;
    stage.asks(Client, Work::Held, "first").await;
    stage.holds(Server, 1).await;
    stage.tape.hold(Server);
    stage.closes(Server).await;
    stage.tape.reads(&["> request 2", "< ERQ"]).await;
    stage.asks(Client, Work::Reverse, "second").await;
    stage.tape.reads(&["> request 2", "< ERQ", "> request 3", "< ok 3"]).await;
    stage.tape.pass(Server);
    stage.releases(Server).await;
    assert_eq!(stage.answer(Client).await, Answer::reversed("first"));
    assert_eq!(stage.answer(Client).await, Answer::reversed("second"));
    stage.hears_the_end_and_closes(Client).await;
    stage.ends_well(Server).await;
    let rest = ["< ok 2", "< EOF", "> ERQ", "> EOF"];
    stage.tape.reads(&[&["> request 2", "< ERQ", "> request 3", "< ok 3"][..], &rest].concat()).await;
}

/// It is a race in Python: mostly both requests are answered, but it may also end without the answer to either, the
/// earlier one included. For us each is answered or lost.
async fn crosses_pythons_goodbye() {
    let mut stage = Stage::set(Client).await;
    stage.asks(Client, Work::Held, "first").await;
    stage.holds(Server, 1).await;
    stage.settles(Server).await;
    stage.tape.hold(Server);
    stage.closes(Server).await;
    stage.tape.reads(&["> request 2", "< request 2", "> ok 2", "< ERQ"]).await;
    stage.asks(Client, Work::Reverse, "second").await;
    stage.tape.has(6).await;
    stage.tape.pass(Server);
    stage.releases(Server).await;
    let mut lost = 0;
    for payload in ["first", "second"] {
        match stage.answer(Client).await {
            Answer::Lost(why) => {
                assert_eq!(why, "the peer closed the connection");
                lost += 1;
            }
            answer => assert_eq!(answer, Answer::reversed(payload)),
        }
    }
    let report = stage.report().await;
    assert!(report.result.is_ok(), "{report}");
    assert_eq!((report.calls_lost, report.stats.calls_ok), (lost, 2 - lost), "{report}");
    stage.agrees(&report).await;
    stage.python.says("closed").await;
}
