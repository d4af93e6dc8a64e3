//! A protocol laid out for reading: its requests by number, and the types that they reach, each once.
//!
//! The [lock](crate::lock), the [page](crate::page) and the [twin](crate::twin) are made of it.

mod spelling;
mod walk;
mod words;

use packetstream_core::Contract;
use packetstream_core::description::{Docs, Flag};

pub(crate) use spelling::{Labels, Spelling, is_fixed};
pub(crate) use words::{contract_words, doc_lines};

/// A protocol.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub(crate) name: String,
    pub(crate) docs: Docs,
    /// By number.
    pub(crate) requests: Vec<Request>,
    /// In the order of their first use.
    pub(crate) types: Vec<Type>,
}

/// The place of a type among the [types](Outline::types).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct TypeId(pub(crate) usize);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) docs: Docs,
    pub(crate) payload: Shape,
    pub(crate) reply: Reply,
    pub(crate) failure: Option<Shape>,
    pub(crate) contract: Contract,
}

/// A struct or an enum.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Type {
    pub(crate) name: String,
    /// Counts the types of this name, from 1.
    pub(crate) number: usize,
    /// Whether it is the payload of a request and shown as part of it. Used elsewhere too, it is another.
    pub(crate) is_inline: bool,
    pub(crate) docs: Docs,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Body {
    Struct(Struct),
    Enum(Vec<Variant>),
}

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Struct {
    pub(crate) is_delimited: bool,
    pub(crate) magic: Vec<u8>,
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Variant {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) docs: Docs,
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) docs: Docs,
    pub(crate) content: Content,
}

/// Where a field is, and what its bytes are if it has some.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Content {
    Inline(Shape),
    /// The value itself, under another name.
    Whole(Shape),
    Flag(Flag),
    IfFlag(Flag, Shape),
    Flags,
    /// What has its count in the field of this name.
    Counted(String, Shape),
    /// What has the number of its variant in the field of this name.
    Chosen(String, Shape),
}

/// What the bytes of a value are.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Shape {
    Uint(u32),
    Bool,
    Float,
    Fixed(String),
    Data,
    Text,
    Bytes(usize),
    Array(usize, Box<Self>),
    Option(Box<Self>),
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Tuple(Vec<Self>),
    RestData,
    RestText,
    RestOption(Box<Self>),
    RestList(Box<Self>),
    Named(TypeId),
    Custom(String),
}

/// What an ok response is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Reply {
    Nothing,
    Bool,
    Flags,
    FlagsAndData,
    Option(Box<Self>),
    Value(Shape),
}

impl Outline {
    pub(crate) fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0]
    }

    /// The struct that the payload of a request is, if it is shown as part of it.
    pub(crate) fn inline(&self, request: &Request) -> Option<&Type> {
        match request.payload {
            Shape::Named(id) => Some(self.get(id)).filter(|ty| ty.is_inline),
            _ => None,
        }
    }

    /// The types that have a place of their own.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        self.types.iter().enumerate().filter(|(_, ty)| !ty.is_inline).map(|(id, ty)| (TypeId(id), ty))
    }

    /// Gives every shape there is, those within others too.
    pub(crate) fn each_shape<'a>(&'a self, take: &mut impl FnMut(&'a Shape)) {
        for request in &self.requests {
            let shapes = [Some(&request.payload), request.reply.shape(), request.failure.as_ref()];
            shapes.into_iter().flatten().for_each(|shape| shape.each(take));
        }
        let shapes = self.types.iter().flat_map(Type::fields).filter_map(|field| field.content.shape());
        shapes.for_each(|shape| shape.each(take));
    }
}

impl Type {
    /// The fields of the struct; of the enum those of all variants.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        let (fields, variants): (&[Field], &[Variant]) = match &self.body {
            Body::Struct(body) => (&body.fields, &[]),
            Body::Enum(variants) => (&[], variants),
        };
        fields.iter().chain(variants.iter().flat_map(|variant| &variant.fields))
    }
}

impl Content {
    /// What the bytes are, if there are some.
    pub(crate) fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Inline(shape)
            | Self::Whole(shape)
            | Self::IfFlag(_, shape)
            | Self::Counted(_, shape)
            | Self::Chosen(_, shape) => Some(shape),
            Self::Flag(_) | Self::Flags => None,
        }
    }

    /// Whether it has to do with flags.
    pub(crate) fn is_of_flags(&self) -> bool {
        matches!(self, Self::Flag(_) | Self::IfFlag(..) | Self::Flags)
    }
}

impl Shape {
    fn each<'a>(&'a self, take: &mut impl FnMut(&'a Self)) {
        take(self);
        self.parts().into_iter().for_each(|part| part.each(take));
    }

    /// Whether it goes to the end.
    pub(crate) fn is_rest(&self) -> bool {
        matches!(self, Self::RestData | Self::RestText | Self::RestOption(_) | Self::RestList(_))
    }

    /// What it directly consists of.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Array(_, value)
            | Self::Option(value)
            | Self::List(value)
            | Self::RestOption(value)
            | Self::RestList(value) => vec![value],
            Self::Map(key, value) => vec![key, value],
            Self::Tuple(values) => values.iter().collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Array(_, value)
            | Self::Option(value)
            | Self::List(value)
            | Self::RestOption(value)
            | Self::RestList(value) => vec![value],
            Self::Map(key, value) => vec![key, value],
            Self::Tuple(values) => values.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}

impl Reply {
    /// What its bytes are, if it has some.
    pub(crate) fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Value(shape) => Some(shape),
            Self::Option(reply) => reply.shape(),
            Self::Nothing | Self::Bool | Self::Flags | Self::FlagsAndData => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod tests;
