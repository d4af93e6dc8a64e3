//! The fields of a struct or a variant: what each is on the wire.

use super::attr::{self, Namespace};
use crate::errors::Errors;
use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::{ParseStream, Result};
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Index, LitInt, LitStr, Member, Path, Token, Type};

/// The keys of a field, in the order in which messages list them.
const KEYS: &[&str] =
    &["flag", "flags", "rest", "count", "id", "big", "little", "with", "skip", "default", "assert"];

/// Fields in the order in which they travel.
#[derive(Default)]
pub(crate) struct Fields<'a>(pub(crate) Vec<Field<'a>>);

/// One field.
pub(crate) struct Field<'a> {
    /// Those of a tuple struct are named by their index.
    pub(crate) member: Member,
    /// What it is called where it is a variable: its name, or `field_0`.
    pub(crate) binding: Ident,
    pub(crate) ty: &'a Type,
    pub(crate) docs: Vec<&'a Expr>,
    pub(crate) role: Role,
    /// What has to hold once it is read.
    pub(crate) asserts: Vec<Assert>,
}

/// What a field has to do with the wire.
pub(crate) enum Role {
    /// It is bytes.
    Bytes(Form),
    /// It is a bit of the flags, or bytes if that bit says so.
    Flag(Bit),
    /// The value of an `Option`, in this form, if a bit of the flags says so.
    IfFlag(Bit, Form),
    /// It is all flags.
    Flags,
    /// It does not travel, and becomes this or its type's default.
    Skip(Option<Expr>),
}

/// How a value is bytes.
pub(crate) enum Form {
    /// As its type has it.
    Own,
    Big,
    Little,
    /// As the functions `parse` and `transcribe` of a module have it.
    With(Path),
    /// To the end of the payload.
    Rest,
    /// As long as this earlier field says.
    Counted(Ident),
    /// As the variant that this earlier field tells.
    Chosen(Ident),
}

/// What a type parameter has to be where it is part of a field.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Bound {
    Payload,
    Fixed,
}

/// One bit of the flags.
#[derive(Clone, Copy)]
pub(crate) struct Bit {
    pub(crate) number: u32,
    /// What it is when the field is true or present.
    pub(crate) is_set: bool,
}

/// `assert(condition, "message")`.
pub(crate) struct Assert {
    pub(crate) condition: Expr,
    pub(crate) message: LitStr,
}

impl Assert {
    pub(super) fn read(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        if !meta.input.peek(syn::token::Paren) {
            return Err(meta.error(Self::USAGE));
        }
        let content;
        syn::parenthesized!(content in meta.input);
        let assert = Self::parse(&content);
        // What is left of a mistake is not one more.
        content.parse::<TokenStream>()?;
        assert
    }

    const USAGE: &str = "expected `assert(condition, \"what the peer is told\")`";

    fn parse(content: ParseStream<'_>) -> Result<Self> {
        if content.is_empty() {
            return Err(content.error(Self::USAGE));
        }
        let condition = content.parse()?;
        let wrong = |error: Error| Error::new(error.span(), Self::USAGE);
        content.parse::<Token![,]>().map_err(wrong)?;
        let message = content.parse().map_err(wrong)?;
        content.parse::<Option<Token![,]>>()?;
        if content.is_empty() { Ok(Self { condition, message }) } else { Err(content.error(Self::USAGE)) }
    }
}

impl Field<'_> {
    /// Whether it is not on the wire at all.
    pub(crate) const fn is_skipped(&self) -> bool {
        matches!(self.role, Role::Skip(_))
    }

    /// What the type parameters in it have to be; nothing if they do not travel as the library has it.
    pub(super) const fn bound(&self) -> Option<Bound> {
        match &self.role {
            Role::Flag(_) => Some(Bound::Payload),
            Role::Bytes(form) | Role::IfFlag(_, form) => match form {
                Form::Own | Form::Rest | Form::Counted(_) | Form::Chosen(_) => Some(Bound::Payload),
                Form::Big | Form::Little => Some(Bound::Fixed),
                Form::With(_) => None,
            },
            Role::Flags | Role::Skip(_) => None,
        }
    }

    /// Whether it has to do with flags.
    pub(crate) const fn is_of_flags(&self) -> bool {
        matches!(self.role, Role::Flag(_) | Role::IfFlag(..) | Role::Flags)
    }

    /// The earlier field that its length or variant stands in.
    pub(crate) const fn refers_to(&self) -> Option<&Ident> {
        match &self.role {
            Role::Bytes(Form::Counted(earlier) | Form::Chosen(earlier)) => Some(earlier),
            _ => None,
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn read(fields: &'a syn::Fields, namespace: Namespace, errors: &mut Errors) -> Self {
        let mut earlier = Earlier { namespace, ..Earlier::default() };
        let read = |(index, field)| read(index, field, &mut earlier, errors);
        Self(fields.iter().enumerate().map(read).collect())
    }

    /// The bits of flags that have a meaning; nothing if no field has to do with flags.
    pub(crate) fn known_flags(&self) -> Option<u64> {
        let bits = self.0.iter().filter_map(|field| match field.role {
            Role::Flag(bit) | Role::IfFlag(bit, _) => Some(1 << bit.number),
            Role::Flags => Some(u64::MAX),
            _ => None,
        });
        bits.reduce(|all, bit| all | bit)
    }

    /// The field whose length or variant `field` tells.
    pub(crate) fn told_by(&self, field: &Ident) -> Option<&Field<'a>> {
        self.0.iter().find(|later| later.refers_to() == Some(field))
    }
}

/// What the fields before have taken.
#[derive(Default)]
struct Earlier {
    namespace: Namespace,
    /// What a later one can be counted by or chosen by.
    names: Vec<Ident>,
    /// Which of them is one's count or id already, and whose.
    told: Vec<(Ident, String)>,
    /// The flags taken, and by whom.
    flags: Vec<(u32, String)>,
    /// Who has taken all flags.
    all_flags: Option<String>,
    /// Who takes the rest.
    rest: Option<String>,
}

/// The keys that were given, each with where it stands.
#[derive(Default)]
struct Given {
    flag: Option<(Bit, Span)>,
    flags: Option<Span>,
    forms: Vec<(&'static str, Form, Span)>,
    skip: Option<Span>,
    default: Option<(Expr, Span)>,
    asserts: Vec<Assert>,
}

fn read<'a>(index: usize, field: &'a syn::Field, earlier: &mut Earlier, errors: &mut Errors) -> Field<'a> {
    let namespace = earlier.namespace;
    attr::refuse_packetstream(&field.attrs, errors);
    attr::refuse_other(&field.attrs, namespace, errors);
    let (member, binding) = match &field.ident {
        Some(ident) => (Member::Named(ident.clone()), ident.clone()),
        None => (Member::Unnamed(Index::from(index)), format_ident!("{OF_TUPLE}{index}")),
    };
    let name = match &member {
        Member::Named(ident) => ident.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    };
    let mut given = Given::default();
    attr::keys(&field.attrs, namespace.name(), KEYS, errors, |key, meta| given.read(key, meta, namespace));
    earlier.admit(&name, &given, field, errors);
    let asserts = std::mem::take(&mut given.asserts);
    let role = given.role(errors);
    if let Some(told) = role_refers_to(&role) {
        errors.collect(earlier.tell(told, &name));
    }
    if !matches!(role, Role::Skip(_)) {
        earlier.names.push(binding.clone());
    }
    Field { member, binding, ty: &field.ty, docs: attr::docs(&field.attrs), role, asserts }
}

const fn role_refers_to(role: &Role) -> Option<&Ident> {
    match role {
        Role::Bytes(Form::Counted(earlier) | Form::Chosen(earlier)) => Some(earlier),
        _ => None,
    }
}

impl Given {
    fn read(&mut self, key: &str, meta: &ParseNestedMeta<'_>, namespace: Namespace) -> Result<()> {
        let span = meta.path.span();
        let mut form = |name, form| self.forms.push((name, form, span));
        match key {
            "flag" => self.flag = Some((bit(meta, namespace)?, span)),
            "flags" => self.flags = Some(span),
            "rest" => form("rest", Form::Rest),
            "big" => form("big", Form::Big),
            "little" => form("little", Form::Little),
            "count" => form("count", Form::Counted(earlier_field(meta)?)),
            "id" => form("id", Form::Chosen(earlier_field(meta)?)),
            "with" => form("with", Form::With(attr::path(meta, "expected a module: `with = path`")?)),
            "skip" => self.skip = Some(span),
            "default" => self.default = Some((attr::value(meta, "expected a value: `default = ..`")?, span)),
            _ => self.asserts.push(Assert::read(meta)?),
        }
        Ok(())
    }

    /// What the keys come to; those that exclude each other are mistakes.
    fn role(self, errors: &mut Errors) -> Role {
        let Self { flag, flags, forms, skip, default, .. } = self;
        let mut forms = forms.into_iter();
        let form = forms.next();
        if let Some((first, ..)) = &form {
            for (second, _, span) in forms {
                errors.add(Error::new(span, format!("`{first}` and `{second}` exclude each other")));
            }
        }
        if let (None, Some((_, span))) = (skip, &default) {
            errors.add(Error::new(
                *span,
                "`default` is for a field that is not sent: write `skip, default = ..`",
            ));
        }
        if let Some(span) = skip {
            let other = [flag.map(|_| "flag"), flags.map(|_| "flags"), form.as_ref().map(|form| form.0)];
            if let Some(other) = other.into_iter().flatten().next() {
                errors.add(Error::new(span, format!("`skip` and `{other}` exclude each other")));
            }
            return Role::Skip(default.map(|(default, _)| default));
        }
        if let Some(span) = flags {
            let other = [flag.map(|_| "flag"), form.as_ref().map(|form| form.0)];
            if let Some(other) = other.into_iter().flatten().next() {
                errors.add(Error::new(span, format!("`flags` and `{other}` exclude each other")));
            }
            return Role::Flags;
        }
        match (flag, form) {
            (None, None) => Role::Bytes(Form::Own),
            (None, Some((_, form, _))) => Role::Bytes(form),
            (Some((bit, _)), None) => Role::Flag(bit),
            (Some(_), Some((name @ ("count" | "id"), form, span))) => {
                errors.add(Error::new(span, format!("`flag` and `{name}` exclude each other")));
                Role::Bytes(form)
            }
            (Some((bit, _)), Some((_, form, _))) => Role::IfFlag(bit, form),
        }
    }
}

impl Earlier {
    /// Takes what the next field asks for; what is taken already is a mistake.
    fn admit(&mut self, name: &str, given: &Given, field: &syn::Field, errors: &mut Errors) {
        if let Some(rest) = &self.rest
            && given.skip.is_none()
        {
            let message = format!("nothing can follow `{rest}`, which takes the rest of the payload");
            errors
                .add(Error::new(field.ident.as_ref().map_or_else(|| field.ty.span(), Ident::span), message));
        }
        if given.forms.iter().any(|(form, ..)| *form == "rest") {
            self.rest.get_or_insert_with(|| name.to_owned());
        }
        if let Some((bit, span)) = given.flag {
            if let Some(all) = &self.all_flags {
                errors.add(Error::new(span, format!("`{all}` takes all flags already")));
            } else if let Some((_, first)) = self.flags.iter().find(|taken| taken.0 == bit.number) {
                errors.add(Error::new(span, format!("flag {} is `{first}` already", bit.number)));
            } else {
                self.flags.push((bit.number, name.to_owned()));
            }
        }
        if let Some(span) = given.flags {
            if let Some(all) = &self.all_flags {
                errors.add(Error::new(span, format!("`{all}` takes all flags already")));
            } else if let Some((bit, first)) = self.flags.first() {
                errors
                    .add(Error::new(span, format!("`flags` takes all of them, but flag {bit} is `{first}`")));
            } else {
                self.all_flags = Some(name.to_owned());
            }
        }
    }

    /// Has an earlier field tell the length or variant of the field `name`.
    fn tell(&mut self, earlier: &Ident, name: &str) -> Result<()> {
        let wrong = |message: String| Err(Error::new(earlier.span(), message));
        if !self.names.contains(earlier) {
            return wrong(format!("no field `{}` is sent before this one", as_given(earlier)));
        }
        if let Some((_, first)) = self.told.iter().find(|told| told.0 == *earlier) {
            return wrong(format!("`{}` is the count or id of `{first}` already", as_given(earlier)));
        }
        self.told.push((earlier.clone(), name.to_owned()));
        Ok(())
    }
}

/// The bit in `flag = 3` or `flag = !3`.
fn bit(meta: &ParseNestedMeta<'_>, namespace: Namespace) -> Result<Bit> {
    let highest = namespace.highest_flag();
    let usage = format!("expected the number of a flag, 0 to {highest}, or `!` and it for one that is clear");
    let (not, literal) = attr::value_with(meta, &usage, |value| {
        Ok((value.parse::<Option<Token![!]>>()?, value.parse::<LitInt>()?))
    })?;
    match attr::plain(&literal).map(u32::try_from) {
        Some(Ok(number)) if number <= highest => Ok(Bit { number, is_set: not.is_none() }),
        Some(_) => {
            let holder = namespace.holder();
            let message = format!("flag {literal} is too high: {holder} has flags 0 to {highest}");
            Err(Error::new(literal.span(), message))
        }
        None => Err(Error::new(literal.span(), usage)),
    }
}

/// The name in `count = name`, or the index in a tuple.
fn earlier_field(meta: &ParseNestedMeta<'_>) -> Result<Ident> {
    attr::value_with(meta, "expected the name of a field before this one", |value| {
        if value.peek(LitInt) {
            let index: LitInt = value.parse()?;
            return Ok(Ident::new(&format!("{OF_TUPLE}{}", index.base10_digits()), index.span()));
        }
        value.call(Ident::parse_any)
    })
}

/// What the variables for the fields of a tuple begin with.
const OF_TUPLE: &str = "field_";

/// The field with this variable, as an attribute names it.
fn as_given(binding: &Ident) -> String {
    let name = binding.to_string();
    match name.strip_prefix(OF_TUPLE) {
        Some(index) if index.parse::<u32>().is_ok() => index.to_owned(),
        _ => name,
    }
}
