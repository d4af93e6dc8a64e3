//! Python as our child, at the other end of its standard input and output.

use crate::Trials;
use crate::puppet::{python, script};
use crate::stage::{Answer, soon};
use packetstream::{Incoming, PacketConnection, Reply, Stream};
use packetstream_core::EndedBy;
use std::path::Path;

/// Requests of one conversation.
const COUNT: usize = 200;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: L-5, L-14
    trials.one("python is our child and serves, we close", || serves(""));

    // Rules: L-8
    trials.one("python is our child, serves, and closes", || serves("--close-first 200"));
    trials.one("python is our child and asks", asks);

    // Rules: R-8
    trials.one("python's typed server refuses what it cannot read, and lives", refuses_what_it_cannot_read);
}

/// A program of Python's as a child.
async fn child(script: &Path, arguments: &str) -> Stream {
    let address = format!("exec:'{}' '{}' {arguments}", python().display(), script.display());
    soon(Stream::connect(&address.parse().unwrap())).await.unwrap()
}

async fn serves(options: &'static str) {
    let stream = child(&script("tests/python/peer.py"), &format!("serve stdio: --once {options}")).await;
    let connection = PacketConnection::builder().spawn(stream);
    let calls: Vec<_> = (0..COUNT).map(|number| connection.submit(1, 0, number.to_string())).collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(Answer::from(soon(call).await), Answer::reversed(&number.to_string()));
    }
    let python_closes = !options.is_empty();
    if !python_closes {
        connection.close();
    }
    let report = soon(connection.closed()).await;
    assert!(report.result.is_ok(), "{report}");
    // Its exit status is 0.
    assert!(report.shut_down.is_none(), "{report}");
    assert_eq!(report.ended_by, if python_closes { EndedBy::Peer } else { EndedBy::Us }, "{report}");
    assert_eq!(report.stats.calls_ok, COUNT as u64);
}

async fn asks() {
    let stream = child(&script("tests/python/peer.py"), &format!("ask stdio: --count {COUNT}")).await;
    let reverse = async |request: Incoming| {
        Ok(Reply { flags: Answer::FLAGS, payload: request.payload.iter().rev().copied().collect() })
    };
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    let report = soon(connection.closed()).await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    assert_eq!((report.ended_by, report.stats.requests_answered), (EndedBy::Peer, COUNT as u64), "{report}");
}

/// `examples/python/counting.py` has a `Count` of two strings as request 0, and a `Confirm` as request 1.
async fn refuses_what_it_cannot_read() {
    let yes = async |_: Incoming| Ok(Reply::from(1));
    let stream = child(&script("examples/python/counting.py"), "serve").await;
    let connection = PacketConnection::builder().handler(yes).spawn(stream);
    for (rq_type, payload) in [(9, ""), (0, ""), (0, "\u{2}to"), (0, "\u{2}to\u{0}more")] {
        let answer = Answer::from(soon(connection.call(rq_type, 0, payload)).await);
        assert_eq!(answer, Answer::not_ok("exception during handler"), "{payload:?}");
    }
    // It ignores flags.
    let answer = Answer::from(soon(connection.call(0, 0x55, "\u{2}to\u{6}to got")).await);
    assert_eq!(answer, Answer::Ok(1, vec![]));
    connection.close();
    let report = soon(connection.closed()).await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    assert_eq!((report.stats.calls_failed, report.stats.requests_answered), (4, 1), "{report}");
}
