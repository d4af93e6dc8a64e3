//! A protocol with every encoding there is, and random values of it.

use packetstream::{
    BaseRequest, Be, Bytes, Context, ErrorResponse, Failure, Fulfil, Le, Payload, PayloadError,
    PayloadProblem, PayloadReader, PayloadWriter, Protocol, Reply, Request, Response, Variants, Verbatim,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest::{array, option};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

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
    #[request(300)]
    Query(Query),
    #[request(70_000)]
    Forward(Forward),
    #[request(70_001)]
    Reset(Reset),
}

/// Answered with what it holds, or failed with it.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = T, error = Failed<T>)]
pub(crate) struct Echo<T: Payload + Response>(pub(crate) T);

/// The failure of an echo.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Failed<T>(pub(crate) T);

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

fn numbers() -> impl Strategy<Value = Numbers> {
    let floats = prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits)];
    (any::<(u64, u32, u16, usize)>(), any::<bool>(), floats, text(), data())
        .prop_map(|(widths, truth, decimal, text, data)| Numbers { widths, truth, decimal, text, data })
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

fn fixed() -> impl Strategy<Value = Fixed> {
    let unsigned = any::<(u16, u16, u32, u32, u64, u64, u128, u128)>();
    let signed = any::<(i16, i16, i32, i32, i64, i64, i128, i128)>();
    (any::<(u8, i8)>(), unsigned, signed, any::<(f32, f32, f64, f64)>()).prop_map(
        |((byte, signed_byte), u, i, f)| Fixed {
            byte,
            signed_byte,
            unsigned: (Be(u.0), Le(u.1), Be(u.2), Le(u.3), Be(u.4), Le(u.5), Be(u.6), Le(u.7)),
            signed: (Be(i.0), Le(i.1), Be(i.2), Le(i.3), Be(i.4), Le(i.5), Be(i.6), Le(i.7)),
            floats: (Be(f.0), Le(f.1), Be(f.2), Le(f.3)),
        },
    )
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

fn containers() -> impl Strategy<Value = Containers> {
    (
        any::<[u8; 3]>(),
        array::uniform2(any::<i16>()),
        any::<Option<Option<Option<u64>>>>(),
        (option::of(text()), vec(list(), 0..3), any::<(bool, Option<u16>)>(), any::<u64>()),
        flagged(),
        data(),
    )
        .prop_map(|(array, values, options, (option, list, pair, boxed), flagged, data)| Containers {
            array,
            values: values.map(Le),
            option,
            options,
            list,
            pair,
            boxed: Box::new(boxed),
            unit: (),
            only: (flagged,),
            data: data.into(),
        })
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

fn maps() -> impl Strategy<Value = Maps> {
    let key = (kind(), any::<i32>(), text()).prop_map(|(high, low, name)| Key { high, low, name });
    (
        btree_map(kind(), btree_map(any::<u64>(), text(), 0..4), 0..3),
        btree_map(key, any::<bool>(), 0..4),
        btree_map(list(), any::<u64>(), 0..4),
    )
        .prop_map(|(sorted, of_structs, of_lists)| Maps { sorted, of_structs, of_lists })
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

fn counted() -> impl Strategy<Value = Counted> {
    (list(), vec((any::<bool>(), text()), 0..4), text(), data(), data()).prop_map(
        |(list, pairs, text, data, last)| {
            // They are written as what they count has it.
            Counted {
                many: 0,
                few: 0,
                letters: None,
                maybe: None,
                list,
                bytes: Be(0),
                pairs,
                text,
                data: data.into(),
                last,
            }
        },
    )
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(length, magic = b"D\0\"")]
pub(crate) struct Delimited {
    low: u64,
    #[payload(rest)]
    text: String,
}

fn delimited() -> impl Strategy<Value = Delimited> {
    (any::<u64>(), text()).prop_map(|(low, text)| Delimited { low, text })
}

/// What takes the rest, each kind of it.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Tail<T: packetstream::Rest> {
    first: u64,
    #[payload(rest)]
    last: T,
}

fn tail<T: packetstream::Rest + Debug>(last: impl Strategy<Value = T>) -> impl Strategy<Value = Tail<T>> {
    (any::<u64>(), last).prop_map(|(first, last)| Tail { first, last })
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

fn flagged() -> BoxedStrategy<Flagged> {
    let flagged = |inner: BoxedStrategy<Option<Box<Flagged>>>| {
        let optional = (option::of(text()), option::of(any::<u32>()), any::<Option<Option<u64>>>());
        (any::<(u64, bool, bool)>(), optional, inner).prop_map(
            |((before, urgent, quiet), (name, size, maybe), inner)| Flagged {
                before,
                urgent,
                quiet,
                name,
                inner,
                size,
                maybe,
            },
        )
    };
    flagged(option::of(flagged(Just(None).boxed()).prop_map(Box::new)).boxed()).boxed()
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

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Small), Just(Kind::Large)]
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

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Nowhere),
        any::<(u64, u16)>().prop_map(|(x, y)| Shape::Point(x, y)),
        any::<(bool, Option<u64>)>().prop_map(|(filled, radius)| Shape::Circle { filled, radius }),
        (vec(any::<(u64, u64)>(), 0..3), kind()).prop_map(|(points, kind)| Shape::Polygon {
            corners: 0,
            points,
            kind
        }),
    ];
    leaf.prop_recursive(4, 12, 3, |shape| vec(shape, 0..3).prop_map(Shape::Group))
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

fn chosen() -> impl Strategy<Value = Chosen> {
    (any::<u64>(), shape(), kind()).prop_map(|(sender, shape, size)| Chosen {
        kind: None,
        plain: 0,
        sender,
        shape,
        size,
    })
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

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = text().prop_map(|name| Tree { name, kind: TreeKind::Leaf(None) });
    leaf.prop_recursive(6, 16, 3, |tree| {
        let kind = prop_oneof![
            tree.clone().prop_map(|tree| TreeKind::Leaf(Some(Box::new(tree)))),
            vec(tree, 0..3).prop_map(|children| TreeKind::Inner { children }),
        ];
        (text(), kind).prop_map(|(name, kind)| Tree { name, kind })
    })
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

fn seat() -> impl Strategy<Value = Seat> {
    (any::<u64>(), proptest::char::range('A', 'Z')).prop_map(|(row, letter)| Seat { row, letter })
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

fn names() -> impl Strategy<Value = List> {
    let reply = prop_oneof![Just(dict::None), any::<u64>().prop_map(dict::True)];
    (list(), data(), any::<(u64, u64, bool, u64, bool, u64, u64)>(), reply).prop_map(
        |(list, bytes, (class, r#type, lambda, __private, flags, parse, values), reply)| List {
            list,
            bytes: bytes.into(),
            class,
            r#type,
            lambda,
            __private,
            flags,
            reply,
            parse,
            values,
        },
    )
}

/// Keeps the spelling of the numbers that are read.
#[derive(Clone, Debug, PartialEq, Payload)]
pub(crate) struct Spelled {
    exact: Verbatim<(u64, Flagged)>,
    behind: u64,
}

fn spelled() -> impl Strategy<Value = Spelled> {
    (any::<u64>(), flagged(), any::<u64>())
        .prop_map(|(number, flagged, behind)| Spelled { exact: Verbatim::from(&(number, flagged)), behind })
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

fn query() -> impl Strategy<Value = Query> {
    (any::<(bool, u64)>(), option::of(flagged()), vec(text(), 0..4), shape()).prop_map(
        |((first, transcribe), after, list, shape)| Query {
            first,
            kind: shape.id(),
            after,
            names: 0,
            list,
            shape,
            transcribe,
        },
    )
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

fn why() -> impl Strategy<Value = Why> {
    prop_oneof![
        Just(Why::First),
        any::<(bool, u64)>().prop_map(|(is_final, written)| Why::Partial { is_final, written }),
    ]
}

/// Takes what there is.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = Reply)]
pub(crate) struct Forward(#[request(flags)] u64, Vec<Kind>, #[request(rest)] Bytes);

fn forward() -> impl Strategy<Value = Forward> {
    (0..1_u64 << 61, vec(kind(), 0..3), data())
        .prop_map(|(flags, kinds, rest)| Forward(flags, kinds, rest.into()))
}

#[derive(Clone, Debug, PartialEq, Request)]
pub(crate) struct Reset;

fn text() -> impl Strategy<Value = String> {
    ".{0,5}"
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..5)
}

fn list() -> impl Strategy<Value = Vec<u64>> {
    vec(any::<u64>(), 0..5)
}

/// Answers all of it; every other echo is a failure.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    fails: AtomicBool,
}

impl<T: Payload + Response + Send + 'static> Fulfil<Echo<T>> for Echoes {
    async fn fulfil(&self, Echo(value): Echo<T>, _: Context) -> Result<T, Failed<T>> {
        if self.fails.fetch_xor(true, Ordering::Relaxed) { Err(Failed(value)) } else { Ok(value) }
    }
}

impl Fulfil<Query> for Echoes {
    async fn fulfil(&self, query: Query, _: Context) -> Result<Shape, Why> {
        if query.first { Err(Why::First) } else { Ok(query.shape) }
    }
}

impl Fulfil<Forward> for Echoes {
    async fn fulfil(&self, Forward(flags, _, rest): Forward, _: Context) -> Result<Reply, Failure> {
        Ok(Reply { flags, payload: rest })
    }
}

impl Fulfil<Reset> for Echoes {
    async fn fulfil(&self, Reset: Reset, _: Context) -> Result<(), Failure> {
        Ok(())
    }
}

/// What a packet carries.
pub(crate) type Content = (u64, Bytes);

/// What a packet is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Request,
    Reply,
    Failure,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Request, Self::Reply, Self::Failure];
}

/// One request of the protocol, without its type.
pub(crate) struct Class {
    pub(crate) number: u64,
    /// Whether what was read is written as it was spelled.
    pub(crate) is_verbatim: bool,
    sample: Sample,
    read: fn(Role, Content) -> Option<Content>,
}

/// Makes a request, and the reply and the failure for it.
type Sample = Box<dyn Fn(&mut TestRunner) -> [Content; 3]>;

impl Class {
    /// A random request, its reply, a failure.
    pub(crate) fn sample(&self, runner: &mut TestRunner) -> [Content; 3] {
        (self.sample)(runner)
    }

    /// What this side makes of a packet when it writes again what it has read; nothing if it refuses that.
    pub(crate) fn read(&self, role: Role, content: Content) -> Option<Content> {
        (self.read)(role, content)
    }
}

fn class<R>(values: impl Strategy<Value = (R, R::Reply, R::Error)> + 'static) -> Class
where
    R: BaseRequest,
    Everything: packetstream::Carries<R>,
{
    let sample = move |runner: &mut TestRunner| {
        let (request, reply, error) = values.new_tree(runner).unwrap().current();
        [request.transcribe_request(), content(reply.into_reply()), failure(error)]
    };
    let number = <Everything as packetstream::Carries<R>>::REQUEST_TYPE;
    Class { number, is_verbatim: false, sample: Box::new(sample), read: read::<R> }
}

fn echo<T>(values: impl Strategy<Value = T> + 'static) -> Class
where
    T: Payload + Response + Clone + Debug + 'static,
    Everything: packetstream::Carries<Echo<T>>,
{
    class(values.prop_map(|value| (Echo(value.clone()), value.clone(), Failed(value))))
}

fn content(reply: Reply) -> Content {
    (reply.flags, reply.payload)
}

fn failure(error: impl ErrorResponse) -> Content {
    let Failure { flags, payload } = error.into_failure();
    (flags, payload)
}

fn read<R: BaseRequest>(role: Role, (flags, payload): Content) -> Option<Content> {
    match role {
        Role::Request => {
            R::from_request_payload(flags, payload).ok().map(|request| request.transcribe_request())
        }
        Role::Reply => {
            R::Reply::from_reply(Reply { flags, payload }).ok().map(|reply| content(reply.into_reply()))
        }
        Role::Failure => match R::Error::from_failure(&Failure { flags, payload: payload.clone() }) {
            // Words, whatever they are.
            None => Some((flags, payload)),
            Some(error) => error.ok().map(failure),
        },
    }
}

/// All requests of the protocol.
pub(crate) fn classes() -> Vec<Class> {
    let query = (query(), shape(), why());
    let forward = forward().prop_map(|Forward(flags, kinds, rest)| {
        let reply = Reply { flags, payload: rest.clone() };
        (Forward(flags, kinds, rest), reply, Failure::new("no"))
    });
    vec![
        echo(numbers()),
        echo(fixed()),
        echo(containers()),
        echo(maps()),
        echo(counted()),
        echo(vec(delimited(), 0..3)),
        echo(flagged()),
        echo((any::<bool>(), option::of(list())).prop_map(|(a, b)| FlaggedTail(a, b))),
        echo((0..1_u64 << 60, any::<Option<bool>>()).prop_map(|(a, b)| AllFlags(a, b))),
        echo(flagged().prop_map(|flagged| Newtype(Newtype(flagged)))),
        echo(kind()),
        echo(shape()),
        echo(chosen()),
        echo(tree()),
        echo(tail(data())),
        echo(tail(text())),
        echo(tail(vec(delimited(), 0..3))),
        echo(tail(option::of(flagged()))),
        echo(seat()),
        echo(names()),
        echo(Just(())),
        echo(any::<bool>()),
        echo(0..1_u64 << 60),
        echo((0..1_u64 << 60, data().prop_map(Bytes::from))),
        echo(data().prop_map(Bytes::from)),
        echo(text()),
        echo(option::of(shape())),
        echo(any::<Option<Option<bool>>>()),
        echo(any::<Option<bool>>().prop_map(|some| some.map(|_| ()))),
        echo(vec(kind(), 0..4)),
        Class { is_verbatim: true, ..echo(spelled()) },
        class(query),
        class(forward),
        class(Just((Reset, (), Failure::new("no")))),
    ]
}
