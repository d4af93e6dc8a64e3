//! What reads and writes values: expressions over the classes of `support/`.

use super::expr::{self, Expr, Item};
use super::names::{self, Names, is_plain};
use crate::outline::{Body, Content, Field, Outline, Reply, Request, Shape, Struct, Type, TypeId};
use packetstream_core::description::Flag;

/// The codecs of a protocol.
#[derive(Clone, Copy)]
pub(super) struct Codecs<'a> {
    pub(super) outline: &'a Outline,
    pub(super) names: &'a Names,
}

impl Codecs<'_> {
    /// That of a type.
    pub(super) fn ty(self, id: TypeId) -> Expr {
        let (ty, names) = (self.outline.get(id), self.names.get(id));
        match &ty.body {
            Body::Struct(body) => self.structure(&names.class, body, false),
            Body::Enum(_) if is_plain(ty) => Expr::call("_IntEnum", [Expr::atom(&names.class)]),
            Body::Enum(variants) => {
                let fields = variants.iter().zip(&names.variants);
                let fields = fields
                    .map(|(variant, class)| (variant.number, self.fields(class, &variant.fields, false)));
                Expr::call("_Enum", [Expr::dict(fields).after("lambda: ")])
            }
        }
    }

    /// The table of those of all types, if there are some.
    pub(super) fn by_class(self) -> String {
        let entries = self.outline.listed().map(|(id, _)| self.names.get(id));
        let entries: Vec<_> = entries.map(|names| format!("    {}: {},", names.class, names.codec)).collect();
        if entries.is_empty() {
            return String::new();
        }
        format!("_CODECS: dict[Any, _Codec] = {{\n{}\n}}\n\n", entries.join("\n"))
    }

    /// That of the payload of a request, whose class this is.
    pub(super) fn payload(self, class: &str, request: &Request) -> Expr {
        if let Some(Body::Struct(body)) = self.outline.inline(request).map(|ty| &ty.body) {
            return self.structure(class, body, true);
        }
        let fields = payload_fields(self.outline, request);
        self.structure(class, &Struct { fields, ..Struct::default() }, true)
    }

    fn structure(self, class: &str, body: &Struct, is_request: bool) -> Expr {
        let mut items = vec![self.fields(class, &body.fields, is_request).after("lambda: ")];
        if !body.magic.is_empty() {
            items.push(Expr::atom(expr::bytes(&body.magic)).after("magic="));
        }
        if body.is_delimited {
            items.push(Expr::atom("True").after("is_delimited="));
        }
        Expr::call("_Struct", items)
    }

    fn fields(self, class: &str, fields: &[Field], is_request: bool) -> Expr {
        let names = names::fields(fields, is_request);
        let other = |name: &str| {
            let index = fields.iter().position(|field| field.name == name);
            Expr::text(index.map_or(name, |index| &names[index]))
        };
        let content = fields.iter().zip(&names).map(|(field, name)| {
            let mut items: Vec<Item> = vec![Expr::text(name).into()];
            let bit = |flag: &Flag| Expr::atom(flag.bit.to_string()).into();
            let kind = match &field.content {
                Content::Inline(shape) => {
                    items.push(self.shape(shape).into());
                    "_Field"
                }
                Content::Whole(shape) => {
                    items.push(self.shape(shape).into());
                    "_Whole"
                }
                Content::Flag(flag) => {
                    items.push(bit(flag));
                    "_Flag"
                }
                Content::IfFlag(flag, shape) => {
                    items.extend([bit(flag), self.some(shape).into()]);
                    "_IfFlag"
                }
                Content::Flags => "_AllFlags",
                Content::Counted(count, shape) => {
                    items.extend([other(count).into(), self.shape(shape).into()]);
                    "_Counted"
                }
                Content::Chosen(number, shape) => {
                    items.extend([other(number).into(), self.shape(shape).into()]);
                    "_Chosen"
                }
            };
            if let Content::Flag(Flag { is_set: false, .. })
            | Content::IfFlag(Flag { is_set: false, .. }, _) = field.content
            {
                items.push(Expr::atom("False").after("is_set="));
            }
            Expr::call(kind, items)
        });
        Expr::call("_Fields", [Expr::atom(class)].into_iter().chain(content))
    }

    /// That of a value that may be missing.
    pub(super) fn some(self, shape: &Shape) -> Expr {
        if shape.may_be_none() { Expr::call("_SomeOf", [self.shape(shape)]) } else { self.shape(shape) }
    }

    pub(super) fn shape(self, shape: &Shape) -> Expr {
        match shape {
            Shape::Uint(bits) => Expr::call("_Uint", [Expr::atom(bits.to_string())]),
            Shape::Bool => Expr::call("_Bool", [] as [Expr; 0]),
            Shape::Float => Expr::call("_Float", [] as [Expr; 0]),
            Shape::Fixed(name) => fixed(name),
            Shape::Data => Expr::call("_Data", [] as [Expr; 0]),
            Shape::Text => Expr::call("_Text", [] as [Expr; 0]),
            Shape::Bytes(count) => Expr::call("_Bytes", [Expr::atom(count.to_string())]),
            Shape::Array(count, value) => {
                Expr::call("_Array", [Expr::atom(count.to_string()), self.shape(value)])
            }
            Shape::Option(value) => Expr::call("_Option", [self.some(value)]),
            Shape::List(value) => Expr::call("_List", [self.shape(value)]),
            Shape::Map(key, value) => {
                let kind = match (key.is_hashable(self.outline), key.is_sorted(self.outline)) {
                    (true, true) => "_Map",
                    (true, false) => "_UnsortedMap",
                    (false, _) => "_Pairs",
                };
                Expr::call(kind, [self.shape(key), self.shape(value)])
            }
            Shape::Tuple(values) => match &values[..] {
                [value] => Expr::call("_Part", [self.shape(value)]),
                values => Expr::call("_Tuple", values.iter().map(|value| self.shape(value))),
            },
            Shape::RestData => Expr::call("_RestData", [] as [Expr; 0]),
            Shape::RestText => Expr::call("_RestText", [] as [Expr; 0]),
            Shape::RestOption(value) => Expr::call("_RestOption", [self.some(value)]),
            Shape::RestList(value) => Expr::call("_RestList", [self.shape(value)]),
            Shape::Named(id) => Expr::atom(&self.names.get(*id).codec),
            Shape::Custom(words) => Expr::call("_ByHand", [Expr::text(words)]),
        }
    }

    pub(super) fn reply(self, reply: &Reply) -> Expr {
        match reply {
            Reply::Nothing => Expr::call("_Nothing", [] as [Expr; 0]),
            Reply::Bool => Expr::call("_BoolReply", [] as [Expr; 0]),
            Reply::Flags => Expr::call("_FlagsReply", [] as [Expr; 0]),
            Reply::FlagsAndData => Expr::call("_FlagsAndDataReply", [] as [Expr; 0]),
            Reply::Option(reply) if reply.may_be_none() => {
                Expr::call("_OptionReply", [Expr::call("_SomeReply", [self.reply(reply)])])
            }
            Reply::Option(reply) => Expr::call("_OptionReply", [self.reply(reply)]),
            Reply::Value(shape) => Expr::call("_ValueReply", [self.shape(shape)]),
        }
    }
}

/// The fields of the payload of a request.
pub(super) fn payload_fields(outline: &Outline, request: &Request) -> Vec<Field> {
    match (outline.inline(request).map(|ty| &ty.body), &request.payload) {
        (Some(Body::Struct(body)), _) => body.fields.clone(),
        (_, Shape::Tuple(values)) if values.is_empty() => Vec::new(),
        (_, shape) => vec![Field { name: "0".to_owned(), docs: &[], content: Content::Whole(shape.clone()) }],
    }
}

/// That of a number of fixed width: `u16be`.
fn fixed(name: &str) -> Expr {
    let is_big = name.ends_with("be");
    let (kind, bits) = name[..name.len() - 2].split_at(1);
    if kind == "f" {
        let form = if bits == "32" { "f" } else { "d" };
        return Expr::call("_FixedFloat", [Expr::text(&format!("{}{form}", if is_big { '>' } else { '<' }))]);
    }
    let size = bits.parse::<u32>().unwrap_or_default() / 8;
    let order = Expr::text(if is_big { "big" } else { "little" });
    let mut items: Vec<Item> = vec![Expr::atom(size.to_string()).into(), order.into()];
    if kind == "i" {
        items.push(Expr::atom("True").after("signed="));
    }
    Expr::call("_FixedInt", items)
}

impl Shape {
    /// Whether `None` is one of its values in Python.
    pub(super) fn may_be_none(&self) -> bool {
        match self {
            Self::Option(_) | Self::RestOption(_) | Self::Custom(_) => true,
            Self::Tuple(values) => matches!(&values[..], [value] if value.may_be_none()),
            _ => false,
        }
    }

    /// Whether its values can be keys of a `dict`.
    pub(super) fn is_hashable(&self, outline: &Outline) -> bool {
        self.holds(outline, &mut Vec::new(), &|shape| {
            !matches!(shape, Self::Array(..) | Self::List(_) | Self::Map(..) | Self::RestList(_))
        })
    }

    /// Whether Python sorts its values as Rust does.
    fn is_sorted(&self, outline: &Outline) -> bool {
        self.is_sorted_within(outline, &mut Vec::new())
    }

    fn is_sorted_within(&self, outline: &Outline, known: &mut Vec<TypeId>) -> bool {
        match self {
            Self::Uint(_) | Self::Bool | Self::Data | Self::Text | Self::Bytes(_) => true,
            Self::Fixed(name) => !name.starts_with('f'),
            Self::Tuple(values) => values.iter().all(|value| value.is_sorted_within(outline, known)),
            Self::Named(id) if known.contains(id) => false,
            Self::Named(id) => {
                known.push(*id);
                let is_sorted = outline.get(*id).is_sorted_within(outline, known);
                known.pop();
                is_sorted
            }
            _ => false,
        }
    }

    /// Whether something holds of it and of all that it consists of.
    fn holds(&self, outline: &Outline, known: &mut Vec<TypeId>, it: &impl Fn(&Self) -> bool) -> bool {
        if let Self::Named(id) = self {
            if known.contains(id) {
                return true;
            }
            known.push(*id);
            let mut shapes = outline.get(*id).fields().filter_map(|field| field.content.shape());
            return shapes.all(|shape| shape.holds(outline, known, it));
        }
        it(self) && self.parts().into_iter().all(|part| part.holds(outline, known, it))
    }
}

impl Type {
    /// Whether it is a struct that Python sorts as Rust does.
    pub(super) fn is_sorted_struct(&self, outline: &Outline) -> bool {
        matches!(self.body, Body::Struct(_)) && self.is_sorted_within(outline, &mut Vec::new())
    }

    fn is_sorted_within(&self, outline: &Outline, known: &mut Vec<TypeId>) -> bool {
        let Body::Struct(body) = &self.body else { return is_plain(self) };
        body.fields.iter().all(|field| match &field.content {
            Content::Inline(shape) | Content::Whole(shape) => shape.is_sorted_within(outline, known),
            _ => false,
        })
    }
}

impl Reply {
    /// Whether `None` is one of its values in Python.
    pub(super) fn may_be_none(&self) -> bool {
        match self {
            Self::Nothing | Self::Option(_) => true,
            Self::Value(shape) => shape.may_be_none(),
            Self::Bool | Self::Flags | Self::FlagsAndData => false,
        }
    }
}
