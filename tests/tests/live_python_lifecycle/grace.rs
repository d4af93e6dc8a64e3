//! Packets that wait for others to share their flush.

use crate::Trials;
use crate::ours::Ours;
use crate::stage::Party::{self, Client, Server};
use crate::stage::{Answer, Stage, Work};
use packetstream_core::{Builder, PacketConnection};
use serde_json::json;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: W-20
    trials.both("our grace, and python's own", |we| converse(we, true));
    trials.both("our grace, and none of python's", |we| converse(we, false));
    trials.both("no grace of ours, and python's own", no_grace_of_ours);
}

async fn converse(we: Party, python_waits: bool) {
    let builder = PacketConnection::builder().packet_grace(Builder::PYTHON_PACKET_GRACE);
    with_grace(we, builder, python_waits).await;
}

async fn no_grace_of_ours(we: Party) {
    with_grace(we, PacketConnection::builder(), true).await;
}

/// Both ask one after the other and all at once, then close.
async fn with_grace(we: Party, builder: Builder, python_waits: bool) {
    let open = if python_waits { json!({ "do": "open", "grace": null }) } else { json!({ "do": "open" }) };
    let mut stage = Stage::between(we, open, |transport| Ours::over(transport, builder)).await;
    for party in [Client, Server, Client, Server] {
        stage.asks(party, Work::Reverse, "abc").await;
        assert_eq!(stage.answer(party).await, Answer::reversed("abc"));
    }
    let payloads = ["a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8"];
    for payload in payloads {
        stage.asks(Client, Work::Reverse, payload).await;
        stage.asks(Server, Work::AskBack, payload).await;
    }
    for payload in payloads {
        assert_eq!(stage.answer(Client).await, Answer::reversed(payload));
        assert_eq!(stage.answer(Server).await, Answer::reversed(payload));
    }
    stage.closes(Client).await;
    stage.hears_the_end_and_closes(Server).await;
    stage.ends_well(Client).await;
}
