//! What travels, as data: the numbers of a protocol's requests, their fields with their encodings, replies,
//! failures, documentation.
//!
//! The derives write it; it is there for whatever is made from a protocol without its code: a page of
//! documentation, a check that deployed peers still understand it, a peer in another language.
//!
//! What a type within another one looks like is told by a function, since types can contain themselves.

use crate::contract::Contract;
use std::fmt;

/// Tells what the bytes of a type are.
pub type Describe = fn() -> Encoding;

/// Documentation as it was written, a line each.
pub type Docs = &'static [&'static str];

/// What the bytes of a value are.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Encoding {
    /// A [varint](crate::varint) of at most so many bits.
    Uint {
        /// 16, 32 or 64.
        bits: u32,
    },
    /// A varint, 0 or 1.
    Bool,
    /// A text of the shortest decimal that reads back to the number.
    Float,
    /// A number of fixed width: its Rust type, followed by `be` or `le` for the order of its bytes.
    Fixed(&'static str),
    /// A varint length, bytes.
    Data,
    /// A varint length in bytes, UTF-8.
    Text,
    /// So many bytes, bare.
    Bytes(usize),
    /// So many values.
    Array(usize, Describe),
    /// A varint, 0 or 1; if 1, a value.
    Option(Describe),
    /// A varint count, values.
    List(Describe),
    /// A varint count, keys each with its value.
    Map(Describe, Describe),
    /// Values one after the other.
    Tuple(&'static [Describe]),
    /// Bytes to the end, bare.
    RestData,
    /// UTF-8 to the end, bare.
    RestText,
    /// A value, or the end.
    RestOption(Describe),
    /// Values to the end, back to back.
    RestList(Describe),
    /// Fields in order.
    Struct(&'static Struct),
    /// A varint number, and the fields of the variant that it names.
    Enum(&'static Enum),
    /// What was written by hand, in words or by the name of its type.
    Custom(&'static str),
}

/// A struct: its fields in order, with nothing between.
#[derive(Debug)]
pub struct Struct {
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub docs: Docs,
    /// Whether its length in bytes, a varint, stands in front of everything.
    pub is_delimited: bool,
    /// A constant in front of the fields; empty if there is none.
    pub magic: &'static [u8],
    /// What has a place on the wire, in order.
    ///
    /// If there are flags among them they are those of the packet when the struct fills it, and else a varint
    /// in front of the first field whose [`Place`] has to do with them.
    pub fields: &'static [Field],
}

/// An enum: the number of a variant, a varint, and its fields.
#[derive(Debug)]
pub struct Enum {
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub docs: Docs,
    /// In the order of the declaration.
    pub variants: &'static [Variant],
}

/// One variant of an enum.
#[derive(Debug)]
pub struct Variant {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub docs: Docs,
    /// Its fields, in order.
    pub fields: &'static [Field],
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Its name; of a tuple its index.
    pub name: &'static str,
    /// Its documentation.
    pub docs: Docs,
    /// Where it is.
    pub place: Place,
    /// What its bytes are, where it has some.
    pub encoding: Describe,
}

/// Where a field is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// In its turn.
    Inline,
    /// It is the value under another name: what the struct fills it fills, so that its flags are those of the
    /// packet where the struct's would be.
    Whole,
    /// A bit of the flags, and no bytes.
    Flag(Flag),
    /// In its turn if a bit of the flags says so.
    IfFlag(Flag),
    /// All flags, and no bytes.
    Flags,
    /// In its turn, as long as the field of this name says.
    Counted(&'static str),
    /// In its turn, an enum whose variant the field of this name tells.
    Chosen(&'static str),
}

/// One bit of the flags.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Flag {
    /// Which: 0 is the least significant.
    pub bit: u32,
    /// What it is when the field is true or present: set, or clear.
    pub is_set: bool,
}

/// What an ok response is.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Reply {
    /// No flags, no payload.
    Nothing,
    /// Flag 0, no payload.
    Bool,
    /// A number in the flags, no payload.
    Flags,
    /// A number in the flags, bytes in the payload.
    FlagsAndData,
    /// Flag 0 says whether there is one, the flags above it and the payload are its.
    Option(fn() -> Reply),
    /// The payload is one value, which may have flags.
    Value(Describe),
    /// What was written by hand, in words or by the name of its type.
    Custom(&'static str),
}

/// A protocol: what one side of a connection can be asked.
#[derive(Debug)]
pub struct Protocol {
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub docs: Docs,
    /// In the order of the declaration.
    pub requests: &'static [Request],
}

/// One request of a protocol.
#[derive(Debug)]
pub struct Request {
    /// Its number. One more travels, which is the business of packets alone.
    pub rq_type: u64,
    /// Its name in the protocol.
    pub name: &'static str,
    /// Its documentation in the protocol.
    pub docs: Docs,
    /// What its payload is.
    pub payload: Describe,
    /// What an ok response to it is.
    pub reply: fn() -> Reply,
    /// What a declared failure is, if it declares any: flag 0 is set then, the flags above it and the payload
    /// are the failure's.
    pub failure: fn() -> Option<Encoding>,
    /// What it may take.
    pub contract: Contract,
}

impl Field {
    /// A field in its turn.
    #[must_use]
    pub const fn inline(name: &'static str, docs: Docs, encoding: Describe) -> Self {
        Self { name, docs, place: Place::Inline, encoding }
    }

    /// The only field of a newtype.
    #[must_use]
    pub const fn whole(name: &'static str, docs: Docs, encoding: Describe) -> Self {
        Self { name, docs, place: Place::Whole, encoding }
    }

    /// A field that is a bit of the flags, or whose presence is: `value` is the
    /// [`Flagged::VALUE`](crate::Flagged::VALUE) of its type.
    #[must_use]
    pub const fn flag(name: &'static str, docs: Docs, flag: Flag, value: Option<Describe>) -> Self {
        match value {
            None => Self { name, docs, place: Place::Flag(flag), encoding: || Encoding::Bool },
            Some(encoding) => Self::if_flag(name, docs, flag, encoding),
        }
    }

    /// A field in its turn if a bit of the flags says so.
    #[must_use]
    pub const fn if_flag(name: &'static str, docs: Docs, flag: Flag, encoding: Describe) -> Self {
        Self { name, docs, place: Place::IfFlag(flag), encoding }
    }

    /// All flags.
    #[must_use]
    pub const fn flags(name: &'static str, docs: Docs) -> Self {
        Self { name, docs, place: Place::Flags, encoding: || Encoding::Uint { bits: 64 } }
    }

    /// A field as long as the field `count` says.
    #[must_use]
    pub const fn counted(name: &'static str, docs: Docs, count: &'static str, encoding: Describe) -> Self {
        Self { name, docs, place: Place::Counted(count), encoding }
    }

    /// An enum whose variant the field `id` tells.
    #[must_use]
    pub const fn chosen(name: &'static str, docs: Docs, id: &'static str, encoding: Describe) -> Self {
        Self { name, docs, place: Place::Chosen(id), encoding }
    }
}

impl Flag {
    /// The bit set.
    #[must_use]
    pub const fn set(bit: u32) -> Self {
        Self { bit, is_set: true }
    }

    /// The bit clear.
    #[must_use]
    pub const fn clear(bit: u32) -> Self {
        Self { bit, is_set: false }
    }
}

impl Place {
    /// Whether the field has to do with flags.
    #[must_use]
    pub const fn is_of_flags(self) -> bool {
        matches!(self, Self::Flag(_) | Self::IfFlag(_) | Self::Flags)
    }
}

impl fmt::Display for Encoding {
    /// A word or two: `uint`, `list of data`, `HashCode`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Uint { bits: 64 } => f.write_str("uint"),
            Self::Uint { bits } => write!(f, "uint{bits}"),
            Self::Bool => f.write_str("bool"),
            Self::Float => f.write_str("float"),
            Self::Fixed(name) | Self::Custom(name) => f.write_str(name),
            Self::Data => f.write_str("data"),
            Self::Text => f.write_str("string"),
            Self::Bytes(count) => write!(f, "{count} bytes"),
            Self::Array(count, value) => write!(f, "{count} times {}", value()),
            Self::Option(value) => write!(f, "option of {}", value()),
            Self::List(value) => write!(f, "list of {}", value()),
            Self::Map(key, value) => write!(f, "map of {} to {}", key(), value()),
            Self::Tuple(values) => {
                f.write_str("(")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, value())?;
                }
                f.write_str(")")
            }
            Self::RestData => f.write_str("bytes to the end"),
            Self::RestText => f.write_str("text to the end"),
            Self::RestOption(value) => write!(f, "{} or the end", value()),
            Self::RestList(value) => write!(f, "{} to the end", value()),
            Self::Struct(Struct { name, .. }) | Self::Enum(Enum { name, .. }) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoding({self})")
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nothing => f.write_str("nothing"),
            Self::Bool => f.write_str("flag 0"),
            Self::Flags => f.write_str("a number in the flags"),
            Self::FlagsAndData => f.write_str("a number in the flags, bytes to the end"),
            Self::Option(value) => write!(f, "if flag 0: {}", value()),
            Self::Value(value) => write!(f, "{}", value()),
            Self::Custom(words) => f.write_str(words),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}

#[cfg(test)]
mod tests;
