//! Many connections in sequence over the same descriptors.

use crate::Trials;
use crate::stage::{Answer, Party, Stage, Work};
use packetstream_core::EndedBy;

/// Connections in sequence.
const LIVES: usize = 50;

pub(crate) fn add_to(trials: &mut Trials) {
    // Rules: L-16
    trials.both("fifty connections over one descriptor, closed by either side", fifty_lives);
    trials.both("python asks in the next life before we have read its last word", early_request);
}

/// A life begins once both sides have read the end of the last. What Python reads together with the end is lost.
async fn fifty_lives(we: Party) {
    let mut stage = Stage::set(we).await;
    for life in 0..LIVES {
        let first = if life % 2 == 0 { we } else { we.other() };
        let payload = format!("life {life}");
        stage.asks(Party::Client, Work::Reverse, &payload).await;
        assert_eq!(stage.answer(Party::Client).await, Answer::reversed(&payload));
        stage.closes(first).await;
        stage.hears_the_end_and_closes(first.other()).await;
        stage.python.closes_well().await;
        let report = stage.report().await;
        assert!(report.result.is_ok(), "{report}");
        assert_eq!(report.ended_by, if first == we { EndedBy::Us } else { EndedBy::Peer }, "{report}");
        // A request and its answer of four bytes each and the payload, and four end markers of four: tags begin anew.
        let bytes = 6 * 4 + 2 * payload.len() as u64;
        assert_eq!(report.stats.bytes_sent + report.stats.bytes_received, bytes);
        stage.python.does("open").await;
        assert_eq!(stage.ours.begin_anew().await, 0);
    }
}

/// We read both at once, and lose nothing.
async fn early_request(we: Party) {
    let they = we.other();
    let mut stage = Stage::set(we).await;
    stage.asks(they, Work::Reverse, "life 0").await;
    for life in 0..LIVES {
        assert_eq!(stage.answer(they).await, Answer::reversed(&format!("life {life}")));
        stage.tape.hold(they);
        stage.closes(we).await;
        stage.hears_the_end_and_closes(they).await;
        stage.python.closes_well().await;
        stage.python.does("open").await;
        let next = format!("life {}", life + 1);
        stage.asks(they, Work::Reverse, &next).await;
        stage.tape.has(6 * (life + 1) + 1).await;
        stage.tape.pass(they);
        assert_eq!(stage.ours.begin_anew().await, 4 + next.len(), "the whole request was there already");
    }
}
