//! Packets: `packets.txt`.

use crate::vectors::{Row, Vectors};
use bytes::Bytes;
use packetstream_core::{EncodeBuffer, Failure, MAX_REPLY_FLAGS, MAX_REQUEST_FLAGS, MAX_REQUEST_TYPE};
use packetstream_core::{Packet, PacketError, Reply};
use packetstream_tests::agree::{bytewise, incremental, one_shot};
use packetstream_tests::reference::{self, Bad, Kind, Verdict, Why};
use std::collections::BTreeSet;
use std::env;
use std::path::Path;

/// The fields that a row tells of, from its column `first` on; nothing if one exceeds 64 bits.
pub(crate) fn fields(row: &Row, first: usize) -> Option<reference::Packet> {
    let kind = match row.column(first) {
        "request" => Kind::Request(row.number(first + 4)?),
        "ok" => Kind::Response { ok: true },
        "not-ok" => Kind::Response { ok: false },
        "control" => Kind::Control,
        kind => panic!("a packet that is {kind}"),
    };
    let flags = row.number(first + 3)?;
    let (channel, tag) = (row.number(first + 1)?, row.number(first + 2)?);
    Some(reference::Packet { channel, tag, kind, flags, payload: row.bytes(first + 5) })
}

/// The bytes of a row's packet.
pub(crate) fn wire(row: &Row) -> Vec<u8> {
    [row.bytes(7), row.bytes(6)].concat()
}

/// The library's packet with these fields; nothing for a control packet that it never sends.
fn packet(fields: &reference::Packet) -> Option<Result<Packet, PacketError>> {
    let reference::Packet { channel, tag, flags, .. } = *fields;
    let payload = Bytes::from(fields.payload.clone());
    match fields.kind {
        Kind::Request(rq_type) => Some(Packet::request(channel, tag, rq_type, flags, payload)),
        Kind::Response { ok: true } => Some(Packet::response(channel, tag, Ok(Reply { flags, payload }))),
        Kind::Response { ok: false } => Some(Packet::response(channel, tag, Err(Failure { flags, payload }))),
        Kind::Control => [Packet::end_of_stream(), Packet::end_of_requests()]
            .into_iter()
            .find(|end| end.tag() == tag && (channel, flags, fields.payload.is_empty()) == (0, 0, true))
            .map(Ok),
    }
}

/// That the packet is written as these bytes, by each of the ways to write one.
fn is_written_as(packet: &Packet, wire: &[u8], row: &Row) {
    assert_eq!(packet.transcribe(), wire, "{row}");
    assert_eq!(packet.encoded_len(), wire.len(), "{row}");
    let mut written = Vec::new();
    packet.write(&mut written, true).unwrap();
    assert_eq!(written, wire, "{row}");
    let mut buffer = EncodeBuffer::default();
    buffer.push(packet);
    assert_eq!(drained(buffer), wire, "{row}");
}

fn drained(mut buffer: EncodeBuffer) -> Bytes {
    use bytes::Buf;
    let all = buffer.remaining();
    buffer.copy_to_bytes(all)
}

/// That these bytes are the packet, by each of the ways to read one.
fn is_read_as(fields: &reference::Packet, wire: &[u8], row: &Row) {
    let followed = [wire, &[0x99]].concat();
    let verdict = Verdict::Packet { packet: fields.clone(), taken: wire.len() };
    assert_eq!(one_shot(&followed), verdict, "{row}");
    assert_eq!(reference::decode(&followed), verdict, "the reference decoder on {row}");
    let contents = (vec![fields.clone()], wire.len(), Verdict::NeedMore);
    assert_eq!(incremental([&followed[..]]), contents, "{row}");
    assert_eq!(bytewise(&followed), contents, "{row}");
}

/// Replays a row that is a packet.
fn replay(row: &Row) {
    let (fields, wire) = (fields(row, 1).unwrap(), wire(row));
    is_read_as(&fields, &wire, row);
    match packet(&fields) {
        Some(packet) => is_written_as(&packet.unwrap(), &wire, row),
        // What is read is written the same.
        None => is_written_as(&Packet::parse(&mut Bytes::from(wire.clone())).unwrap(), &wire, row),
    }
}

// Rules: W-6, W-7, W-8, W-9, W-10, W-11, W-12, W-13, W-16, W-17, W-20
#[test]
fn packets_are_written_and_read_as_python_does() {
    let rows = Vectors::read("packets.txt").rows("packet", 2_600);
    rows.iter().for_each(replay);
    let seen: Vec<reference::Packet> = rows.iter().map(|row| fields(row, 1).unwrap()).collect();
    is_a_product(&seen);
    let bodies: BTreeSet<usize> = rows.iter().map(|row| wire(row).len()).collect();
    for length in [128, 130] {
        assert!(bodies.contains(&length), "no packet of {length} bytes, so none at the edge of its length");
    }
}

/// That all combinations of the edges of each field are there; the file may have more.
fn is_a_product(packets: &[reference::Packet]) {
    let all: BTreeSet<_> = packets
        .iter()
        .map(|packet| {
            let kind = match packet.kind {
                Kind::Request(rq_type) => (0, rq_type),
                Kind::Response { ok } => (1, u64::from(ok)),
                Kind::Control => (2, 0),
            };
            (packet.channel, packet.tag, packet.flags, kind)
        })
        .collect();
    for channel in [0, 1, 127, 128, 1 << 32, u64::MAX] {
        for tag in [0, 2, 127, 128, 16384, u64::MAX] {
            for rq_type in [0, 126, 127, 16383, MAX_REQUEST_TYPE] {
                for flags in [0, 31, 32, 0x55, MAX_REQUEST_FLAGS] {
                    let packet = (channel, tag, flags, (0, rq_type));
                    assert!(all.contains(&packet), "{packet:?} is missing");
                }
            }
            for ok in [0, 1] {
                for flags in [0, 1, 15, 16, 0x11, MAX_REPLY_FLAGS] {
                    let packet = (channel, tag, flags, (1, ok));
                    assert!(all.contains(&packet), "{packet:?} is missing");
                }
            }
        }
    }
    for control in [(0, 0, 0, (2, 0)), (0, 1, 0, (2, 0)), (1, 0, 0, (2, 0)), (0, 2, 1, (2, 0))] {
        assert!(all.contains(&control), "{control:?} is missing");
    }
}

// Rules: W-3, W-8, W-15, W-18
#[test]
fn other_spellings_of_a_packet_are_that_packet() {
    for row in &Vectors::read("packets.txt").rows("spelled", 200) {
        replay(row);
        let spelled = [row.bytes(8), row.bytes(6)].concat();
        is_read_as(&fields(row, 1).unwrap(), &spelled, row);
    }
}

// Rules: W-5, W-10, W-14
#[test]
fn packets_with_a_field_beyond_64_bits_are_refused_for_that_field_and_cannot_be_made() {
    let rows = Vectors::read("packets.txt").rows("beyond", 45);
    let mut refused = BTreeSet::new();
    for row in &rows {
        let wire = wire(row);
        let verdict = one_shot(&wire);
        let Verdict::Bad(Bad { field, why: Why::TooLarge | Why::TooLong }) = verdict else {
            panic!("{verdict:?}: {row}");
        };
        assert_eq!(field, row.column(8), "{row}");
        refused.insert(field);
        assert_eq!(reference::decode(&wire), verdict, "the reference decoder on {row}");
        assert_eq!(incremental([&wire[..]]), (vec![], 0, verdict.clone()), "{row}");
        assert_eq!(bytewise(&wire), (vec![], 0, verdict), "{row}");
        // A field that is a `u64` here, and yet has no place on the wire.
        if let Some(packet) = fields(row, 1).as_ref().and_then(packet) {
            match packet.unwrap_err() {
                PacketError::RequestType(_) => assert_eq!(field, "request type", "{row}"),
                PacketError::RequestFlags(_) | PacketError::ReplyFlags(_) => {
                    assert_eq!(field, "flags", "{row}");
                }
            }
        }
    }
    assert_eq!(refused, BTreeSet::from(["tag", "flags", "channel", "request type"]));
}

// Rules: W-6, W-7, W-8, W-9, W-10, W-11, W-12, W-13
#[test]
#[ignore = "needs a file that `golden.py --random` wrote, named by PACKETSTREAM_GOLDEN"]
fn packets_of_a_file_that_is_named_are_replayed() {
    let path = env::var_os("PACKETSTREAM_GOLDEN").expect("PACKETSTREAM_GOLDEN names a file");
    Vectors::read_path(Path::new(&path)).rows("packet", 1).iter().for_each(replay);
}
