//! Protocols at random, and what becomes of them.

use super::model::{Packet, Peer};
use crate::lock::text;
use crate::outline::{Body, Content, Field, Outline, Reply, Request, Shape, Struct, Type, TypeId, Variant};
use packetstream_core::Contract;
use packetstream_core::description::Flag;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;
use std::hash::Hash;
use std::{fmt, mem, slice};

/// The bits that flags have.
const BITS: [u32; 4] = [0, 1, 2, 3];

/// Numbers that proptest makes and shrinks. Where there are none left they are 0, which is the simplest there is.
pub(super) struct Choices<'c>(pub(super) slice::Iter<'c, u8>);

/// A protocol, and what somebody made of it.
pub(super) struct Edited {
    pub(super) old: Outline,
    pub(super) new: Outline,
    /// The choices that make values of it.
    pub(super) values: Vec<Vec<u8>>,
}

impl fmt::Debug for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n--- old\n{}\n--- new\n{}", text::write(&self.old), text::write(&self.new))
    }
}

pub(super) fn edited() -> impl Strategy<Value = Edited> {
    (vec(any::<u8>(), 160), vec(vec(any::<u8>(), 24), 4)).prop_map(|(choices, values)| {
        let mut choices = Choices(choices.iter());
        let mut old = blank();
        for _ in 0..14 {
            choices.edit(&mut old);
        }
        let mut new = old.clone();
        for _ in 0..=choices.below(4) {
            choices.edit(&mut new);
        }
        Edited { old, new, values }
    })
}

/// A request that uses three types: a struct in a field, and an enum and a struct that fill its responses.
fn blank() -> Outline {
    let used = |at| Shape::Named(TypeId(at));
    let structure = |fields| Body::Struct(Struct { fields, ..Struct::default() });
    let payload = vec![field("a".to_owned(), Content::Inline(used(1)))];
    let bodies = [structure(payload), structure(vec![]), Body::Enum(vec![variant(0)]), structure(vec![])];
    let mut types: Vec<_> = bodies.into_iter().enumerate().map(|(at, body)| listed(at, body)).collect();
    types[0].is_inline = true;
    let request = Request {
        number: 0,
        name: "T0".to_owned(),
        docs: &[],
        payload: used(0),
        reply: Reply::Value(used(2)),
        failure: Some(used(3)),
        contract: Contract::NONE,
    };
    Outline { name: "P".to_owned(), docs: &[], types, requests: vec![request] }
}

fn field(name: String, content: Content) -> Field {
    Field { name, docs: &[], content }
}

fn listed(at: usize, body: Body) -> Type {
    Type { name: format!("T{at}"), number: 1, is_inline: false, docs: &[], body }
}

fn variant(number: u64) -> Variant {
    Variant { number, name: format!("V{number}"), docs: &[], fields: Vec::new() }
}

/// Whether names and bits are those of one thing each, and peers understand what they send.
fn is_protocol(outline: &Outline) -> bool {
    let are_fields = |fields: &[Field]| {
        let bits = |field: &Field| match field.content {
            Content::Flag(bit) | Content::IfFlag(bit, _) => vec![bit.bit],
            Content::Flags => BITS.to_vec(),
            _ => Vec::new(),
        };
        are_distinct(fields.iter().map(|field| &field.name))
            && are_distinct(fields.iter().flat_map(bits))
            && (fields.len() == 1 || !fields.iter().any(|field| matches!(field.content, Content::Whole(_))))
    };
    let is_understood = |packet| {
        // All is there, nothing is, and some is.
        [[1, 1, 1], [6, 6, 6], [1, 6, 0]].iter().all(|value| {
            let value = value.repeat(9);
            Peer::write(outline, packet, &mut Choices(value.iter())).is_some()
        })
    };
    are_distinct(outline.types.iter().map(|ty| &ty.name))
        && outline.types.iter().all(|ty| match &ty.body {
            Body::Struct(body) => are_fields(&body.fields),
            Body::Enum(variants) => variants.iter().all(|variant| are_fields(&variant.fields)),
        })
        && is_understood(Packet::Request)
        && is_understood(Packet::Reply)
        && (outline.requests[0].failure.is_none() || is_understood(Packet::Failure))
}

fn are_distinct<T: Eq + Hash>(items: impl IntoIterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

impl Choices<'_> {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.next().map_or(0, |&choice| usize::from(choice).checked_rem(end).unwrap_or(0))
    }

    fn is(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Changes one thing, unless that makes it no protocol.
    fn edit(&mut self, outline: &mut Outline) {
        let mut new = outline.clone();
        self.try_edit(&mut new);
        new.types[0].is_inline = new.requests[0].payload == Shape::Named(TypeId(0));
        if is_protocol(&new) {
            *outline = new;
        }
    }

    fn try_edit(&mut self, outline: &mut Outline) {
        let count = outline.types.len();
        let at = self.below(count + 2).saturating_sub(2);
        let request = &mut outline.requests[0];
        match self.below(20) {
            0 => request.reply = self.reply(count),
            1 => request.failure = self.is().then(|| self.shape(count)),
            2 => outline.types[at].name = format!("T{}", self.below(8)),
            3 => {
                if let Body::Struct(body) = &mut outline.types[at].body {
                    body.is_delimited ^= self.is();
                    body.magic = vec![0x68; self.below(2)];
                }
            }
            4 => {
                if let Some(shape) = self.shape_of(request, &mut outline.types[at]) {
                    let inner = mem::replace(shape, Shape::Named(TypeId(count)));
                    let content = if self.is() { Content::Whole(inner) } else { Content::Inline(inner) };
                    let fields = vec![field("0".to_owned(), content)];
                    outline.types.push(listed(count, Body::Struct(Struct { fields, ..Struct::default() })));
                }
            }
            5..8 => {
                if let Some(shape) = self.shape_of(request, &mut outline.types[at]) {
                    self.edit_shape(shape, count);
                }
            }
            _ => {
                let fields = self.fields_of(&mut outline.types[at]);
                self.edit_fields(fields, count);
            }
        }
    }

    /// A value of the request, or in the type.
    fn shape_of<'o>(&mut self, request: &'o mut Request, ty: &'o mut Type) -> Option<&'o mut Shape> {
        match (self.below(8), &mut request.reply) {
            (0, _) => Some(&mut request.payload),
            (1, _) => request.failure.as_mut(),
            (2, Reply::Value(shape)) => Some(shape),
            _ => {
                let fields = self.fields_of(ty);
                let field = self.below(fields.len());
                match &mut fields.get_mut(field)?.content {
                    Content::Flag(_) | Content::Flags => None,
                    Content::Inline(shape)
                    | Content::Whole(shape)
                    | Content::IfFlag(_, shape)
                    | Content::Counted(_, shape)
                    | Content::Chosen(_, shape) => Some(shape),
                }
            }
        }
    }

    /// The fields of a struct, or of a variant, which can be a new one.
    fn fields_of<'o>(&mut self, ty: &'o mut Type) -> &'o mut Vec<Field> {
        match &mut ty.body {
            Body::Struct(body) => &mut body.fields,
            Body::Enum(variants) => {
                let at = self.below(variants.len() + 1);
                if at == variants.len() {
                    variants.push(variant(at as u64));
                }
                &mut variants[at].fields
            }
        }
    }

    fn edit_shape(&mut self, shape: &mut Shape, types: usize) {
        let parts = shape.parts().len();
        if parts > 0 && self.is() {
            let at = self.below(parts);
            return self.edit_shape(shape.parts_mut().swap_remove(at), types);
        }
        *shape = match (shape.clone(), self.below(6)) {
            (Shape::Uint(16), 0..3) => Shape::Uint(32),
            (Shape::Uint(32), 0..3) => Shape::Uint(64),
            (Shape::Tuple(mut values), 0..3) if values.len() == 1 => values.remove(0),
            (shape, 3) => Shape::Tuple(vec![shape]),
            _ => self.shape(types),
        };
    }

    fn edit_fields(&mut self, fields: &mut Vec<Field>, types: usize) {
        let (at, other) = (self.below(fields.len()), self.below(fields.len()));
        let edit = self.below(8);
        if fields.is_empty() || edit < 3 {
            let content = self.content(fields, types);
            let at = if edit == 0 { fields.len() } else { at };
            return fields.insert(at, field(self.name(), content));
        }
        match edit {
            3 => fields[at].content = self.content(fields, types),
            4 => drop(fields.remove(at)),
            5 => fields.swap(at, other),
            _ => fields[at].name = self.name(),
        }
    }

    /// One of so few that what is new often has the name of what was there.
    fn name(&mut self) -> String {
        ["a", "b", "c", "d"][self.below(4)].to_owned()
    }

    /// What a field can be next to `fields`.
    fn content(&mut self, fields: &[Field], types: usize) -> Content {
        let bit = Flag { bit: BITS[self.below(4)], is_set: self.below(4) != 3 };
        let by = fields.get(self.below(fields.len())).map(|field| field.name.clone()).unwrap_or_default();
        match self.below(10) {
            3..6 => Content::Flag(bit),
            6 => Content::IfFlag(bit, self.shape(types)),
            7 if self.is() => Content::Flags,
            7 => Content::Whole(self.shape(types)),
            8 if self.is() => Content::Counted(by, Shape::List(self.shape(types).into())),
            8 => Content::Counted(by, Shape::Data),
            9 => Content::Chosen(by, self.named(types)),
            _ => Content::Inline(self.shape(types)),
        }
    }

    fn shape(&mut self, types: usize) -> Shape {
        let choice = self.below(20);
        let mut part = || self.shape(types);
        match choice {
            0 | 1 => Shape::Uint(64),
            2 => Shape::Uint(32),
            3 => Shape::Uint(16),
            4 => Shape::Bool,
            5 => Shape::Data,
            6 => Shape::Text,
            7 => Shape::Fixed("u16be".to_owned()),
            8 => Shape::Bytes(3),
            9 => Shape::Array(2, part().into()),
            10 => Shape::Option(part().into()),
            11 => Shape::List(part().into()),
            12 => Shape::Map(part().into(), part().into()),
            13 => Shape::Tuple((0..self.below(3)).map(|_| self.shape(types)).collect()),
            14 => Shape::RestData,
            15 => Shape::RestText,
            16 => Shape::RestOption(part().into()),
            17 => Shape::RestList(part().into()),
            _ => self.named(types),
        }
    }

    /// Not the type that is shown as part of the request.
    fn named(&mut self, types: usize) -> Shape {
        Shape::Named(TypeId(1 + self.below(types - 1)))
    }

    fn reply(&mut self, types: usize) -> Reply {
        match self.below(8) {
            0 => Reply::Nothing,
            1 => Reply::Bool,
            2 => Reply::Flags,
            3 => Reply::FlagsAndData,
            4 => Reply::Option(self.reply(types).into()),
            _ => Reply::Value(self.shape(types)),
        }
    }
}
