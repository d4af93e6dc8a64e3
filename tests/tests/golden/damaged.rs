//! Golden packets that were cut, and in which a bit was turned: in one piece, in two and byte by byte.
//!
//! With `PACKETSTREAM_DAMAGE=all` in the environment it is all of them, and every place of each. That takes a release
//! build a minute; otherwise it is a part.

use crate::packets::wire;
use crate::vectors::Vectors;
use packetstream_tests::agree::{incremental, one_shots};
use packetstream_tests::reference::{Verdict, decode_all};
use std::sync::Mutex;
use std::thread;

/// Packets up to this length are damaged everywhere.
const SHORT: usize = 48;
/// So many bytes at each end of a longer one are.
const ENDS: usize = 40;
/// What is behind so many bytes does not arrive one by one, but in pieces of this length.
const LONG: usize = 1_000;

/// What became of damaged streams.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    streams: usize,
    decodings: usize,
    /// With at least one packet.
    packets: usize,
    /// That end in an error.
    errors: usize,
    /// That end in a wait for more.
    waits: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.streams += other.streams;
        self.decodings += other.decodings;
        self.packets += other.packets;
        self.errors += other.errors;
        self.waits += other.waits;
    }

    /// Checks that all ways to read the bytes are as one with the reference decoder.
    fn take(&mut self, bytes: &[u8], splits: &[usize]) {
        let expected = decode_all(bytes);
        assert_eq!(one_shots(bytes), expected, "one by one, {bytes:02x?}");
        assert_eq!(incremental([bytes]), expected, "in one piece, {bytes:02x?}");
        let small = bytes.len().min(LONG);
        let by_byte = bytes[..small].chunks(1).chain(bytes[small..].chunks(LONG));
        assert_eq!(incremental(by_byte), expected, "byte by byte, {bytes:02x?}");
        for &split in splits {
            let (before, behind) = bytes.split_at(split.min(bytes.len()));
            assert_eq!(incremental([before, behind]), expected, "cut at {split}, {bytes:02x?}");
        }
        self.streams += 1;
        self.decodings += 3 + splits.len();
        self.packets += usize::from(!expected.0.is_empty());
        match expected.2 {
            Verdict::Bad(_) => self.errors += 1,
            _ => self.waits += 1,
        }
    }
}

fn is_all() -> bool {
    std::env::var_os("PACKETSTREAM_DAMAGE").is_some_and(|value| value == "all")
}

/// The packets that are damaged, from those of each row that has one; one of so many, unless it is all.
fn golden(wanted: impl Fn(usize) -> bool, every: usize) -> Vec<Vec<u8>> {
    let every = if is_all() { 1 } else { every };
    let vectors = Vectors::read("packets.txt");
    let packets = vectors.all().map(|row| match row.column(0) {
        "spelled" => [row.bytes(8), row.bytes(6)].concat(),
        _ => wire(row),
    });
    packets.filter(|packet| wanted(packet.len())).step_by(every).collect()
}

/// Where a packet is cut in two, and damaged.
fn places(length: usize) -> Vec<usize> {
    (0..=length).filter(|place| *place < ENDS || place + ENDS > length).collect()
}

/// Does it to each packet, on all processors.
fn each(packets: &[Vec<u8>], damage: impl Fn(&[u8], &mut Tally) + Sync) -> Tally {
    let (work, sum) = (Mutex::new(packets.iter()), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let next = work.lock().unwrap().next();
                    let Some(packet) = next else { break };
                    damage(packet, &mut tally);
                }
                sum.lock().unwrap().add(tally);
            });
        }
    });
    let sum = *sum.lock().unwrap();
    eprintln!("golden: {} packets damaged: {sum:?}", packets.len());
    sum
}

/// Cuts it everywhere, and turns every bit.
fn damage(packet: &[u8], tally: &mut Tally) {
    let splits = places(packet.len());
    let is_every_place = is_all() && packet.len() < LONG;
    let damaged = if is_every_place { (0..=packet.len()).collect() } else { splits.clone() };
    for &cut in &damaged {
        tally.take(&packet[..cut], &splits);
    }
    for &place in damaged.iter().filter(|place| **place < packet.len()) {
        for bit in 0..8 {
            let mut turned = packet.to_vec();
            turned[place] ^= 1 << bit;
            tally.take(&turned, &splits);
        }
    }
}

// Rules: W-20, W-21, W-22, W-23
#[test]
fn every_cut_and_every_turned_bit_of_a_short_packet_is_a_packet_an_error_or_a_wait_however_it_arrives() {
    let packets = golden(|length| length <= SHORT, 3);
    assert!(packets.len() >= 700, "{}", packets.len());
    let tally = each(&packets, damage);
    assert!(tally.streams >= 100_000 && tally.packets >= 80_000, "{tally:?}");
    assert!(tally.errors >= 5_000 && tally.waits >= 50_000, "{tally:?}");
}

// Rules: W-20, W-21, W-22, W-23
#[test]
fn cuts_and_turned_bits_at_the_ends_of_a_long_packet_are_a_packet_an_error_or_a_wait_however_it_arrives() {
    let packets = golden(|length| (SHORT + 1..LONG).contains(&length), 60);
    assert!(packets.len() >= 10, "{}", packets.len());
    let tally = each(&packets, damage);
    assert!(tally.packets > 0 && tally.errors > 0 && tally.waits > 0, "{tally:?}");
}

// Rules: W-20, W-21, W-22, W-23
#[test]
fn cuts_and_turned_bits_of_packets_whose_payload_is_shared_are_no_different() {
    let packets = golden(|length| length > LONG, 1);
    assert!(packets.len() >= 10, "{}", packets.len());
    let tally = each(&packets, damage);
    assert!(tally.packets > 0 && tally.errors > 0 && tally.waits > 0, "{tally:?}");
}
