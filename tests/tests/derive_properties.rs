//! Every class of derived type, with any value and with any bytes: what is written reads back, in each place where it
//! can be; what a peer may send is read or refused; and a payload that is cut short is not another one.

use packetstream::{
    BaseRequest, Be, Bytes, ErrorResponse, Failure, Le, Payload, PayloadError, PayloadProblem, PayloadReader,
    PayloadWriter, Reply, Request, Response, Verbatim,
};
use proptest::collection::{btree_map, hash_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::{array, option};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::time::Duration;

/// How a payload ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Where its last field does: nothing shorter is a payload.
    Fixed,
    /// Where the bytes do: its last field takes the rest, which can be shorter. Then what is left of it is a value
    /// of its own, to the byte, since nothing says how long it was. On the wire the packet's length does.
    Open,
}

/// What fills a payload, a reply or a failure.
trait Travels: Payload + Response + Clone + Debug + PartialEq {}

impl<T: Payload + Response + Clone + Debug + PartialEq> Travels for T {}

/// What holds of a value wherever it travels.
fn check<T: Travels>(value: &T, foreign: &Foreign, end: End) -> Result<(), TestCaseError> {
    reads_back(value, end)?;
    let (bytes, reply) = (value.to_bytes(), value.clone().into_reply());
    is_whole(&bytes, end, T::from_bytes, T::to_bytes)?;
    let read = |payload| T::from_reply(Reply { flags: reply.flags, payload });
    is_whole(&reply.payload, end, read, |value| value.clone().into_reply().payload)?;

    for payload in foreign.payloads(&bytes) {
        if let Ok(value) = T::from_bytes(payload.clone()) {
            same(T::from_bytes(value.to_bytes()), &value)?;
        }
        let _ = Vec::<T>::from_bytes(payload);
    }
    for payload in foreign.payloads(&reply.payload) {
        for flags in [foreign.flags, reply.flags] {
            let read = T::from_reply(Reply { flags, payload: payload.clone() });
            let failure = T::from_failure(&Failure { flags, payload: payload.clone() });
            for value in read.into_iter().chain(failure.into_iter().flatten()) {
                same(T::from_reply(value.clone().into_reply()), &value)?;
            }
        }
    }
    Ok(())
}

/// A value in each place where it is one of many.
type Within<T> = (u64, T, Vec<T>, Option<T>, bool);

/// A value reads back where it is all there is, and, if one can tell where it ends, where it is one of many.
fn reads_back<T: Travels>(value: &T, end: End) -> Result<(), TestCaseError> {
    same(T::from_bytes(value.to_bytes()), value)?;
    same(T::from_reply(value.clone().into_reply()), value)?;
    let option = Option::<T>::from_reply(Some(value.clone()).into_reply());
    same(option.map(|option| option.expect("it was there")), value)?;
    same(T::from_failure(&value.clone().into_failure()).expect("it was declared"), value)?;
    if end == End::Fixed {
        let within = (7_u64, value.clone(), vec![value.clone(), value.clone()], Some(value.clone()), true);
        let (before, field, list, option, behind) = Within::<T>::from_bytes(within.to_bytes())?;
        prop_assert_eq!((before, behind), (7_u64, true));
        for value_again in list.into_iter().chain(option).chain([field]) {
            same(Ok(value_again), value)?;
        }
    }
    Ok(())
}

/// The bytes are a value, and no part of them from the start is one, unless the end is open.
fn is_whole<T: Debug>(
    bytes: &Bytes,
    end: End,
    read: impl Fn(Bytes) -> Result<T, PayloadError>,
    write: impl Fn(&T) -> Bytes,
) -> Result<(), TestCaseError> {
    for length in 0..bytes.len() {
        let part = bytes.slice(..length);
        if let Ok(value) = read(part.clone()) {
            prop_assert_eq!(end, End::Open, "{:?} is {:?}", part, value);
            prop_assert_eq!(write(&value), part);
        }
    }
    Ok(())
}

/// What holds of a request.
fn check_request<R: BaseRequest + Debug + PartialEq>(
    request: &R,
    foreign: &Foreign,
    end: End,
) -> Result<(), TestCaseError> {
    let (flags, payload) = request.transcribe_request();
    same(R::from_request_payload(flags, payload.clone()), request)?;
    same(R::from_bytes(request.to_bytes()), request)?;
    let read = |payload| R::from_request_payload(flags, payload);
    is_whole(&payload, end, read, |request| request.transcribe_request().1)?;
    for payload in foreign.payloads(&payload) {
        for flags in [foreign.flags, flags] {
            if let Ok(request) = R::from_request_payload(flags, payload.clone()) {
                let (flags, payload) = request.transcribe_request();
                same(R::from_request_payload(flags, payload), &request)?;
            }
        }
    }
    Ok(())
}

/// What was read is the value that was written; one that is not a number is none that equals itself.
fn same<T: Payload + Debug + PartialEq>(
    read: Result<T, PayloadError>,
    written: &T,
) -> Result<(), TestCaseError> {
    let read = read?;
    prop_assert!(
        read == *written || read.to_bytes() == written.to_bytes(),
        "{:?} became {:?}",
        written,
        read
    );
    Ok(())
}

/// What a peer may send instead: flags and bytes of its own, and a payload with some of its bytes replaced.
#[derive(Clone, Debug)]
struct Foreign {
    flags: u64,
    bytes: Vec<u8>,
    replaced: Vec<(Index, u8)>,
}

impl Foreign {
    /// The two payloads, one of them made of `bytes`.
    fn payloads(&self, bytes: &[u8]) -> [Bytes; 2] {
        let mut bytes = bytes.to_vec();
        for (index, byte) in &self.replaced {
            if !bytes.is_empty() {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
        }
        [self.bytes.clone().into(), bytes.into()]
    }
}

fn foreign() -> impl Strategy<Value = Foreign> {
    // Small ones are counts, lengths and numbers of variants that are right now and then.
    let byte = || prop_oneof![2 => 0_u8..4, 1 => any::<u8>()];
    let flags = prop_oneof![0_u64..16, any::<u64>()];
    (flags, vec(byte(), 0..24), vec((any::<Index>(), byte()), 1..4))
        .prop_map(|(flags, bytes, replaced)| Foreign { flags, bytes, replaced })
}

fn text() -> impl Strategy<Value = String> {
    ".{0,5}"
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..5)
}

fn list() -> impl Strategy<Value = Vec<u64>> {
    vec(any::<u64>(), 0..5)
}

mod milliseconds {
    use super::{Duration, PayloadError, PayloadProblem, PayloadReader, PayloadWriter};

    pub(super) fn parse(reader: &mut PayloadReader) -> Result<Duration, PayloadError> {
        match reader.uint()? {
            0 => Err(reader.error(PayloadProblem::Invalid("no time"))),
            milliseconds => Ok(Duration::from_millis(milliseconds)),
        }
    }

    pub(super) fn transcribe(duration: &Duration, out: &mut PayloadWriter) {
        out.uint(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    }
}

fn duration() -> impl Strategy<Value = Duration> {
    (1..u64::MAX).prop_map(Duration::from_millis)
}

/// Every form of a field but flags, counts and the rest.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Forms {
    numbers: (u64, u32, u16, usize),
    truth: bool,
    #[payload(big)]
    byte: u8,
    #[payload(little)]
    signed: i128,
    #[payload(big)]
    float: f32,
    decimal: f64,
    text: String,
    data: Vec<u8>,
    array: [u8; 3],
    values: [Le<i16>; 2],
    #[payload(with = milliseconds)]
    time: Duration,
    #[payload(skip)]
    seen: bool,
    #[payload(skip, default = 7)]
    left: u8,
    #[payload(assert(*limited < 100, "too large"))]
    limited: Box<u64>,
    nothing: (),
}

fn forms() -> impl Strategy<Value = Forms> {
    (
        any::<(u64, u32, u16, usize)>(),
        any::<(bool, u8, i128, f32, f64)>(),
        (text(), data(), array::uniform3(any::<u8>()), array::uniform2(any::<i16>())),
        (duration(), 0_u64..100),
    )
        .prop_map(
            |(
                numbers,
                (truth, byte, signed, float, decimal),
                (text, data, array, values),
                (time, limited),
            )| {
                let values = values.map(Le);
                let limited = Box::new(limited);
                let (seen, left, nothing) = (false, 7, ());
                Forms {
                    numbers,
                    truth,
                    byte,
                    signed,
                    float,
                    decimal,
                    text,
                    data,
                    array,
                    values,
                    time,
                    seen,
                    left,
                    limited,
                    nothing,
                }
            },
        )
}

/// The lengths of its parts stand in front of them, in every form of a number.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Counted {
    many: u64,
    #[payload(big)]
    few: u8,
    #[payload(little)]
    letters: u32,
    #[payload(count = many)]
    list: Vec<u64>,
    bytes: Be<u16>,
    #[payload(count = few)]
    pairs: Vec<(bool, String)>,
    #[payload(count = letters)]
    text: String,
    #[payload(count = bytes)]
    data: Bytes,
}

fn counted() -> impl Strategy<Value = Counted> {
    (list(), vec((any::<bool>(), text()), 0..4), text(), data()).prop_map(|(list, pairs, text, data)| {
        Counted {
            many: list.len() as u64,
            few: u8::try_from(pairs.len()).unwrap_or(u8::MAX),
            letters: u32::try_from(text.len()).unwrap_or(u32::MAX),
            list,
            bytes: Be(u16::try_from(data.len()).unwrap_or(u16::MAX)),
            pairs,
            text,
            data: data.into(),
        }
    })
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(length, magic = b"D", assert(low <= high, "low is above high"))]
struct Delimited {
    low: u64,
    high: u64,
    #[payload(rest)]
    text: String,
}

fn delimited() -> impl Strategy<Value = Delimited> {
    (any::<u64>(), any::<u64>(), text()).prop_map(|(one, other, text)| Delimited {
        low: one.min(other),
        high: one.max(other),
        text,
    })
}

/// What takes the rest, each kind of it.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Tail<T: packetstream::Rest> {
    first: u64,
    #[payload(rest)]
    last: T,
}

fn tail<T: packetstream::Rest + Debug>(last: impl Strategy<Value = T>) -> impl Strategy<Value = Tail<T>> {
    (any::<u64>(), last).prop_map(|(first, last)| Tail { first, last })
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Flagged {
    before: u64,
    #[payload(flag = 1)]
    urgent: bool,
    #[payload(flag = !0)]
    quiet: bool,
    #[payload(flag = 60)]
    name: Option<String>,
    #[payload(flag = !7)]
    inner: Option<Box<Flagged>>,
    #[payload(flag = 2, big)]
    size: Option<u32>,
    #[payload(flag = 3, with = milliseconds)]
    time: Option<Duration>,
}

fn flagged() -> impl Strategy<Value = Flagged> {
    let leaf = Just(None).boxed();
    let flagged = |inner: BoxedStrategy<Option<Box<Flagged>>>| {
        let optional = (option::of(text()), option::of(any::<u32>()), option::of(duration()));
        (any::<(u64, bool, bool)>(), optional, inner).prop_map(
            |((before, urgent, quiet), (name, size, time), inner)| Flagged {
                before,
                urgent,
                quiet,
                name,
                inner,
                size,
                time,
            },
        )
    };
    flagged(option::of(flagged(leaf).prop_map(Box::new)).boxed())
}

/// Ends with what a flag tells the presence of, and has no other end.
#[derive(Clone, Debug, PartialEq, Payload)]
struct FlaggedTail(#[payload(flag = 5)] bool, #[payload(flag = 4, rest)] Option<Vec<u64>>);

/// All flags, whatever they mean.
#[derive(Clone, Debug, PartialEq, Payload)]
struct AllFlags(#[payload(flags)] u64, Option<bool>);

/// A newtype's flags are those of what it wraps.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Newtype<T>(T);

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Payload)]
enum Kind {
    Small = 1,
    Large = 300,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Small), Just(Kind::Large)]
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[repr(u16)]
enum Shape {
    Nowhere,
    Point(u64, #[payload(little)] u16),
    Circle {
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
        (any::<u64>(), any::<u16>()).prop_map(|(x, y)| Shape::Point(x, y)),
        any::<(bool, Option<u64>)>().prop_map(|(filled, radius)| Shape::Circle { filled, radius }),
        (vec(any::<(u64, u64)>(), 0..3), kind()).prop_map(|(points, kind)| Shape::Polygon {
            corners: points.len() as u64,
            points,
            kind
        }),
    ];
    leaf.prop_recursive(4, 12, 3, |shape| vec(shape, 0..3).prop_map(Shape::Group))
}

/// The variant of an enum stands elsewhere, and not at all if it is the first.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Chosen {
    #[payload(flag = 0, assert(kind != Some(0), "0 is left out"))]
    kind: Option<u64>,
    sender: u64,
    #[payload(id = kind)]
    shape: Shape,
}

fn chosen() -> impl Strategy<Value = Chosen> {
    use packetstream::Variants;
    (any::<u64>(), shape()).prop_map(|(sender, shape)| Chosen {
        kind: Some(shape.id()).filter(|id| *id != 0),
        sender,
        shape,
    })
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Generic<T, S: Ord, U, const N: usize>
where
    U: Clone,
{
    id: [u8; N],
    items: Vec<T>,
    sets: BTreeMap<S, [T; N]>,
    #[payload(big)]
    number: i64,
    #[payload(skip)]
    unit: PhantomData<U>,
}

fn generic() -> impl Strategy<Value = Generic<Shape, String, String, 2>> {
    let sets = btree_map(text(), array::uniform2(shape()), 0..3);
    (any::<[u8; 2]>(), vec(shape(), 0..3), sets, any::<i64>()).prop_map(|(id, items, sets, number)| Generic {
        id,
        items,
        sets,
        number,
        unit: PhantomData,
    })
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Tree {
    name: String,
    kind: TreeKind,
}

#[derive(Clone, Debug, PartialEq, Payload)]
enum TreeKind {
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

#[derive(Clone, Debug, PartialEq, Payload)]
struct Maps {
    ordered: BTreeMap<Kind, BTreeMap<u64, String>>,
    hashed: HashMap<String, Option<(bool, Option<u64>)>>,
}

fn maps() -> impl Strategy<Value = Maps> {
    let inner = btree_map(any::<u64>(), text(), 0..3);
    (btree_map(kind(), inner, 0..3), hash_map(text(), any::<Option<(bool, Option<u64>)>>(), 0..4))
        .prop_map(|(ordered, hashed)| Maps { ordered, hashed })
}

/// Keeps the spelling of the numbers that are read.
#[derive(Clone, Debug, PartialEq, Payload)]
struct Spelled {
    exact: Verbatim<(u64, Flagged)>,
    behind: u64,
}

fn spelled() -> impl Strategy<Value = Spelled> {
    (any::<u64>(), flagged(), any::<u64>())
        .prop_map(|(number, flagged, behind)| Spelled { exact: Verbatim::from(&(number, flagged)), behind })
}

/// What a handler fails with.
#[derive(Clone, Debug, PartialEq, Payload)]
enum StoreError {
    Full,
    Missing(Vec<u64>),
    Partial {
        #[payload(flag = 0)]
        is_final: bool,
        written: u64,
    },
}

fn store_error() -> impl Strategy<Value = StoreError> {
    prop_oneof![
        Just(StoreError::Full),
        list().prop_map(StoreError::Missing),
        any::<(bool, u64)>().prop_map(|(is_final, written)| StoreError::Partial { is_final, written }),
    ]
}

macro_rules! classes {
    ($($name:ident: $values:expr, $end:ident;)*) => {
        proptest! {$(
            #[test]
            fn $name(value in $values, foreign in foreign()) {
                check(&value, &foreign, End::$end)?;
            }
        )*}
    };
}

classes! {
    a_struct_of_every_form_travels: forms(), Fixed;
    a_struct_with_counts_travels: counted(), Fixed;
    a_delimited_struct_travels: delimited(), Fixed;
    a_list_of_delimited_structs_travels: vec(delimited(), 0..3).prop_map(Newtype), Fixed;
    a_struct_with_flags_travels: flagged(), Fixed;
    a_newtype_of_flags_travels: flagged().prop_map(|flagged| Newtype(Newtype(flagged))), Fixed;
    a_struct_with_all_flags_travels: (0..1_u64 << 61, any::<Option<bool>>()).prop_map(|(a, b)| AllFlags(a, b)), Fixed;
    a_unit_enum_travels: kind(), Fixed;
    an_enum_travels: shape(), Fixed;
    an_enum_with_its_number_elsewhere_travels: chosen(), Fixed;
    a_generic_struct_travels: generic(), Fixed;
    a_recursive_type_travels: tree(), Fixed;
    maps_travel: maps(), Fixed;
    a_spelling_travels: spelled(), Fixed;
    an_error_travels: store_error(), Fixed;
    bytes_to_the_end_travel: tail(data()), Open;
    text_to_the_end_travels: tail(text()), Open;
    a_list_to_the_end_travels: tail(vec(delimited(), 0..3)), Open;
    an_option_to_the_end_travels: tail(option::of(flagged())), Open;
    a_flagged_rest_travels: (any::<bool>(), option::of(list())).prop_map(|(a, b)| FlaggedTail(a, b)), Open;
}

/// A request with fields of every kind.
#[derive(Debug, PartialEq, Request)]
#[request(magic = b"Q", assert(first || after.is_none(), "after what"), reply = Shape, error = StoreError)]
struct Query {
    #[request(flag = 61)]
    first: bool,
    kind: u64,
    #[request(flag = 0)]
    after: Option<Flagged>,
    #[request(big)]
    names: u16,
    #[request(count = names, assert(list.len() < 9, "too many"))]
    list: Vec<String>,
    #[request(id = kind)]
    shape: Shape,
}

fn query() -> impl Strategy<Value = Query> {
    use packetstream::Variants;
    (any::<bool>(), option::of(flagged()), vec(text(), 0..4), shape()).prop_map(
        |(first, after, list, shape)| Query {
            first: first || after.is_some(),
            kind: shape.id(),
            after,
            names: u16::try_from(list.len()).unwrap_or(u16::MAX),
            list,
            shape,
        },
    )
}

/// A request that takes what there is.
#[derive(Debug, PartialEq, Request)]
struct Forward<T>(#[request(flags)] u64, T, #[request(rest)] Bytes);

fn forward() -> impl Strategy<Value = Forward<Vec<Kind>>> {
    (0..1_u64 << 62, vec(kind(), 0..3), data())
        .prop_map(|(flags, kinds, rest)| Forward(flags, kinds, rest.into()))
}

/// A request without fields for flags, which ignores them.
#[derive(Debug, PartialEq, Request)]
struct Plain<T> {
    value: T,
    number: u64,
}

/// A request that is another value under its own number.
#[derive(Debug, PartialEq, Request)]
struct Renamed(Flagged);

macro_rules! requests {
    ($($name:ident: $requests:expr, $end:ident;)*) => {
        proptest! {$(
            #[test]
            fn $name(request in $requests, foreign in foreign()) {
                check_request(&request, &foreign, End::$end)?;
            }
        )*}
    };
}

requests! {
    a_request_of_every_form_travels: query(), Fixed;
    a_request_that_takes_everything_travels: forward(), Open;
    a_generic_request_travels: (tree(), any::<u64>()).prop_map(|(value, number)| Plain { value, number }), Fixed;
    a_newtype_request_travels: flagged().prop_map(Renamed), Fixed;
}
