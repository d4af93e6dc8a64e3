//! What the library makes of bytes, in the words of the reference decoder.

use crate::reference::{self, Bad, Verdict, Why};
use bytes::Bytes;
use packetstream_core::varint::VarintError;
use packetstream_core::{DecodeError, Decoder, Kind, Packet, ParseError};

/// All that a stream holds: packets, how many bytes they take, and what is behind them.
pub type Contents = (Vec<reference::Packet>, usize, Verdict);

/// What `Packet::parse` makes of the bytes; that it takes nothing but the packet is checked.
#[must_use]
pub fn one_shot(bytes: &[u8]) -> Verdict {
    let mut rest = Bytes::copy_from_slice(bytes);
    let parsed = Packet::parse(&mut rest);
    let taken = bytes.len() - rest.len();
    assert_eq!(rest, bytes[taken..], "what is left of {bytes:02x?}");
    match parsed {
        Ok(packet) => Verdict::Packet { packet: fields(&packet), taken },
        Err(error) => {
            assert_eq!(taken, 0, "an error takes nothing of {bytes:02x?}");
            match bad(error) {
                Bad { field: "length", why: Why::Cut } => Verdict::NeedMore,
                bad => Verdict::Bad(bad),
            }
        }
    }
}

/// What `Packet::parse` makes of the bytes, again and again until they are no packet.
#[must_use]
pub fn one_shots(bytes: &[u8]) -> Contents {
    let mut packets = Vec::new();
    let mut at = 0;
    loop {
        match one_shot(&bytes[at..]) {
            Verdict::Packet { packet, taken } => {
                packets.push(packet);
                at += taken;
            }
            end => return (packets, at, end),
        }
    }
}

/// What a `Decoder` makes of the bytes that arrive in these pieces. What it keeps is checked, that it says the same
/// again, and what it says of the end of the stream.
pub fn incremental<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Contents {
    let mut decoder = Decoder::new(usize::MAX);
    let mut arrived = Vec::new();
    let mut packets = Vec::new();
    let mut at = 0;
    for piece in pieces {
        decoder.room().extend_from_slice(piece);
        arrived.extend_from_slice(piece);
        loop {
            match decoder.next_packet() {
                Ok(Some(packet)) => {
                    at += packet_len(&arrived[at..]);
                    packets.push(fields(&packet));
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_packet(), Err(error), "asked again of {arrived:02x?}");
                    assert_eq!(decoder.into_unread(), arrived[at..], "unread of {arrived:02x?}");
                    return (packets, at, Verdict::Bad(bad_stream(error)));
                }
            }
        }
    }
    let left = arrived.len() - at;
    let end = if left == 0 { Ok(()) } else { Err(DecodeError::Cut { received: left }) };
    assert_eq!(decoder.finish(), end, "the end of {arrived:02x?}");
    assert_eq!(decoder.is_mid_packet(), left > 0, "the end of {arrived:02x?}");
    assert_eq!(decoder.into_unread(), arrived[at..], "unread of {arrived:02x?}");
    (packets, at, Verdict::NeedMore)
}

/// What a `Decoder` makes of the bytes that arrive one by one.
#[must_use]
pub fn bytewise(bytes: &[u8]) -> Contents {
    incremental(bytes.chunks(1))
}

/// How long the packet is that is known to be there: its length and what that counts.
fn packet_len(bytes: &[u8]) -> usize {
    let (length, prefix) = reference::number(bytes).expect("a length");
    prefix + usize::try_from(length).expect("it is there")
}

/// A packet of the library as the reference decoder has them.
fn fields(packet: &Packet) -> reference::Packet {
    reference::Packet {
        channel: packet.channel(),
        tag: packet.tag(),
        kind: kind(packet),
        flags: packet.flags(),
        payload: packet.payload().to_vec(),
    }
}

/// Whether a packet of the library has these fields.
#[must_use]
pub fn is_packet(packet: &Packet, fields: &reference::Packet) -> bool {
    let numbers = (packet.channel(), packet.tag(), packet.flags(), kind(packet));
    numbers == (fields.channel, fields.tag, fields.flags, fields.kind)
        && packet.payload()[..] == fields.payload[..]
}

fn kind(packet: &Packet) -> reference::Kind {
    match packet.kind() {
        Kind::Request(rq_type) => reference::Kind::Request(rq_type),
        Kind::Response { ok } => reference::Kind::Response { ok },
        Kind::Control => reference::Kind::Control,
    }
}

/// An error of the library as the reference decoder has them.
#[must_use]
pub fn bad(error: ParseError) -> Bad {
    Bad { field: error.field, why: why(error.source) }
}

/// An error of a decoder without a limit as the reference decoder has them.
#[must_use]
pub fn bad_stream(error: DecodeError) -> Bad {
    match error {
        DecodeError::Length(source) => Bad { field: "length", why: why(source) },
        DecodeError::Packet(error) => bad(error),
        DecodeError::TooLong { .. } | DecodeError::Cut { .. } => panic!("{error}"),
    }
}

/// What is wrong with a number as the reference decoder has it.
#[must_use]
pub fn why(error: VarintError) -> Why {
    match error {
        VarintError::Truncated => Why::Cut,
        VarintError::TooLong => Why::TooLong,
        VarintError::TooLarge => Why::TooLarge,
    }
}
