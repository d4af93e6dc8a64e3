//! Everything, asked over a connection, by either side.

use crate::everything::{Content, Echoes, Everything, Role, classes};
use crate::worker::{Worker, content, line};
use packetstream::{PacketConnection, Reply, serve};
use proptest::test_runner::TestRunner;

/// Requests of each class.
const REQUESTS: usize = 6;

/// Numbers of requests, each with a request, its reply and a failure.
fn samples() -> Vec<(u64, [Content; 3])> {
    let mut runner = TestRunner::deterministic();
    let classes = classes();
    let mut samples = Vec::new();
    for class in &classes {
        for _ in 0..REQUESTS {
            samples.push((class.number, class.sample(&mut runner)));
        }
    }
    samples
}

pub(crate) async fn python_asks() {
    let samples = samples();
    let (worker, stream) = Worker::connected("twin.py", &["ask", "tests/python/everything.py"]).await;
    let connection =
        PacketConnection::builder().handler(serve::<Everything, _>(Echoes::default())).spawn(stream);
    let mut is_failure = true;
    let ask = |(number, [request, ..]): &(u64, [Content; 3])| {
        // Only `ask` has anything to tell of a failure.
        is_failure = *number >= 300 || !is_failure;
        let mut line = line("ask", *number, request);
        line["how"] = if is_failure { "ask" } else { "conn_do_remote" }.into();
        line
    };
    let lines: Vec<_> = samples.iter().map(ask).collect();
    let said = worker.told(&lines).await;
    let classes = classes();
    let mut failures = 0;
    for ((number, [request, reply, failure]), said) in samples.iter().zip(said) {
        let class = classes.iter().find(|class| class.number == *number).unwrap();
        let is_echo = *number < 300;
        match said["what"].as_str() {
            Some("reply") if is_echo => assert_eq!(content(&said), *reply, "{number}"),
            Some("failure") if is_echo => {
                failures += 1;
                assert_eq!(content(&said), *failure, "{number}");
            }
            Some("failure") => assert_eq!((number, content(&said).1[..].to_vec()), (&300, vec![0])),
            Some("reply") => {
                assert!(
                    class.read(Role::Reply, content(&said)).is_some(),
                    "{number}: {said}, {request:02x?}"
                );
            }
            _ => panic!("{number}: {said}"),
        }
    }
    assert!(failures > 30 * REQUESTS / 3, "{failures}");
    connection.closed().await.result.unwrap();
}

pub(crate) async fn python_answers() {
    let (worker, stream) = Worker::connected("twin.py", &["serve", "tests/python/everything.py"]).await;
    let connection = PacketConnection::builder().spawn(stream);
    for (number, [(flags, payload), reply, _]) in samples() {
        let answer = connection.submit(number, flags, payload.clone()).await;
        let Reply { flags: of_reply, payload: answer } =
            answer.unwrap_or_else(|error| panic!("{number}: {error}"));
        if number < 300 {
            assert_eq!((of_reply, answer), reply, "{number}: {flags:#x} {payload:02x?}");
        }
    }
    connection.close();
    connection.closed().await.result.unwrap();
    worker.told(&[]).await;
}
