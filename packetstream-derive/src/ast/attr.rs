//! Attributes to what they say. Each name is spelled once, here.

use crate::errors::Errors;
use proc_macro2::{Span, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::{ParseStream, Result};
use syn::{Attribute, Error, Ident, LitInt, Path, Token, Type, Variant, parse_quote};

pub(super) const PACKETSTREAM: &str = "packetstream";
pub(super) const REQUEST: &str = "request";

/// The largest request type; one more, which is what travels, does not fit 64 bits.
const MAX_REQUEST_TYPE: u64 = u64::MAX - 1;

/// `#[packetstream(crate = path)]` of a struct.
pub(super) fn krate(attrs: &[Attribute], errors: &mut Errors) -> Path {
    let mut krate = None;
    keys(attrs, PACKETSTREAM, &["crate"], errors, |_, value| {
        krate = Some(value.call(Path::parse_mod_style)?);
        Ok(())
    });
    krate.unwrap_or_else(default_krate)
}

/// `#[packetstream(crate = path, client = Name)]` of a protocol.
pub(super) fn krate_and_client(attrs: &[Attribute], errors: &mut Errors) -> (Path, Option<Ident>) {
    let (mut krate, mut client) = (None, None);
    keys(attrs, PACKETSTREAM, &["crate", "client"], errors, |key, value| {
        match key {
            "crate" => krate = Some(value.call(Path::parse_mod_style)?),
            _ => client = Some(value.parse()?),
        }
        Ok(())
    });
    (krate.unwrap_or_else(default_krate), client)
}

fn default_krate() -> Path {
    parse_quote!(::packetstream)
}

/// `#[request(reply = Type)]` of a struct.
pub(super) fn reply(attrs: &[Attribute], errors: &mut Errors) -> Type {
    let mut reply = None;
    keys(attrs, REQUEST, &["reply"], errors, |_, value| {
        reply = Some(value.parse()?);
        Ok(())
    });
    reply.unwrap_or_else(|| parse_quote!(()))
}

/// `#[request(<number>)]` of a protocol's variant, and where the number stands.
pub(super) fn number(variant: &Variant) -> Result<(u64, Span)> {
    let name = &variant.ident;
    let mut attrs = variant.attrs.iter().filter(|attr| attr.path().is_ident(REQUEST));
    let Some(attr) = attrs.next() else {
        return Err(Error::new(
            name.span(),
            format!("`{name}` needs a request type: `#[request(<number>)]`"),
        ));
    };
    match attrs.next() {
        None => attr.parse_args_with(request_type),
        Some(second) => Err(Error::new_spanned(second, format!("`{name}` has a request type already"))),
    }
}

fn request_type(input: ParseStream<'_>) -> Result<(u64, Span)> {
    let wrong = format!("expected a request type, a plain number from 0 to {MAX_REQUEST_TYPE}");
    let literal: LitInt = input.parse().map_err(|error| Error::new(error.span(), &wrong))?;
    match literal.base10_parse() {
        Ok(number @ 0..=MAX_REQUEST_TYPE) if literal.suffix().is_empty() => Ok((number, literal.span())),
        _ => Err(Error::new(literal.span(), wrong)),
    }
}

/// Refuses this crate's attributes at a place where they say nothing. A silent no-op would look like
/// a setting that works.
pub(super) fn refuse(attrs: &[Attribute], names: &[&str], errors: &mut Errors) {
    for attr in attrs {
        if let Some(name) = names.iter().find(|name| attr.path().is_ident(name)) {
            errors.add(Error::new_spanned(attr, format!("`{name}` has no meaning here")));
        }
    }
}

/// Reads every `#[name(key = value, ..)]`; `read` takes the value of a `known` key.
fn keys(
    attrs: &[Attribute],
    name: &str,
    known: &[&'static str],
    errors: &mut Errors,
    mut read: impl FnMut(&str, ParseStream<'_>) -> Result<()>,
) {
    let mut seen = Vec::new();
    let mut key_and_value = |meta: &ParseNestedMeta<'_>| {
        let Some(key) = known.iter().find(|key| meta.path.is_ident(key)) else {
            return Err(meta.error(format!("unknown key, expected {}", list(known))));
        };
        if seen.contains(key) {
            return Err(meta.error(format!("`{key}` is given already")));
        }
        seen.push(key);
        read(key, meta.value()?)
    };
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let all = attr.parse_nested_meta(|meta| match errors.collect(key_and_value(&meta)) {
            Some(()) => Ok(()),
            None => skip_value(meta.input),
        });
        errors.collect(all);
    }
}

/// Goes on to the next key, whose mistakes count too.
fn skip_value(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn list(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ")
}
