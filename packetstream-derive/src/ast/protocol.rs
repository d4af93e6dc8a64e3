//! Enums of requests: `#[derive(Protocol)]`.

use super::payload::discriminant;
use super::{attr, case};
use crate::errors::Errors;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, Generics, Ident, Path, Result, Type, Variant,
    Visibility,
};

/// An enum with one variant for each request.
pub(crate) struct Protocol<'a> {
    /// The path of the facade.
    pub(crate) krate: Path,
    pub(crate) vis: &'a Visibility,
    pub(crate) ident: &'a Ident,
    /// Empty; a protocol with some is a mistake.
    pub(crate) generics: &'a Generics,
    pub(crate) docs: Vec<&'a Expr>,
    pub(crate) requests: Vec<Carried<'a>>,
    /// The stub asked for by `#[packetstream(client = Name)]`.
    pub(crate) client: Option<Client<'a>>,
}

/// One request: `#[request(3)] Get(Get)` or `Get(Get) = 3`.
pub(crate) struct Carried<'a> {
    pub(crate) variant: &'a Variant,
    pub(crate) ty: &'a Type,
    /// Different for each request of a protocol.
    pub(crate) number: u64,
    pub(crate) docs: Vec<&'a Expr>,
}

/// The stub to generate.
pub(crate) struct Client<'a> {
    pub(crate) ident: Ident,
    pub(crate) methods: Vec<Method<'a>>,
}

/// What the stub asks one request with.
pub(crate) struct Method<'a> {
    /// Different for each method of a stub.
    pub(crate) ident: Ident,
    pub(crate) variant: &'a Ident,
    pub(crate) ty: &'a Type,
    /// The variant's documentation.
    pub(crate) docs: Vec<&'a Attribute>,
}

impl<'a> Protocol<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let (krate, client) = attr::krate_and_client(&input.attrs, errors);
        attr::refuse(
            &input.attrs,
            OF_FIELDS,
            "it goes on the requests, and as `#[request(<number>)]` on each variant",
            errors,
        );
        if !input.generics.params.is_empty() {
            errors.add(Error::new_spanned(&input.generics, "a protocol cannot be generic"));
        }
        let requests = requests(&input.data, errors);
        let client = client.map(|ident| Client::read(ident, &requests, errors));
        let docs = attr::docs(&input.attrs);
        Self {
            krate,
            vis: &input.vis,
            ident: &input.ident,
            generics: &input.generics,
            docs,
            requests,
            client,
        }
    }
}

fn requests<'a>(data: &'a Data, errors: &mut Errors) -> Vec<Carried<'a>> {
    let token = match data {
        Data::Enum(data) => {
            let mut numbers = Numbers::default();
            let read = |variant| Carried::read(variant, &mut numbers, errors);
            return data.variants.iter().filter_map(read).collect();
        }
        Data::Struct(data) => data.struct_token.span,
        Data::Union(data) => data.union_token.span,
    };
    errors.add(Error::new(token, "a protocol is an enum, with one variant for each request"));
    Vec::new()
}

impl<'a> Carried<'a> {
    /// A variant without a number still has its part in the stub, which does not ask for the number.
    fn read(variant: &'a Variant, numbers: &mut Numbers<'a>, errors: &mut Errors) -> Option<Self> {
        attr::refuse_packetstream(&variant.attrs, errors);
        attr::refuse(&variant.attrs, &["payload"], "a variant has `#[request(<number>)]`", errors);
        for field in &variant.fields {
            attr::refuse_packetstream(&field.attrs, errors);
            attr::refuse(&field.attrs, OF_FIELDS, "it goes in the declaration of the request", errors);
        }
        let number = errors.collect(numbers.take(variant)).unwrap_or(0);
        let ty = errors.collect(only_field(variant))?;
        Some(Self { variant, ty, number, docs: attr::docs(&variant.attrs) })
    }
}

fn only_field(variant: &Variant) -> Result<&Type> {
    let name = &variant.ident;
    let message = format!("expected one unnamed field, the request: `{name}({name})`");
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(&fields.unnamed[0].ty),
        Fields::Unit => Err(Error::new(name.span(), message)),
        fields => Err(Error::new_spanned(fields, message)),
    }
}

/// The attributes of the other derives.
const OF_FIELDS: &[&str] = &["payload", "request"];

/// The request types taken, and by whom.
#[derive(Default)]
struct Numbers<'a> {
    taken: Vec<(u64, &'a Ident)>,
    /// What a variant without a number has when the one before has a discriminant.
    next: Option<u64>,
}

impl<'a> Numbers<'a> {
    fn take(&mut self, variant: &'a Variant) -> Result<u64> {
        let name = &variant.ident;
        let next = self.next.take();
        let (number, span): (u64, Span) = match (attr::number(name, &variant.attrs)?, &variant.discriminant) {
            (Some((_, span)), Some(_)) => {
                let message = format!("`{name}` has a number of its own: write either this or `= <number>`");
                return Err(Error::new(span, message));
            }
            (Some(given), None) => given,
            (None, None) if next.is_none() => {
                let message = format!("`{name}` needs a request type: `#[request(<number>)]`");
                return Err(Error::new(name.span(), message));
            }
            (None, given) => {
                let number = discriminant(variant, next)?;
                self.next = number.checked_add(1);
                let span = given.as_ref().map_or_else(|| name.span(), |(_, expr)| expr.span());
                if number > attr::MAX_REQUEST_TYPE {
                    let message = format!("the largest request type is {}", attr::MAX_REQUEST_TYPE);
                    return Err(Error::new(span, message));
                }
                (number, span)
            }
        };
        if let Some((_, first)) = self.taken.iter().find(|taken| taken.0 == number) {
            return Err(Error::new(span, format!("request type {number} is `{first}` already")));
        }
        self.taken.push((number, name));
        Ok(number)
    }
}

impl<'a> Client<'a> {
    fn read(ident: Ident, requests: &[Carried<'a>], errors: &mut Errors) -> Self {
        let mut methods: Vec<Method<'a>> = Vec::new();
        for request in requests {
            let method = errors.collect(Method::read(request, &methods));
            methods.extend(method);
        }
        Self { ident, methods }
    }
}

impl<'a> Method<'a> {
    /// Names the method for a request, differently from those `before` it.
    fn read(&Carried { variant, ty, .. }: &Carried<'a>, before: &[Self]) -> Result<Self> {
        let ident = case::method(&variant.ident)?;
        if let Some(first) = before.iter().find(|method| method.ident == ident) {
            let message = format!("the client's method `{ident}` is that of `{}` already", first.variant);
            return Err(Error::new(variant.ident.span(), message));
        }
        let docs = variant.attrs.iter().filter(|attr| attr.path().is_ident("doc")).collect();
        Ok(Self { ident, variant: &variant.ident, ty, docs })
    }
}
