//! What is malformed: `malformed.txt`. What Python and the library make of it differs only where the file says why.

use crate::fields::FieldType;
use crate::packets::fields;
use crate::vectors::{Row, Vectors};
use bytes::Bytes;
use packetstream_core::varint::VarintError;
use packetstream_core::{PayloadError, PayloadProblem};
use packetstream_tests::agree::{bytewise, incremental, one_shot};
use packetstream_tests::reference::{self, Bad, Verdict, Why};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the library is to make of a row's bytes, by the file.
fn expected_of_packet(row: &Row, bytes: &[u8]) -> Verdict {
    let ours = row.column(3);
    if ours == "same" {
        // The packet is in a column: kind, channel, tag, flags, type, payload, bytes left.
        let packet = row.split(2);
        let left: usize = packet.column(6).parse().unwrap();
        return Verdict::Packet { packet: fields(&packet, 0).unwrap(), taken: bytes.len() - left };
    }
    let (field, why) = [("cut", Why::Cut), ("too large", Why::TooLarge), ("too long", Why::TooLong)]
        .into_iter()
        .find_map(|(words, why)| Some((ours.strip_suffix(words)?.trim_end(), why)))
        .unwrap_or_else(|| panic!("{row}"));
    let fields = ["length", "tag", "flags", "channel", "request type"];
    let field = fields.into_iter().find(|known| *known == field).unwrap();
    match (field, why) {
        ("length", Why::Cut) => Verdict::NeedMore,
        _ => Verdict::Bad(Bad { field, why }),
    }
}

/// Whether Python and the library are as one, by the file; if not it says why, and only then.
fn is_alike(row: &Row) -> bool {
    let alike = match (row.column(2), row.column(3)) {
        (python, "same") => !python.ends_with("Error"),
        ("EOFError", ours) => ours.ends_with("cut") || ours.starts_with("short"),
        ("UnicodeDecodeError", ours) => ours == "not utf-8",
        ("ValueError", ours) => ours == "left over" || ours == "not a float",
        _ => false,
    };
    assert_eq!(row.column(4) == "-", alike, "why is it different, or is it not: {row}");
    alike
}

// Rules: W-3, W-4, W-5, W-20, W-22, W-23
#[test]
fn malformed_packets_are_what_the_file_says_in_one_piece_and_in_many() {
    let rows = Vectors::read("malformed.txt").rows("packet", 270);
    for row in &rows {
        let bytes = row.bytes(1);
        let expected = expected_of_packet(row, &bytes);
        assert_eq!(one_shot(&bytes), expected, "{row}");
        assert_eq!(reference::decode(&bytes), expected, "the reference decoder on {row}");
        let first = first(expected);
        // The packet alone, so that what is behind it is not looked at.
        let bytes = match &first {
            (packets, taken, _) if !packets.is_empty() => &bytes[..*taken],
            _ => &bytes[..],
        };
        assert_eq!(incremental([bytes]), first, "{row}");
        assert_eq!(bytewise(bytes), first, "{row}");
    }
    let different = rows.iter().filter(|row| !is_alike(row)).count();
    eprintln!("golden: malformed.txt: packets: {different} of them are something else to Python");
    let kinds: BTreeSet<&str> = rows.iter().map(|row| row.column(3)).collect();
    for field in ["length", "tag", "flags", "channel", "request type"] {
        for why in ["cut", "too large", "too long"] {
            assert!(kinds.contains(&*format!("{field} {why}")), "no {field} that is {why}");
        }
    }
}

/// What a decoder makes of bytes that are this and nothing else.
fn first(verdict: Verdict) -> (Vec<reference::Packet>, usize, Verdict) {
    match verdict {
        Verdict::Packet { packet, taken } => (vec![packet], taken, Verdict::NeedMore),
        end => (vec![], 0, end),
    }
}

// Rules: W-4, W-5, P-2, P-3, P-5, P-8
#[test]
fn malformed_payloads_are_what_the_file_says() {
    let rows = Vectors::read("malformed.txt").rows_but("packet", 200);
    for row in &rows {
        let read = (FieldType::named(row.column(0)).read)(Bytes::from(row.bytes(1)));
        match row.column(3) {
            "same" => assert_eq!(read, Ok(serde_json::from_str::<Value>(row.column(2)).unwrap()), "{row}"),
            ours => {
                let error = read.unwrap_err();
                assert!(is_error(&error, ours), "{error}: {row}");
            }
        }
    }
    let different = rows.iter().filter(|row| !is_alike(row)).count();
    eprintln!("golden: malformed.txt: payloads: {different} of them are something else to Python");
}

/// Whether the error is the one that the file's words mean, and in the field that they name.
fn is_error(error: &PayloadError, ours: &str) -> bool {
    use PayloadProblem::{LeftOver, NotFloat, NotUtf8, Number, Short};
    let words = match error.problem {
        // Only what is short names its field.
        Short { .. } | Number(VarintError::Truncated) => {
            return ours.strip_prefix("short").is_some_and(|name| name.trim_start() == error.field);
        }
        LeftOver(1) => "left over",
        NotUtf8 => "not utf-8",
        NotFloat => "not a float",
        Number(VarintError::TooLarge) => "number too large",
        Number(VarintError::TooLong) => "number too long",
        _ => return false,
    };
    ours == words
}
