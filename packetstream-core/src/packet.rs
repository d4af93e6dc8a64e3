//! One unit of the wire: a request, a response, or one of the end markers.
//!
//! ```text
//!  length      varint   bytes that follow
//!  tag         varint   pairs a response with its request, per channel and direction
//!  word        varint   bit 0: a channel follows; bit 1: this is a request; rest: flags
//!  [channel]   varint   present iff bit 0; absent means channel 0
//!  [type + 1]  varint   present iff bit 1; 0 is reserved for the end markers
//!  payload     the rest
//! ```
//!
//! In a response the lowest of the flags says whether the request was ok, the rest are the
//! application's (rules W-6 to W-15).

use crate::outcome::{Failure, Outcome, Reply};
use crate::varint::{self, VarintError};
use bytes::Bytes;
use std::{fmt, io};

const HAS_CHANNEL: u64 = 0b1;
const IS_REQUEST: u64 = 0b10;
const REQUEST_FLAGS_SHIFT: u32 = 2;
const IS_OK: u64 = 0b100;
const REPLY_FLAGS_SHIFT: u32 = 3;

/// The largest flags of a request: 62 bits.
pub const MAX_REQUEST_FLAGS: u64 = u64::MAX >> REQUEST_FLAGS_SHIFT;
/// The largest flags of a response: 61 bits.
pub const MAX_REPLY_FLAGS: u64 = u64::MAX >> REPLY_FLAGS_SHIFT;
/// The largest request type; one more would not fit 64 bits on the wire.
pub const MAX_REQUEST_TYPE: u64 = u64::MAX - 1;

/// One unit of the wire: a request, a response, or an end marker.
///
/// Every `Packet` has bytes: the constructors refuse what the wire cannot carry. Two packets are equal
/// when they mean the same; a response has no request type that could differ.
#[derive(Clone, Eq, PartialEq)]
pub struct Packet {
    channel: u64,
    tag: u64,
    kind: Kind,
    flags: u64,
    payload: Bytes,
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Asks for something; the number is the application's request type.
    Request(u64),
    /// Answers the request with the same channel and tag.
    Response {
        /// Whether the request succeeded.
        ok: bool,
    },
    /// One of the protocol's own markers: see [`Packet::end_of_requests`], [`Packet::end_of_stream`].
    Control,
}

/// Why a packet cannot be made: a number the wire cannot carry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PacketError {
    /// The request type is larger than [`MAX_REQUEST_TYPE`].
    #[error("request type {0} exceeds the largest, {MAX_REQUEST_TYPE}")]
    RequestType(u64),
    /// The flags of a request are larger than [`MAX_REQUEST_FLAGS`].
    #[error("request flags {0:#x} exceed the largest, {MAX_REQUEST_FLAGS:#x}")]
    RequestFlags(u64),
    /// The flags of a response are larger than [`MAX_REPLY_FLAGS`].
    #[error("response flags {0:#x} exceed the largest, {MAX_REPLY_FLAGS:#x}")]
    ReplyFlags(u64),
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("bad {field} in a packet")]
pub struct ParseError {
    /// Which field: `length`, `tag`, `flags`, `channel` or `request type`.
    pub field: &'static str,
    /// What is wrong with it.
    pub source: VarintError,
}

impl Packet {
    /// A request of type `rq_type`.
    ///
    /// # Errors
    ///
    /// [`PacketError`] when the request type or the flags are too large for the wire.
    #[inline]
    pub fn request(
        channel: u64,
        tag: u64,
        rq_type: u64,
        flags: u64,
        payload: Bytes,
    ) -> Result<Self, PacketError> {
        if rq_type > MAX_REQUEST_TYPE {
            return Err(PacketError::RequestType(rq_type));
        }
        if flags > MAX_REQUEST_FLAGS {
            return Err(PacketError::RequestFlags(flags));
        }
        Ok(Self { channel, tag, kind: Kind::Request(rq_type), flags, payload })
    }

    /// The response that tells the sender of request `tag` what came of it.
    ///
    /// # Errors
    ///
    /// [`PacketError::ReplyFlags`] when the flags are too large for the wire.
    #[inline]
    pub fn response(channel: u64, tag: u64, outcome: Outcome) -> Result<Self, PacketError> {
        let (ok, flags, payload) = match outcome {
            Ok(Reply { flags, payload }) => (true, flags, payload),
            Err(Failure { flags, payload }) => (false, flags, payload),
        };
        if flags > MAX_REPLY_FLAGS {
            return Err(PacketError::ReplyFlags(flags));
        }
        Ok(Self { channel, tag, kind: Kind::Response { ok }, flags, payload })
    }

    /// The last packet of a stream ("EOF"): `03 00 02 00`.
    #[must_use]
    pub const fn end_of_stream() -> Self {
        Self::control(0)
    }

    /// "No more requests from me" ("ERQ"): `03 01 02 00`. Responses may still follow it.
    #[must_use]
    pub const fn end_of_requests() -> Self {
        Self::control(1)
    }

    const fn control(tag: u64) -> Self {
        Self { channel: 0, tag, kind: Kind::Control, flags: 0, payload: Bytes::new() }
    }

    /// What the packet is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The tag space that the tag belongs to.
    #[must_use]
    pub const fn channel(&self) -> u64 {
        self.channel
    }

    /// Pairs a response with its request, per channel and direction.
    #[must_use]
    pub const fn tag(&self) -> u64 {
        self.tag
    }

    /// The application's flags; `ok` of a response is not among them.
    #[must_use]
    pub const fn flags(&self) -> u64 {
        self.flags
    }

    /// The application's bytes.
    #[must_use]
    pub const fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The payload by value.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    /// The outcome that a response carries; nothing for any other packet.
    #[must_use]
    #[inline]
    pub fn into_outcome(self) -> Option<Outcome> {
        let Self { kind, flags, payload, .. } = self;
        match kind {
            Kind::Response { ok: true } => Some(Ok(Reply { flags, payload })),
            Kind::Response { ok: false } => Some(Err(Failure { flags, payload })),
            Kind::Request(_) | Kind::Control => None,
        }
    }

    /// Takes one whole packet, length and all, off the front of `bytes`.
    ///
    /// For a stream that arrives in pieces, and for a limit on the length, see
    /// [`Decoder`](crate::Decoder).
    ///
    /// # Errors
    ///
    /// When a field or the body is cut short, or a field is too large. `bytes` are then as they were.
    pub fn parse(bytes: &mut Bytes) -> Result<Self, ParseError> {
        let mut rest: &[u8] = bytes;
        let length = field("length", &mut rest)?;
        let short = ParseError { field: "length", source: VarintError::Truncated };
        let length = usize::try_from(length).map_err(|_| short)?;
        let body = rest.get(..length).ok_or(short)?;
        let (packet, payload) = Self::parse_body(body)?;
        let left = rest.len().saturating_sub(length);
        let mut whole = bytes.split_to(bytes.len().saturating_sub(left));
        Ok(packet.with_payload(whole.split_off(whole.len().saturating_sub(payload))))
    }

    /// Reads a packet without its payload from the `body` that a length prefix delimited, and says how much of the
    /// body is the payload, at its end.
    ///
    /// # Errors
    ///
    /// When a field is cut short or too large; every other body is a packet.
    #[inline]
    pub(crate) fn parse_body(mut body: &[u8]) -> Result<(Self, usize), ParseError> {
        let tag = field("tag", &mut body)?;
        let word = field("flags", &mut body)?;
        let channel = if word & HAS_CHANNEL == 0 { 0 } else { field("channel", &mut body)? };
        let (kind, flags) = if word & IS_REQUEST == 0 {
            (Kind::Response { ok: word & IS_OK != 0 }, word >> REPLY_FLAGS_SHIFT)
        } else {
            // The one place that knows "type + 1", with its inverse in `header`.
            let kind = field("request type", &mut body)?.checked_sub(1).map_or(Kind::Control, Kind::Request);
            (kind, word >> REQUEST_FLAGS_SHIFT)
        };
        Ok((Self { channel, tag, kind, flags, payload: Bytes::new() }, body.len()))
    }

    /// The same with this payload, which costs nothing to drop the one it has: there is none.
    #[inline]
    pub(crate) fn with_payload(self, payload: Bytes) -> Self {
        Self { payload, ..self }
    }

    /// The packet's bytes, length and all.
    #[must_use]
    pub fn transcribe(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.encoded_len().saturating_add(varint::MAX_LEN));
        self.put_header(&mut out);
        out.extend_from_slice(&self.payload);
        out.into()
    }

    /// Writes the packet's bytes and, where `flush` says so, flushes.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut impl io::Write, flush: bool) -> io::Result<()> {
        out.write_all(&self.transcribe())?;
        if flush { out.flush() } else { Ok(()) }
    }

    /// How many bytes the packet takes on the wire, length prefix included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.header().len().saturating_add(self.payload.len())
    }

    /// Appends all of the packet but its payload.
    #[inline]
    pub(crate) fn put_header(&self, out: &mut Vec<u8>) {
        if !self.header().put(out) {
            self.put_long_header(out);
        }
    }

    /// All of the packet but its payload.
    #[inline]
    fn header(&self) -> varint::Row {
        let mut header = varint::Row::new();
        if let Some(wire_type) = self.wire_type() {
            header.push_front(wire_type);
        }
        if self.channel != 0 {
            header.push_front(self.channel);
        }
        header.push_front(self.word());
        header.push_front(self.tag);
        header.push_front(header.len().saturating_add(self.payload.len()) as u64);
        header
    }

    #[cold]
    fn put_long_header(&self, out: &mut Vec<u8>) {
        let channel = if self.channel == 0 { None } else { Some(self.channel) };
        let numbers = [Some(self.tag), Some(self.word()), channel, self.wire_type()];
        let lengths = numbers.into_iter().flatten().map(varint::len);
        varint::put(out, lengths.fold(self.payload.len(), usize::saturating_add) as u64);
        numbers.into_iter().flatten().for_each(|number| varint::put(out, number));
    }

    fn word(&self) -> u64 {
        let channel = if self.channel == 0 { 0 } else { HAS_CHANNEL };
        channel
            | match self.kind {
                Kind::Request(_) | Kind::Control => IS_REQUEST | self.flags << REQUEST_FLAGS_SHIFT,
                Kind::Response { ok: true } => IS_OK | self.flags << REPLY_FLAGS_SHIFT,
                Kind::Response { ok: false } => self.flags << REPLY_FLAGS_SHIFT,
            }
    }

    const fn wire_type(&self) -> Option<u64> {
        match self.kind {
            Kind::Request(rq_type) => Some(rq_type.saturating_add(1)),
            Kind::Control => Some(0),
            Kind::Response { .. } => None,
        }
    }
}

#[inline]
fn field(field: &'static str, bytes: &mut &[u8]) -> Result<u64, ParseError> {
    varint::get(bytes).map_err(|source| ParseError { field, source })
}

impl fmt::Display for Packet {
    /// One line with at most 16 bytes of the payload, in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 16;
        self.describe(f)?;
        write!(f, ", {} bytes", self.payload.len())?;
        if !self.payload.is_empty() {
            f.write_str(": ")?;
        }
        for byte in self.payload.iter().take(SHOWN) {
            write!(f, "{byte:02x}")?;
        }
        if self.payload.len() > SHOWN { f.write_str("...") } else { Ok(()) }
    }
}

impl fmt::Debug for Packet {
    /// As `Display`, without any byte of the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packet(")?;
        self.describe(f)?;
        write!(f, ", {} bytes)", self.payload.len())
    }
}

impl Packet {
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Request(rq_type) => write!(f, "request type {rq_type}")?,
            Kind::Response { ok: true } => f.write_str("response ok")?,
            Kind::Response { ok: false } => f.write_str("response not ok")?,
            Kind::Control if *self == Self::end_of_stream() => f.write_str("end of stream")?,
            Kind::Control if *self == Self::end_of_requests() => f.write_str("end of requests")?,
            Kind::Control => f.write_str("unknown control")?,
        }
        if self.channel != 0 {
            write!(f, ", channel {}", self.channel)?;
        }
        write!(f, ", tag {}, flags {:#x}", self.tag, self.flags)
    }
}

#[cfg(test)]
mod tests;
