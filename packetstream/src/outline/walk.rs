//! From a description to an outline.

use super::spelling::is_fixed;
use super::{Body, Content, Field, Outline, Reply, Request, Shape, Struct, Type, TypeId, Variant};
use packetstream_core::description::{self, Describe, Encoding, Place};
use std::collections::HashMap;
use std::{mem, ptr};

impl Outline {
    /// The outline of a protocol.
    ///
    /// A description has no identity: the compiler may keep several copies of it. Types of one name whose
    /// fields are the same therefore are one here, whatever their documentation says.
    pub(crate) fn of(protocol: &description::Protocol) -> Self {
        let mut walk = Walk::default();
        let mut requests: Vec<_> = protocol.requests.iter().collect();
        requests.sort_by_key(|request| request.rq_type);
        let requests = requests.into_iter().map(|request| walk.request(request)).collect();
        let mut outline =
            Self { name: protocol.name.to_owned(), docs: protocol.docs, requests, types: walk.types };
        outline.merge();
        outline.number();
        outline
    }

    /// Makes one of types that cannot be told apart.
    fn merge(&mut self) {
        // Types are taken for the same until something tells them apart: only so can those that contain
        // themselves be found to be the same.
        let mut classes = vec![0; self.types.len()];
        let mut count = 0;
        loop {
            let mut known = HashMap::new();
            let class = |ty: &Type| {
                let mut ty = ty.without_docs();
                ty.each_id(&mut |id| id.0 = classes[id.0]);
                let next = known.len();
                *known.entry(ty).or_insert(next)
            };
            classes = self.types.iter().map(class).collect();
            if mem::replace(&mut count, known.len()) == known.len() {
                break;
            }
        }
        let mut types = Vec::with_capacity(count);
        for (ty, class) in mem::take(&mut self.types).into_iter().zip(&classes) {
            // Classes are numbered in the order of their first members.
            if *class == types.len() {
                types.push(ty);
            }
        }
        self.types = types;
        let mut to_class = |id: &mut TypeId| id.0 = classes[id.0];
        self.types.iter_mut().for_each(|ty| ty.each_id(&mut to_class));
        for request in &mut self.requests {
            request.payload.each_id(&mut to_class);
            request.reply.each_id(&mut to_class);
            request.failure.iter_mut().for_each(|shape| shape.each_id(&mut to_class));
        }
    }

    /// Numbers the types of one name.
    fn number(&mut self) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for ty in self.types.iter_mut().filter(|ty| !ty.is_inline) {
            let count = counts.entry(ty.name.clone()).or_default();
            *count += 1;
            ty.number = *count;
        }
    }
}

#[derive(Default)]
struct Walk {
    types: Vec<Type>,
    ids: HashMap<*const (), TypeId>,
    /// What is being described, since the innermost named type.
    open: Vec<Describe>,
}

impl Walk {
    fn request(&mut self, request: &description::Request) -> Request {
        let payload = match (request.payload)() {
            Encoding::Struct(body) => {
                let ty = Type { is_inline: true, ..Type::new(body.name, body.docs) };
                let id = self.reserve(ty);
                self.fill_struct(id, body);
                Shape::Named(id)
            }
            _ => self.shape(request.payload),
        };
        Request {
            number: request.rq_type,
            name: request.name.to_owned(),
            docs: request.docs,
            payload,
            reply: self.reply((request.reply)()),
            failure: (request.failure)().map(|encoding| self.encoding(encoding)),
            contract: request.contract,
        }
    }

    fn reply(&mut self, reply: description::Reply) -> Reply {
        match reply {
            description::Reply::Nothing => Reply::Nothing,
            description::Reply::Bool => Reply::Bool,
            description::Reply::Flags => Reply::Flags,
            description::Reply::FlagsAndData => Reply::FlagsAndData,
            description::Reply::Option(reply) => Reply::Option(Box::new(self.reply(reply()))),
            description::Reply::Value(value) => Reply::Value(self.shape(value)),
            words => Reply::Value(Shape::Custom(words.to_string())),
        }
    }

    fn shape(&mut self, describe: Describe) -> Shape {
        if self.open.iter().any(|open| ptr::fn_addr_eq(*open, describe)) {
            // Written by hand: a list of itself, say, that gives no type a name to refer to.
            return Shape::Custom("itself".to_owned());
        }
        self.open.push(describe);
        let shape = self.encoding(describe());
        self.open.pop();
        shape
    }

    fn boxed(&mut self, describe: Describe) -> Box<Shape> {
        Box::new(self.shape(describe))
    }

    fn encoding(&mut self, encoding: Encoding) -> Shape {
        match encoding {
            Encoding::Uint { bits } => Shape::Uint(bits),
            Encoding::Bool => Shape::Bool,
            Encoding::Float => Shape::Float,
            Encoding::Fixed(name) if is_fixed(name) => Shape::Fixed(name.to_owned()),
            Encoding::Data => Shape::Data,
            Encoding::Text => Shape::Text,
            Encoding::Bytes(count) => Shape::Bytes(count),
            Encoding::Array(count, value) => Shape::Array(count, self.boxed(value)),
            Encoding::Option(value) => Shape::Option(self.boxed(value)),
            Encoding::List(value) => Shape::List(self.boxed(value)),
            Encoding::Map(key, value) => Shape::Map(self.boxed(key), self.boxed(value)),
            Encoding::Tuple(values) => Shape::Tuple(values.iter().map(|value| self.shape(*value)).collect()),
            Encoding::RestData => Shape::RestData,
            Encoding::RestText => Shape::RestText,
            Encoding::RestOption(value) => Shape::RestOption(self.boxed(value)),
            Encoding::RestList(value) => Shape::RestList(self.boxed(value)),
            Encoding::Struct(body) => {
                let key = ptr::from_ref(body).cast();
                self.named(key, body.name, body.docs, |walk, id| walk.fill_struct(id, body))
            }
            Encoding::Enum(body) => {
                let key = ptr::from_ref(body).cast();
                self.named(key, body.name, body.docs, |walk, id| walk.fill_enum(id, body))
            }
            words => Shape::Custom(words.to_string()),
        }
    }

    /// A type that is described once, before what it consists of.
    fn named(
        &mut self,
        key: *const (),
        name: &str,
        docs: description::Docs,
        fill: impl FnOnce(&mut Self, TypeId),
    ) -> Shape {
        if let Some(id) = self.ids.get(&key) {
            return Shape::Named(*id);
        }
        let id = self.reserve(Type::new(name, docs));
        self.ids.insert(key, id);
        fill(self, id);
        Shape::Named(id)
    }

    fn reserve(&mut self, ty: Type) -> TypeId {
        self.types.push(ty);
        TypeId(self.types.len() - 1)
    }

    fn fill_struct(&mut self, id: TypeId, body: &description::Struct) {
        let fields = self.fields(body.fields);
        let magic = body.magic.to_vec();
        self.types[id.0].body = Body::Struct(Struct { is_delimited: body.is_delimited, magic, fields });
    }

    fn fill_enum(&mut self, id: TypeId, body: &description::Enum) {
        let mut variants: Vec<_> = body
            .variants
            .iter()
            .map(|variant| Variant {
                number: variant.id,
                name: variant.name.to_owned(),
                docs: variant.docs,
                fields: self.fields(variant.fields),
            })
            .collect();
        variants.sort_by_key(|variant| variant.number);
        self.types[id.0].body = Body::Enum(variants);
    }

    fn fields(&mut self, fields: &[description::Field]) -> Vec<Field> {
        let open = mem::take(&mut self.open);
        let fields = fields.iter().map(|field| self.field(field)).collect();
        self.open = open;
        fields
    }

    fn field(&mut self, field: &description::Field) -> Field {
        let content = match field.place {
            Place::Inline => Content::Inline(self.shape(field.encoding)),
            Place::Whole => Content::Whole(self.shape(field.encoding)),
            Place::Flag(flag) => Content::Flag(flag),
            Place::IfFlag(flag) => Content::IfFlag(flag, self.shape(field.encoding)),
            Place::Flags => Content::Flags,
            Place::Counted(other) => Content::Counted(other.to_owned(), self.shape(field.encoding).counted()),
            Place::Chosen(other) => Content::Chosen(other.to_owned(), self.shape(field.encoding)),
        };
        Field { name: field.name.to_owned(), docs: field.docs, content }
    }
}

impl Type {
    fn new(name: &str, docs: description::Docs) -> Self {
        let body = Body::Struct(Struct::default());
        Self { name: name.to_owned(), number: 1, is_inline: false, docs, body }
    }

    fn fields_mut(&mut self) -> Vec<&mut Field> {
        match &mut self.body {
            Body::Struct(body) => body.fields.iter_mut().collect(),
            Body::Enum(variants) => variants.iter_mut().flat_map(|variant| &mut variant.fields).collect(),
        }
    }

    fn without_docs(&self) -> Self {
        let mut ty = Self { docs: &[], number: 1, ..self.clone() };
        if let Body::Enum(variants) = &mut ty.body {
            for variant in variants {
                variant.docs = &[];
            }
        }
        for field in ty.fields_mut() {
            field.docs = &[];
        }
        ty
    }

    fn each_id(&mut self, change: &mut impl FnMut(&mut TypeId)) {
        for field in self.fields_mut() {
            match &mut field.content {
                Content::Inline(shape)
                | Content::Whole(shape)
                | Content::IfFlag(_, shape)
                | Content::Counted(_, shape)
                | Content::Chosen(_, shape) => shape.each_id(change),
                Content::Flag(_) | Content::Flags => {}
            }
        }
    }
}

impl Shape {
    /// The shape of what another field counts: how it takes the rest of a payload is how it is written
    /// then, which says nothing here.
    fn counted(self) -> Self {
        match self {
            Self::RestData => Self::Data,
            Self::RestText => Self::Text,
            Self::RestList(value) => Self::List(value),
            shape => shape,
        }
    }

    fn each_id(&mut self, change: &mut impl FnMut(&mut TypeId)) {
        if let Self::Named(id) = self {
            change(id);
        }
        self.parts_mut().into_iter().for_each(|part| part.each_id(change));
    }
}

impl Reply {
    fn each_id(&mut self, change: &mut impl FnMut(&mut TypeId)) {
        match self {
            Self::Option(reply) => reply.each_id(change),
            Self::Value(shape) => shape.each_id(change),
            Self::Nothing | Self::Bool | Self::Flags | Self::FlagsAndData => {}
        }
    }
}
