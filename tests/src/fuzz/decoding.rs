//! Numbers and packets, against the second decoder.

use super::input::Input;
use crate::agree::{bytewise, incremental, one_shot, one_shots, why};
use crate::reference;
use bytes::Bytes;
use packetstream_core::{Failure, Packet, Reply, varint};

/// A number is what the second decoder says, and is written in its shortest form.
pub(super) fn varint(bytes: &[u8]) {
    let mut rest = bytes;
    let read = varint::get(&mut rest).map(|value| (value, bytes.len() - rest.len()));
    assert_eq!(read.map_err(why), reference::number(bytes));
    let Ok((value, taken)) = read else { return };
    let mut written = Vec::new();
    varint::put(&mut written, value);
    assert_eq!(written.len(), varint::len(value));
    assert!(written.len() <= taken);
    assert_eq!(reference::number(&written), Ok((value, written.len())));
    let padding = bytes[..taken].iter().take_while(|byte| **byte == 0x80).count();
    let shortest = &bytes[padding.min(taken - 1)..taken];
    assert_eq!(written, shortest, "the shortest form is the one without padding");
}

/// A stream is what the second decoder says, in one piece, in one shot and byte by byte.
pub(super) fn decode(bytes: &[u8]) {
    let expected = reference::decode_all(bytes);
    assert_eq!(one_shot(bytes), reference::decode(bytes));
    assert_eq!(one_shots(bytes), expected);
    assert_eq!(incremental([bytes]), expected);
    assert_eq!(bytewise(bytes), expected);
}

/// How a stream arrives makes no difference: the first bytes say where it is cut.
pub(super) fn split(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut lengths = vec![0; usize::from(input.byte() % 8)];
    for length in &mut lengths {
        *length = usize::from(input.byte());
    }
    let stream = input.0;
    let mut pieces = Vec::new();
    for length in lengths {
        pieces.push(input.take(length));
    }
    pieces.push(input.0);
    assert_eq!(incremental(pieces), incremental([stream]));
}

/// A packet is written and read back as it was, and the second decoder reads the same.
pub(super) fn round_trip(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.byte() % 5;
    let (channel, tag, rq_type, flags) = (input.number(), input.number(), input.number(), input.number());
    let payload = Bytes::copy_from_slice(input.0);
    let made = match kind {
        0 => Packet::request(channel, tag, rq_type, flags, payload),
        1 => Packet::response(channel, tag, Ok(Reply { flags, payload })),
        2 => Packet::response(channel, tag, Err(Failure { flags, payload })),
        3 => Ok(Packet::end_of_stream()),
        _ => Ok(Packet::end_of_requests()),
    };
    let Ok(packet) = made else { return };
    let written = packet.transcribe();
    assert_eq!(written.len(), packet.encoded_len());
    let mut rest = written.clone();
    assert_eq!(Packet::parse(&mut rest).as_ref(), Ok(&packet));
    assert!(rest.is_empty());
    let reference::Verdict::Packet { packet: fields, taken } = reference::decode(&written) else {
        panic!("{packet} is no packet to the second decoder")
    };
    assert!(taken == written.len() && crate::agree::is_packet(&packet, &fields));
}
