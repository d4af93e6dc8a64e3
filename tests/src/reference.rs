//! A second decoder of packets, made from the specification alone and sharing nothing with the library: what the
//! two disagree on, one of them has wrong.
//!
//! It is slow and plain: numbers are added up in 128 bits, and every byte is looked at anew each time. It has no
//! limit on the length of a packet, which is the receiver's choice and not the protocol's.
//!
//! ```
//! use packetstream_tests::reference::{Kind, Verdict, decode};
//!
//! let Verdict::Packet { packet, taken } = decode(&[6, 2, 0x82, 0x56, 2, 2, 3, 99]) else { panic!() };
//! assert_eq!((packet.tag, packet.kind, packet.flags, taken), (2, Kind::Request(1), 0x55, 7));
//! assert_eq!(decode(&[6, 2, 0x82]), Verdict::NeedMore);
//! ```

/// The most bytes of one number, padding included.
const LONGEST: usize = 10;

/// What a stream that begins with certain bytes begins with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// A packet.
    Packet {
        /// The packet.
        packet: Packet,
        /// How many of the bytes are its own.
        taken: usize,
    },
    /// A part of something; nothing at all is a part too.
    NeedMore,
    /// What no more bytes can make a packet.
    Bad(Bad),
}

/// A packet as its fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet {
    /// The tag space; 0 where the wire has none.
    pub channel: u64,
    /// The tag.
    pub tag: u64,
    /// What the packet is for.
    pub kind: Kind,
    /// The application's flags, without the bits that the protocol keeps below them.
    pub flags: u64,
    /// What follows the fields.
    pub payload: Vec<u8>,
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A request of this type, the application's number: one less than that on the wire.
    Request(u64),
    /// A response, and whether it is ok.
    Response {
        /// Whether the request succeeded.
        ok: bool,
    },
    /// A request with 0 for a type on the wire: one of the two end markers, or nothing that has a meaning.
    Control,
}

/// A field that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bad {
    /// `length`, `tag`, `flags`, `channel` or `request type`.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a number cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// What it stands in ends before it does.
    Cut,
    /// It does not fit 64 bits.
    TooLarge,
    /// It fits, but takes more than 10 bytes.
    TooLong,
}

/// Says what a stream that begins with `bytes` begins with.
#[must_use]
pub fn decode(bytes: &[u8]) -> Verdict {
    let (length, prefix) = match number(bytes) {
        Ok(length) => length,
        Err(Why::Cut) => return Verdict::NeedMore,
        Err(why) => return Verdict::Bad(Bad { field: "length", why }),
    };
    let Some(body) = usize::try_from(length).ok().and_then(|length| bytes[prefix..].get(..length)) else {
        return Verdict::NeedMore;
    };
    match decode_body(body) {
        Ok(packet) => Verdict::Packet { packet, taken: prefix + body.len() },
        Err(bad) => Verdict::Bad(bad),
    }
}

/// Reads a packet of its body, which a length has delimited.
///
/// # Errors
///
/// The first field that cannot be read.
pub fn decode_body(body: &[u8]) -> Result<Packet, Bad> {
    let mut at = 0;
    let mut field = |field| {
        let (value, taken) = number(&body[at..]).map_err(|why| Bad { field, why })?;
        at += taken;
        Ok(value)
    };
    let tag = field("tag")?;
    let word = field("flags")?;
    let channel = if word % 2 == 1 { field("channel")? } else { 0 };
    let (kind, flags) = if word / 2 % 2 == 1 {
        match field("request type")? {
            0 => (Kind::Control, word / 4),
            above_type => (Kind::Request(above_type - 1), word / 4),
        }
    } else {
        (Kind::Response { ok: word / 4 % 2 == 1 }, word / 8)
    };
    Ok(Packet { channel, tag, kind, flags, payload: body[at..].to_vec() })
}

/// Reads the number that `bytes` begin with, and says how many bytes it takes.
///
/// # Errors
///
/// Why it is none.
pub fn number(bytes: &[u8]) -> Result<(u64, usize), Why> {
    let mut value: u128 = 0;
    for (index, &byte) in bytes.iter().take(LONGEST).enumerate() {
        value = value * 128 + u128::from(byte % 128);
        // 70 bits at most, so that none is lost.
        let value = u64::try_from(value).map_err(|_| Why::TooLarge)?;
        if byte < 128 {
            return Ok((value, index + 1));
        }
    }
    Err(if bytes.len() < LONGEST { Why::Cut } else { Why::TooLong })
}

/// Reads packets for as long as there are any: all of them, how many bytes they take, and what is behind them,
/// which is no packet.
#[must_use]
pub fn decode_all(bytes: &[u8]) -> (Vec<Packet>, usize, Verdict) {
    let mut packets = Vec::new();
    let mut at = 0;
    loop {
        match decode(&bytes[at..]) {
            Verdict::Packet { packet, taken } => {
                packets.push(packet);
                at += taken;
            }
            end => return (packets, at, end),
        }
    }
}
