//! What all rules are for: a peer takes the bytes of another one for what they were written as, unless a change is
//! told that says otherwise. Protocols are edited at random, and what peers of one version write in a model of the
//! encodings is read by those of the other.
//!
//! `PROPTEST_CASES=100000 PROPTEST_RNG_SEED=2 cargo test` looks further.

mod edits;
mod model;

use super::*;
use edits::{Choices, Edited, edited};
use model::{Packet, Peer};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 12_000,
        // The same every time: who meets a failure is to be the one who caused it.
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes_are_misread_only_after_a_break(Edited { old, new, values } in edited()) {
        let changes = changes(&old, &new);
        let effect = changes.iter().map(Change::effect).max();
        if effect == Some(Effect::Break) {
            return Ok(());
        }
        let told: Vec<_> = changes.iter().map(|change| format!("{:?}: {change}", change.effect())).collect();
        for value in values {
            let mut choices = Choices(value.iter());
            for packet in [Packet::Request, Packet::Reply, Packet::Failure] {
                for (writer, reader, may_refuse) in
                    [(&old, &new, false), (&new, &old, effect == Some(Effect::Addition))]
                {
                    let Some(sent) = Peer::write(writer, packet, &mut choices) else { continue };
                    let read = Peer::read(reader, packet, &sent);
                    prop_assert!(
                        read.as_ref() == Some(&sent.meaning) || read.is_none() && may_refuse,
                        "{packet:?} of the {} peer is misread\nflags:   {:#b}\nbytes:   {:?}\n\
                         written: {:?}\nread:    {read:?}\ntold:    {told:?}\n",
                        if std::ptr::eq(writer, &raw const old) { "old" } else { "new" },
                        sent.flags, sent.bytes, sent.meaning
                    );
                }
            }
        }
    }
}
