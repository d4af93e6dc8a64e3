//! Python as our child, at the other end of its standard input and output.

use crate::Trials;
use crate::puppet::{python, script};
use crate::stage::{Answer, soon};
use packetstream::{Incoming, PacketConnection, Reply, Stream};
use packetstream_core::EndedBy;

/// Requests of one conversation.
const COUNT: usize = 200;

pub(crate) fn add_to(trials: &mut Trials) {
    trials.one("python is our child and serves, we close", || serves(""));
    trials.one("python is our child, serves, and closes", || serves("--close-first 200"));
    trials.one("python is our child and asks", asks);
}

/// `peer.py` as a child.
async fn child(command: &str) -> Stream {
    let address = format!("exec:'{}' '{}' {command}", python().display(), script("peer.py").display());
    soon(Stream::connect(&address.parse().unwrap())).await.unwrap()
}

async fn serves(options: &'static str) {
    let stream = child(&format!("serve stdio: --once {options}")).await;
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
    let stream = child(&format!("ask stdio: --count {COUNT}")).await;
    let reverse = async |request: Incoming| {
        Ok(Reply { flags: Answer::FLAGS, payload: request.payload.iter().rev().copied().collect() })
    };
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    let report = soon(connection.closed()).await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
    assert_eq!((report.ended_by, report.stats.requests_answered), (EndedBy::Peer, COUNT as u64), "{report}");
}
