//! Structs that travel: `#[derive(Payload)]` and `#[derive(Request)]`.

use super::attr;
use crate::errors::Errors;
use syn::{Data, DeriveInput, Error, Generics, Ident, Member, Path, Type};

/// A struct with a place in a payload.
pub(crate) struct Payload<'a> {
    /// The path of the facade.
    pub(crate) krate: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// In the order in which they travel.
    pub(crate) fields: Vec<Field<'a>>,
}

/// One field; those of a tuple struct are named by their index.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
}

/// A struct with `#[request(reply = Type)]`.
pub(crate) struct Request<'a> {
    pub(crate) payload: Payload<'a>,
    /// What comes back; `()` unless given.
    pub(crate) reply: Type,
}

impl<'a> Payload<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let krate = attr::krate(&input.attrs, errors);
        for param in input.generics.lifetimes() {
            let message = "a payload read from the wire has nothing to borrow from: no lifetimes here";
            errors.add(Error::new_spanned(param, message));
        }
        let fields = fields(&input.data, errors);
        Self { krate, ident: &input.ident, generics: &input.generics, fields }
    }
}

impl<'a> Request<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let reply = attr::reply(&input.attrs, errors);
        Self { payload: Payload::read(input, errors), reply }
    }
}

fn fields<'a>(data: &'a Data, errors: &mut Errors) -> Vec<Field<'a>> {
    let data = match data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            let message = "only structs have a payload; an enum of requests derives `Protocol`";
            errors.add(Error::new(data.enum_token.span, message));
            return Vec::new();
        }
        Data::Union(data) => {
            errors.add(Error::new(data.union_token.span, "only structs have a payload"));
            return Vec::new();
        }
    };
    for field in &data.fields {
        attr::refuse(&field.attrs, &[attr::PACKETSTREAM, attr::REQUEST], errors);
    }
    let types = data.fields.iter().map(|field| &field.ty);
    data.fields.members().zip(types).map(|(member, ty)| Field { member, ty }).collect()
}
