//! Channels, of which Python has one.

use crate::Trials;
use crate::stage::{Answer, Party, Stage, Work, lines, soon};
use packetstream_core::CallError;
use serde_json::json;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: R-9
    trials.both("python refuses our channel and the connection lives", python_refuses);

    // Rules: W-29
    trials.both("python asks on no channel but 0", python_does_not_ask);
}

async fn python_refuses(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    let seventh = stage.ours.connection.channel(7);
    let error = soon(seventh.call(Work::Reverse.number(), 0, "abc")).await.unwrap_err();
    let CallError::Failed(failure) = &error else { panic!("{error:?}") };
    assert!(failure.is_unknown_channel());
    assert_eq!(failure.reason(), "unknown channel 7");

    stage.asks(we, Work::Reverse, "abc").await;
    assert_eq!(stage.answer(we).await, Answer::reversed("abc"));
    stage.closes(we).await;
    stage.hears_the_end_and_closes(they).await;
    stage.ends_well(we).await;
    let said = [
        (we, "request 0 on channel 7"),
        (they, "not-ok 0 on channel 7"),
        (we, "request 2"),
        (they, "ok 2"),
        (we, "ERQ"),
        (we, "EOF"),
        (they, "ERQ"),
        (they, "EOF"),
    ];
    stage.tape.reads(&lines(said)).await;
}

async fn python_does_not_ask(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    let request = json!({ "do": "submit", "as": "seventh", "type": 1, "channel": 7 });
    stage.python.fails(request, "ValueError").await;
    stage.closes(they).await;
    stage.ends_well(they).await;
    stage.tape.reads(&lines([(they, "ERQ"), (they, "EOF"), (we, "ERQ"), (we, "EOF")])).await;
}
