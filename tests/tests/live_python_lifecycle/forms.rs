//! What results of handlers look like to the other side.

use crate::Trials;
use crate::ours::Ours;
use crate::stage::Party::{self, Client, Server};
use crate::stage::{Answer, Stage, Work};
use bytes::Bytes;
use packetstream_core::{ConnectionError, Failure, Limits, Outcome, PacketConnection, Reply};
use serde_json::json;
use std::time::Duration;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules
    trials.both("results have the same forms on both sides", same_forms);

    // Rules: R-7
    trials.both("without a handler everything is refused", without_handler);

    // Rules: R-5
    trials.one("forms of results that only python has", forms_of_python);

    // Rules
    trials.one("failures that only we have", failures_of_ours);

    // Rules: L-5
    trials.one("results that python never sends", never_sent);
}

/// What Python says of everything that goes wrong in a handler, and we of a panic.
const EXCEPTION: &str = "exception during handler";

/// The result of a handler of ours that `name` stands for. The puppet has the same, and others.
pub(crate) fn perform(name: &[u8]) -> Outcome {
    match name {
        b"None" => Ok(().into()),
        b"int" => Ok(300.into()),
        b"bool" => Ok(u64::from(true).into()),
        b"bytes" => Ok(Bytes::from_static(b"\x00\xff").into()),
        b"str" => Ok("Gr\u{fc}\u{df}e".to_owned().into()),
        b"tuple" => Ok(Reply::from((5, Bytes::from_static(b"five")))),
        b"Exception" => panic!("a secret"),
        b"words" => Err(Failure::new("not before noon")),
        b"flags" => Err(Failure { flags: 6, payload: "read-only".into() }),
        _ => Err(Failure::new("unknown form")),
    }
}

/// That the client is answered what is said to each of these names.
async fn answers(stage: &mut Stage, expected: &[(&str, Answer)]) {
    for (name, answer) in expected {
        stage.asks(Client, Work::Form, name).await;
        assert_eq!(stage.answer(Client).await, *answer, "{name}");
    }
}

async fn close(mut stage: Stage) {
    stage.closes(Client).await;
    stage.hears_the_end_and_closes(Server).await;
    stage.ends_well(Client).await;
}

async fn same_forms(we: Party) {
    let mut stage = Stage::set(we).await;
    let expected = [
        ("None", Answer::Ok(0, vec![])),
        ("int", Answer::Ok(300, vec![])),
        ("bool", Answer::Ok(1, vec![])),
        ("bytes", Answer::Ok(0, vec![0, 0xff])),
        ("str", Answer::Ok(0, "Gr\u{fc}\u{df}e".into())),
        ("tuple", Answer::Ok(5, b"five".into())),
        ("Exception", Answer::not_ok(EXCEPTION)),
    ];
    answers(&mut stage, &expected).await;
    close(stage).await;
}

async fn without_handler(we: Party) {
    let open = json!({ "do": "open", "handler": false });
    let mut stage = Stage::between(we, open, Ours::without_handler).await;
    for party in [Client, Server] {
        stage.asks(party, Work::Reverse, "abc").await;
        assert_eq!(stage.answer(party).await, Answer::not_ok("no request handler"));
    }
    close(stage).await;
}

async fn forms_of_python() {
    let mut stage = Stage::set(Client).await;
    let expected = [
        ("list", Answer::Ok(6, b"six".into())),
        ("dict", Answer::Ok(7, b"seven".into())),
        ("surrogate", Answer::Ok(0, b"a&#56448;b".into())),
        ("float", Answer::not_ok(EXCEPTION)),
        ("one", Answer::not_ok(EXCEPTION)),
        ("three", Answer::not_ok(EXCEPTION)),
        ("bytearray", Answer::not_ok(EXCEPTION)),
    ];
    answers(&mut stage, &expected).await;
    close(stage).await;
}

async fn failures_of_ours() {
    let mut stage = Stage::set(Server).await;
    stage.asks(Client, Work::Form, "words").await;
    assert_eq!(stage.answer(Client).await, Answer::not_ok("not before noon"));
    stage.asks(Client, Work::Form, "flags").await;
    assert_eq!(stage.answer(Client).await, Answer::not_ok("read-only"));
    close(stage).await;
}

/// Python's handlers end without an answer. The connection lives, and who has asked waits until it closes.
async fn never_sent() {
    let limits = Limits { answer_timeout: Duration::from_millis(300), ..Limits::default() };
    let mut stage = Stage::set_with(Client, PacketConnection::builder().limits(limits)).await;
    for name in ["int-str", "pair of bytes", "SystemExit"] {
        stage.asks(Client, Work::Form, name).await;
    }
    let last = stage.ours.connection.call(Work::Reverse.number(), 0, "abc").await.unwrap();
    assert_eq!(last.payload, "cba");
    stage.closes(Client).await;
    for _ in 0..3 {
        let Answer::Lost(why) = stage.answer(Client).await else { panic!("it was answered") };
        assert_eq!(why, "closing took longer than 300ms: 3 calls unanswered, 0 answers owed");
    }
    let report = stage.report().await;
    assert!(matches!(report.result, Err(ConnectionError::CloseTimedOut { .. })), "{report}");
    assert_eq!((report.calls_lost, report.stats.calls_ok), (3, 1), "{report}");
    // We have said so.
    stage
        .tape
        .reads_of(Client, &["> request 2", "> request 3", "> request 4", "> request 5", "> ERQ", "> EOF"])
        .await;
}
