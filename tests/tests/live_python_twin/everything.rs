//! A protocol with every encoding there is.

mod classes;
mod values;

use packetstream::{
    Be, Bytes, Le, Payload, PayloadError, PayloadProblem, PayloadReader, PayloadWriter, Protocol, Reply,
    Request, Response, Verbatim,
};
use std::collections::BTreeMap;

pub(crate) use classes::{Class, Content, Echoes, Role, classes};

/// Everything that can be said.
///
/// Backslashes, as in C:\new, and """quotes""" too.
#[derive(Debug, Protocol)]
pub(crate) enum Everything {
    #[request(0)]
    Numbers(Echo<Numbers>),
    #[request(1)]
    Fixed(Echo<Fixed>),
    #[request(2)]
    Containers(Echo<Containers>),
    #[request(3)]
    Maps(Echo<Maps>),
    #[request(4)]
    Counted(Echo<Counted>),
    #[request(5)]
    Delimited(Echo<Vec<Delimited>>),
    #[request(6)]
    Flagged(Echo<Flagged>),
    #[request(7)]
    FlaggedTail(Echo<FlaggedTail>),
    #[request(8)]
    AllFlags(Echo<AllFlags>),
    /// A newtype of a newtype, flags and all.
    #[request(9)]
    Newtypes(Echo<Newtype<Newtype<Flagged>>>),
    #[request(10)]
    Kind(Echo<Kind>),
    #[request(11)]
    Shape(Echo<Shape>),
    #[request(12)]
    Chosen(Echo<Chosen>),
    #[request(13)]
    Tree(Echo<Tree>),
    #[request(14)]
    DataTail(Echo<Tail<Vec<u8>>>),
    #[request(15)]
    TextTail(Echo<Tail<String>>),
    #[request(16)]
    ListTail(Echo<Tail<Vec<Delimited>>>),
    #[request(17)]
    OptionTail(Echo<Tail<Option<Flagged>>>),
    /// Letters, by hand.
    #[request(18)]
    Seat(Echo<Seat>),
    /// Names that mean something in Python.
    #[request(19)]
    None(Echo<List>),
    #[request(20)]
    Unit(Echo<()>),
    #[request(21)]
    Bool(Echo<bool>),
    #[request(22)]
    Number(Echo<u64>),
    #[request(23)]
    NumberAndBytes(Echo<(u64, Bytes)>),
    #[request(24)]
    Bytes(Echo<Bytes>),
    #[request(25)]
    Text(Echo<String>),
    #[request(26)]
    Option(Echo<Option<Shape>>),
    /// An option of an option is not one of a value.
    #[request(27)]
    OptionOfOption(Echo<Option<Option<bool>>>),
    #[request(28)]
    OptionOfUnit(Echo<Option<()>>),
    #[request(29)]
    List(Echo<Vec<Kind>>),
    #[request(30)]
    Spelled(Echo<Spelled>),
    /// Values of no bytes, which no list can have.
    #[request(31)]
    Units(Echo<Vec<()>>),
    #[request(32)]
    Measured(Echo<Vec<Measured>>),
    #[request(300)]
    Query(Query),
    #[request(70_000)]
    Forward(Forward),
    #[request(70_001)]
    Reset(Reset),
}

/// Answered with what it holds, or failed with it.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = T, error = T)]
pub(crate) struct Echo<T: Payload + Response>(pub(crate) T);

/// Numbers, truth and text.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Numbers {
    /// With a "quote" and a \ at the end\
    widths: (u64, u32, u16, usize),
    truth: bool,
    decimal: f64,
    text: String,
    data: Vec<u8>,
}

/// Numbers of fixed width, of every one.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Fixed {
    #[payload(big)]
    byte: u8,
    #[payload(little)]
    signed_byte: i8,
    unsigned: (Be<u16>, Le<u16>, Be<u32>, Le<u32>, Be<u64>, Le<u64>, Be<u128>, Le<u128>),
    signed: (Be<i16>, Le<i16>, Be<i32>, Le<i32>, Be<i64>, Le<i64>, Be<i128>, Le<i128>),
    floats: (Be<f32>, Le<f32>, Be<f64>, Le<f64>),
}

#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Containers {
    array: [u8; 3],
    values: [Le<i16>; 2],
    option: Option<String>,
    options: Option<Option<Option<u64>>>,
    list: Vec<Vec<u64>>,
    pair: (bool, Option<u16>),
    boxed: Box<u64>,
    unit: (),
    only: (Flagged,),
    data: Bytes,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Payload)]
pub(crate) struct Key {
    high: Kind,
    #[payload(big)]
    low: i32,
    name: String,
}

/// Keys that Python can hash and sort, hash, and neither.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Maps {
    sorted: BTreeMap<Kind, BTreeMap<u64, String>>,
    of_structs: BTreeMap<Key, bool>,
    of_lists: BTreeMap<Vec<u64>, u64>,
}

/// The lengths of its parts stand in front of them, in every form of a number.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Counted {
    many: u64,
    #[payload(big)]
    few: u8,
    #[payload(flag = 0, little)]
    letters: Option<u32>,
    maybe: Option<Option<u16>>,
    #[payload(count = many)]
    list: Vec<u64>,
    bytes: Be<u16>,
    #[payload(count = few)]
    pairs: Vec<(bool, String)>,
    #[payload(count = letters)]
    text: String,
    #[payload(count = bytes)]
    data: Bytes,
    #[payload(count = maybe)]
    last: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(length, magic = b"D\0\"")]
pub(crate) struct Delimited {
    low: u64,
    #[payload(rest)]
    text: String,
}

/// A newtype with its length.
#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(length)]
pub(crate) struct Measured(u64);

/// What takes the rest, each kind of it.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Tail<T: packetstream::Rest> {
    first: u64,
    #[payload(rest)]
    last: T,
}

#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Flagged {
    before: u64,
    #[payload(flag = 1)]
    urgent: bool,
    #[payload(flag = !0)]
    quiet: bool,
    #[payload(flag = 58)]
    name: Option<String>,
    #[payload(flag = !7)]
    inner: Option<Box<Flagged>>,
    #[payload(flag = 2, big)]
    size: Option<u32>,
    #[payload(flag = 3)]
    maybe: Option<Option<u64>>,
}

/// Ends with what a flag tells the presence of, and has no other end.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct FlaggedTail(#[payload(flag = 5)] bool, #[payload(flag = 4, rest)] Option<Vec<u64>>);

/// All flags, whatever they mean.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct AllFlags(#[payload(flags)] u64, Option<bool>);

/// A newtype's flags are those of what it wraps.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Newtype<T>(T);

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Payload)]
pub(crate) enum Kind {
    /// Less.
    Small = 1,
    /// More,
    /// and more.
    Large = 300,
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[repr(u16)]
pub(crate) enum Shape {
    Nowhere,
    Point(u64, #[payload(little)] u16),
    Circle {
        /// Or a ring.
        #[payload(flag = 0)]
        filled: bool,
        radius: Option<u64>,
    },
    Polygon {
        corners: u64,
        #[payload(count = corners)]
        points: Vec<(u64, u64)>,
        kind: Kind,
    } = 700,
    Group(Vec<Shape>),
}

/// The variants of enums stand elsewhere, and one not at all if it is the first.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Chosen {
    #[payload(flag = 0)]
    kind: Option<u64>,
    #[payload(big)]
    plain: u16,
    sender: u64,
    #[payload(id = kind)]
    shape: Shape,
    #[payload(id = plain)]
    size: Kind,
}

#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Tree {
    name: String,
    kind: TreeKind,
}

#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) enum TreeKind {
    Leaf(Option<Box<Tree>>),
    Inner { children: Vec<Tree> },
}

/// A letter, in one byte.
mod letter {
    use super::{PayloadError, PayloadProblem, PayloadReader, PayloadWriter};

    pub(crate) fn parse(reader: &mut PayloadReader) -> Result<char, PayloadError> {
        let [byte] = reader.array()?;
        if byte.is_ascii_alphabetic() {
            Ok(char::from(byte))
        } else {
            Err(reader.error(PayloadProblem::Invalid("not a letter")))
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "what a module for `with` is given")]
    pub(crate) fn transcribe(letter: &char, out: &mut PayloadWriter) {
        out.bytes(&[*letter as u8]);
    }
}

#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Seat {
    row: u64,
    #[payload(with = letter)]
    letter: char,
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[allow(non_camel_case_types, reason = "it is a name of Python's")]
pub(crate) enum dict {
    None,
    True(u64),
}

/// Names that mean something in Python.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct List {
    list: Vec<u64>,
    bytes: Bytes,
    class: u64,
    r#type: u64,
    lambda: bool,
    __private: u64,
    #[payload(flag = 0)]
    flags: bool,
    reply: dict,
    parse: u64,
    values: u64,
}

/// Keeps the spelling of the numbers that are read.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Spelled {
    exact: Verbatim<(u64, Flagged)>,
    behind: u64,
}

/// A request with fields of every kind.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(magic = b"Q", reply = Shape, error = Why, max_payload = 4096, concurrency = 2, timeout = "30s")]
pub(crate) struct Query {
    /// Whether it is the first.
    #[request(flag = 61)]
    first: bool,
    kind: u64,
    #[request(flag = 0)]
    after: Option<Flagged>,
    #[request(big)]
    names: u16,
    #[request(count = names)]
    list: Vec<String>,
    #[request(id = kind)]
    shape: Shape,
    /// Not a method.
    transcribe: u64,
}

/// Why a query fails.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) enum Why {
    First,
    Partial {
        #[payload(flag = 0)]
        is_final: bool,
        written: u64,
    },
}

/// Takes what there is.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = Reply)]
pub(crate) struct Forward(#[request(flags)] u64, Vec<Kind>, #[request(rest)] Bytes);

#[derive(Clone, Debug, PartialEq, Request)]
pub(crate) struct Reset;
