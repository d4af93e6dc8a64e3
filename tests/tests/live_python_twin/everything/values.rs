//! Random values of each type.

use super::{
    Chosen, Containers, Counted, Delimited, Fixed, Flagged, Forward, Key, Kind, List, Maps, Numbers, Query,
    Seat, Shape, Spelled, Tail, Tree, TreeKind, Why, dict,
};
use packetstream::{Be, Le, Rest, Variants, Verbatim};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::{array, option};
use std::fmt::Debug;

pub(super) fn numbers() -> impl Strategy<Value = Numbers> {
    let floats = prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits)];
    (any::<(u64, u32, u16, usize)>(), any::<bool>(), floats, text(), data())
        .prop_map(|(widths, truth, decimal, text, data)| Numbers { widths, truth, decimal, text, data })
}

pub(super) fn fixed() -> impl Strategy<Value = Fixed> {
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

pub(super) fn containers() -> impl Strategy<Value = Containers> {
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

pub(super) fn maps() -> impl Strategy<Value = Maps> {
    let key = (kind(), any::<i32>(), text()).prop_map(|(high, low, name)| Key { high, low, name });
    (
        btree_map(kind(), btree_map(any::<u64>(), text(), 0..4), 0..3),
        btree_map(key, any::<bool>(), 0..4),
        btree_map(list(), any::<u64>(), 0..4),
    )
        .prop_map(|(sorted, of_structs, of_lists)| Maps { sorted, of_structs, of_lists })
}

pub(super) fn counted() -> impl Strategy<Value = Counted> {
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

pub(super) fn delimited() -> impl Strategy<Value = Delimited> {
    (any::<u64>(), text()).prop_map(|(low, text)| Delimited { low, text })
}

pub(super) fn tail<T: Rest + Debug>(last: impl Strategy<Value = T>) -> impl Strategy<Value = Tail<T>> {
    (any::<u64>(), last).prop_map(|(first, last)| Tail { first, last })
}

pub(super) fn flagged() -> BoxedStrategy<Flagged> {
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

pub(super) fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Small), Just(Kind::Large)]
}

pub(super) fn shape() -> impl Strategy<Value = Shape> {
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

pub(super) fn chosen() -> impl Strategy<Value = Chosen> {
    (any::<u64>(), shape(), kind()).prop_map(|(sender, shape, size)| Chosen {
        kind: None,
        plain: 0,
        sender,
        shape,
        size,
    })
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    let leaf = text().prop_map(|name| Tree { name, kind: TreeKind::Leaf(None) });
    leaf.prop_recursive(6, 16, 3, |tree| {
        let kind = prop_oneof![
            tree.clone().prop_map(|tree| TreeKind::Leaf(Some(Box::new(tree)))),
            vec(tree, 0..3).prop_map(|children| TreeKind::Inner { children }),
        ];
        (text(), kind).prop_map(|(name, kind)| Tree { name, kind })
    })
}

pub(super) fn seat() -> impl Strategy<Value = Seat> {
    (any::<u64>(), proptest::char::range('A', 'Z')).prop_map(|(row, letter)| Seat { row, letter })
}

pub(super) fn names() -> impl Strategy<Value = List> {
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

pub(super) fn spelled() -> impl Strategy<Value = Spelled> {
    (any::<u64>(), flagged(), any::<u64>())
        .prop_map(|(number, flagged, behind)| Spelled { exact: Verbatim::from(&(number, flagged)), behind })
}

pub(super) fn query() -> impl Strategy<Value = Query> {
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

pub(super) fn why() -> impl Strategy<Value = Why> {
    prop_oneof![
        Just(Why::First),
        any::<(bool, u64)>().prop_map(|(is_final, written)| Why::Partial { is_final, written }),
    ]
}

pub(super) fn forward() -> impl Strategy<Value = Forward> {
    (0..1_u64 << 61, vec(kind(), 0..3), data())
        .prop_map(|(flags, kinds, rest)| Forward(flags, kinds, rest.into()))
}

pub(super) fn text() -> impl Strategy<Value = String> {
    ".{0,5}"
}

pub(super) fn data() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..5)
}

pub(super) fn list() -> impl Strategy<Value = Vec<u64>> {
    vec(any::<u64>(), 0..5)
}
