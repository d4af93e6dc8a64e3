//! All byte strings of up to 3 bytes, as streams and as bodies of packets, against the reference decoder.
//!
//! Of the streams hardly one is a packet: most announce more than 3 bytes. So the strings are taken for bodies too,
//! with their length in front. Each has decoders of its own, but for this: a decoder that has refused a stream is asked
//! no more, so streams that begin like that one are not fed to another byte by byte.
//!
//! With `PACKETSTREAM_EXHAUSTIVE=10` in the environment one of ten of those of 4 bytes are tried too. That takes a release
//! build minutes.

use bytes::Bytes;
use packetstream_core::{Decoder, Packet};
use packetstream_tests::agree::{bad, bad_stream, is_packet};
use packetstream_tests::reference::{Bad, Verdict, Why, decode};
use std::env;
use std::ops::AddAssign;
use std::sync::{LazyLock, Mutex};
use std::thread;

/// All strings are tried that are up to so many bytes long: 1 + 256 + 256^2 + 256^3 of them.
const SHORT: usize = 3;
const STRINGS: u64 = 16_843_009;
/// Some are that are so long.
const LONGEST: usize = 4;

/// Of so many strings of the longest one is tried, if any.
static ONE_OF: LazyLock<Option<u64>> = LazyLock::new(|| {
    let one_of = env::var("PACKETSTREAM_EXHAUSTIVE").ok()?;
    Some(one_of.parse().expect("PACKETSTREAM_EXHAUSTIVE is of how many strings of 4 bytes one is tried"))
});

/// Whether a string is tried. Of those that begin alike some are, and each last byte has its turn.
fn is_tried(string: &[u8]) -> bool {
    let Some((&last, before)) = string.split_last().filter(|_| string.len() > SHORT) else { return true };
    let before = before.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
    ONE_OF.is_some_and(|one_of| (before + u64::from(last)).is_multiple_of(one_of))
}

/// How many strings are.
fn tried() -> u64 {
    let with_last = |one_of, last: u64| (last + (1 << 24)).div_ceil(one_of) - last.div_ceil(one_of);
    STRINGS + ONE_OF.map_or(0, |one_of| (0..256).map(|last| with_last(one_of, last)).sum())
}

/// What the strings are taken for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum As {
    Stream,
    Body,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    packets: u64,
    errors: u64,
    waits: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.errors += other.errors;
        self.waits += other.waits;
    }
}

impl Tally {
    fn strings(self) -> u64 {
        self.packets + self.errors + self.waits
    }

    /// Tries the string, and says whether a decoder refuses it that saw it byte by byte.
    fn one(&mut self, string: &[u8], what: As, was_refused: bool) -> bool {
        // A byte in front, for the length.
        let mut framed = [0; LONGEST + 1];
        framed[0] = u8::try_from(string.len()).unwrap();
        framed[1..=string.len()].copy_from_slice(string);
        let stream = if what == As::Body { &framed[..=string.len()] } else { string };

        let expected = decode(stream);
        one_shot(stream, &expected);
        incremental(stream, stream.len(), &expected);
        if !was_refused {
            incremental(stream, 1, &expected);
        }
        match expected {
            Verdict::Packet { .. } => self.packets += 1,
            Verdict::Bad(_) => self.errors += 1,
            Verdict::NeedMore => self.waits += 1,
        }
        what == As::Stream && matches!(expected, Verdict::Bad(_))
    }

    /// Tries all longer strings that begin like this one.
    fn longer(&mut self, string: &[u8], what: As, was_refused: bool) {
        if string.len() == LONGEST || (string.len() == SHORT && ONE_OF.is_none()) {
            return;
        }
        let mut longer = [0; LONGEST];
        longer[..string.len()].copy_from_slice(string);
        for byte in 0..=u8::MAX {
            longer[string.len()] = byte;
            let longer = &longer[..=string.len()];
            if !is_tried(longer) {
                continue;
            }
            let is_refused = self.one(longer, what, was_refused) || was_refused;
            self.longer(longer, what, is_refused);
        }
    }
}

fn one_shot(stream: &[u8], expected: &Verdict) {
    let mut rest = Bytes::copy_from_slice(stream);
    let parsed = Packet::parse(&mut rest);
    let taken = stream.len() - rest.len();
    let agrees = match (parsed, expected) {
        (Ok(packet), Verdict::Packet { packet: fields, taken: all }) => {
            taken == *all && is_packet(&packet, fields)
        }
        (Err(error), Verdict::Bad(wrong)) => taken == 0 && bad(error) == *wrong,
        (Err(error), Verdict::NeedMore) => taken == 0 && bad(error) == Bad { field: "length", why: Why::Cut },
        _ => false,
    };
    assert!(
        agrees,
        "{stream:02x?} is {expected:?}, to `Packet::parse` {:?}",
        packetstream_tests::agree::one_shot(stream)
    );
}

fn incremental(stream: &[u8], piece: usize, expected: &Verdict) {
    let mut decoder = Decoder::new(usize::MAX);
    let mut said = decoder.next_packet();
    let mut at = 0;
    while at < stream.len() && matches!(said, Ok(None)) {
        decoder.room().extend_from_slice(&stream[at..at + piece]);
        at += piece;
        said = decoder.next_packet();
    }
    // What ends in an error may do so before all has come.
    let agrees = match (&said, expected) {
        (Ok(Some(packet)), Verdict::Packet { packet: fields, taken }) => {
            let is_soon = (*taken..*taken + piece).contains(&at);
            is_soon && is_packet(packet, fields) && decoder.into_unread() == stream[*taken..at]
        }
        (Ok(None), Verdict::NeedMore) => {
            decoder.finish().is_ok() == stream.is_empty() && decoder.into_unread() == stream
        }
        (Err(error), Verdict::Bad(wrong)) => {
            bad_stream(*error) == *wrong && decoder.into_unread() == stream[..at]
        }
        _ => false,
    };
    assert!(agrees, "{stream:02x?} is {expected:?}, to `Decoder` in pieces of {piece} {said:?}");
}

/// Tries all strings, on two processors.
fn all(what: As) -> Tally {
    let mut empty = Tally::default();
    empty.one(&[], what, false);
    let (first_bytes, sum) = (Mutex::new(0..=u8::MAX), Mutex::new(empty));
    let work = || {
        loop {
            let Some(first) = first_bytes.lock().unwrap().next() else { break };
            let mut tally = Tally::default();
            let is_refused = tally.one(&[first], what, false);
            tally.longer(&[first], what, is_refused);
            *sum.lock().unwrap() += tally;
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let sum = *sum.lock().unwrap();
    assert_eq!(sum.strings(), tried(), "{sum:?}");
    sum
}

// Rules: W-3, W-6, W-20, W-22, W-23
#[test]
fn all_streams_of_up_to_3_bytes_are_what_the_reference_decoder_says() {
    let tally = all(As::Stream);
    eprintln!("exhaustive: {} strings as streams: {tally:?}", tally.strings());
    assert!(tally.packets > 0 && tally.errors > 0 && tally.waits > 0, "{tally:?}");
}

// Rules: W-7, W-8, W-9, W-10, W-11, W-12, W-13, W-20, W-22
#[test]
fn all_bodies_of_up_to_3_bytes_are_what_the_reference_decoder_says() {
    let tally = all(As::Body);
    eprintln!("exhaustive: {} strings as bodies: {tally:?}", tally.strings());
    assert!(tally.packets > 1_000_000 && tally.errors > 1_000_000 && tally.waits == 0, "{tally:?}");
}
