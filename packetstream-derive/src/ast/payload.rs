//! Types that travel: `#[derive(Payload)]` and the payload of `#[derive(Request)]`.

use super::attr::{self, Namespace};
use super::fields::{Assert, Bound, Field, Fields, Form, Role};
use crate::errors::Errors;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Data, DataEnum, DeriveInput, Error, Expr, ExprGroup, ExprLit, Generics, Ident, Lit, LitByteStr, Member,
    Path, Result, TypeParam, Variant,
};

/// A type with a place in a payload.
pub(crate) struct Payload<'a> {
    /// The path of the facade.
    pub(crate) krate: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) docs: Vec<&'a Expr>,
    pub(crate) body: Body<'a>,
}

/// What the type is made of.
pub(crate) enum Body<'a> {
    Struct(Struct<'a>),
    Enum(Vec<Choice<'a>>),
}

/// A struct.
#[derive(Default)]
pub(crate) struct Struct<'a> {
    pub(crate) fields: Fields<'a>,
    /// Whether its length stands in front of it.
    pub(crate) is_delimited: bool,
    /// The constant in front of its fields.
    pub(crate) magic: Option<LitByteStr>,
    /// What has to hold once all of it is read.
    pub(crate) asserts: Vec<Assert>,
}

/// One variant of an enum.
pub(crate) struct Choice<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) id: u64,
    pub(crate) docs: Vec<&'a Expr>,
    pub(crate) fields: Fields<'a>,
}

impl Struct<'_> {
    /// Whether it is one value under another name.
    pub(crate) fn is_newtype(&self) -> bool {
        matches!(&self.fields.0[..], [Field { member: Member::Unnamed(_), role: Role::Bytes(Form::Own), .. }])
    }
}

impl<'a> Payload<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let body = match &input.data {
            Data::Struct(data) => {
                let mut body = Struct::default();
                let known = &["length", "magic", "assert"];
                attr::keys(&input.attrs, Namespace::Payload.name(), known, errors, |key, meta| {
                    match key {
                        "length" => body.is_delimited = true,
                        "magic" => body.magic = Some(magic(meta)?),
                        _ => body.asserts.push(Assert::read(meta)?),
                    }
                    Ok(())
                });
                body.fields = Fields::read(&data.fields, Namespace::Payload, errors);
                Body::Struct(body)
            }
            Data::Enum(data) => {
                attr::refuse(
                    &input.attrs,
                    &[Namespace::Payload.name()],
                    "the fields of an enum have attributes, not the enum",
                    errors,
                );
                Body::Enum(choices(data, errors))
            }
            Data::Union(data) => {
                errors.add(Error::new(data.union_token.span, "only structs and enums have a payload"));
                Body::Struct(Struct::default())
            }
        };
        attr::refuse_other(&input.attrs, Namespace::Payload, errors);
        Self::new(input, body, errors)
    }

    /// What derives of every kind have in common.
    pub(super) fn new(input: &'a DeriveInput, body: Body<'a>, errors: &mut Errors) -> Self {
        let krate = attr::krate(&input.attrs, errors);
        for param in input.generics.lifetimes() {
            let message = "a payload read from the wire has nothing to borrow from: write `String`, `Bytes` or `Vec<T>`, without lifetimes";
            errors.add(Error::new_spanned(param, message));
        }
        Self { krate, ident: &input.ident, generics: &input.generics, docs: attr::docs(&input.attrs), body }
    }

    /// The type parameters that are part of something that travels, each with what it has to be.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = (&TypeParam, Bound)> {
        let fields: Vec<&Fields<'_>> = match &self.body {
            Body::Struct(body) => vec![&body.fields],
            Body::Enum(choices) => choices.iter().map(|choice| &choice.fields).collect(),
        };
        self.generics.type_params().flat_map(move |param| {
            let is_in = |field: &&Field<'_>| mentions(field.ty.to_token_stream(), &param.ident);
            let travelling: Vec<_> = fields.iter().flat_map(|fields| &fields.0).filter(is_in).collect();
            let is_bound = move |bound: &Bound| travelling.iter().any(|field| field.bound() == Some(*bound));
            [Bound::Payload, Bound::Fixed].into_iter().filter(is_bound).map(move |bound| (param, bound))
        })
    }
}

fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(token) => token == *ident,
        TokenTree::Group(group) => mentions(group.stream(), ident),
        _ => false,
    })
}

/// The bytes in `magic = b".."`.
pub(super) fn magic(meta: &syn::meta::ParseNestedMeta<'_>) -> Result<LitByteStr> {
    let magic: LitByteStr = attr::value(meta, "expected bytes: `magic = b\"..\"`")?;
    if magic.value().is_empty() {
        Err(Error::new(
            magic.span(),
            "an empty constant says nothing: write at least one byte, or no `magic`",
        ))
    } else {
        Ok(magic)
    }
}

fn choices<'a>(data: &'a DataEnum, errors: &mut Errors) -> Vec<Choice<'a>> {
    let mut next = Some(0);
    let mut choices = Vec::new();
    for variant in &data.variants {
        attr::refuse_packetstream(&variant.attrs, errors);
        let right = "a variant's number is its discriminant, and attributes are those of its fields";
        attr::refuse(&variant.attrs, &["payload", "request"], right, errors);
        let id = errors.collect(discriminant(variant, next)).unwrap_or(0);
        next = id.checked_add(1);
        choices.push(Choice {
            ident: &variant.ident,
            id,
            docs: attr::docs(&variant.attrs),
            fields: Fields::read(&variant.fields, Namespace::Payload, errors),
        });
    }
    choices
}

/// The number of a variant as Rust counts: the one it is given, or the `next`.
pub(super) fn discriminant(variant: &Variant, next: Option<u64>) -> Result<u64> {
    let Some((_, expr)) = &variant.discriminant else {
        let message = "the number of this variant exceeds 64 bits";
        return next.ok_or_else(|| Error::new(variant.ident.span(), message));
    };
    // A number that a `macro_rules!` macro was given is within a group that nobody sees.
    let literal = match ungrouped(expr) {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => literal.base10_parse().ok(),
        _ => None,
    };
    literal.ok_or_else(|| Error::new_spanned(expr, "expected a plain number, from 0 to 18446744073709551615"))
}

fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(ExprGroup { expr: inner, .. }) = expr {
        expr = inner;
    }
    expr
}
