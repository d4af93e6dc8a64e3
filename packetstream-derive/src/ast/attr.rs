//! Attributes to what they say.

use crate::errors::Errors;
use proc_macro2::{Span, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream, Result};
use syn::{Attribute, Error, Expr, Ident, LitInt, Meta, Path, Token, parse_quote};

/// Whose attribute it is. Each derive has one of its own name, for the declaration and for its fields.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Namespace {
    #[default]
    Payload,
    Request,
}

/// On the declarations of all derives.
pub(super) const PACKETSTREAM: &str = "packetstream";
const CRATE: &str = "expected a path: `crate = path`";
const PAYLOAD: &str = "payload";
const REQUEST: &str = "request";

impl Namespace {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Payload => PAYLOAD,
            Self::Request => REQUEST,
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> &'static str {
        match self {
            Self::Payload => REQUEST,
            Self::Request => PAYLOAD,
        }
    }

    /// The highest flag: a packet has 64 bits for all of its own and these.
    pub(super) const fn highest_flag(self) -> u32 {
        match self {
            Self::Payload => 60,
            Self::Request => 61,
        }
    }

    /// What has these flags.
    pub(super) const fn holder(self) -> &'static str {
        match self {
            Self::Payload => "a payload",
            Self::Request => "a request",
        }
    }
}

/// `#[packetstream(crate = path)]`.
pub(super) fn krate(attrs: &[Attribute], errors: &mut Errors) -> Path {
    let mut krate = None;
    keys(attrs, PACKETSTREAM, &["crate"], errors, |_, meta| {
        krate = Some(path(meta, CRATE)?);
        Ok(())
    });
    krate.unwrap_or_else(default_krate)
}

/// `#[packetstream(crate = path, client = Name)]` of a protocol.
pub(super) fn krate_and_client(attrs: &[Attribute], errors: &mut Errors) -> (Path, Option<Ident>) {
    let (mut krate, mut client) = (None, None);
    keys(attrs, PACKETSTREAM, &["crate", "client"], errors, |key, meta| {
        match key {
            "crate" => krate = Some(path(meta, CRATE)?),
            _ => client = Some(value(meta, "expected a name: `client = Name`")?),
        }
        Ok(())
    });
    (krate.unwrap_or_else(default_krate), client)
}

fn default_krate() -> Path {
    parse_quote!(::packetstream)
}

/// The values of the documentation, a line each: of `/// text` and of `#[doc = ..]` alike.
pub(super) fn docs(attrs: &[Attribute]) -> Vec<&Expr> {
    let docs = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    docs.filter_map(|attr| attr.meta.require_name_value().ok()).map(|pair| &pair.value).collect()
}

/// `#[request(<number>)]` of a variant, if it is there, and where the number stands.
pub(super) fn number(name: &Ident, attrs: &[Attribute]) -> Result<Option<(u64, Span)>> {
    let mut attrs = attrs.iter().filter(|attr| attr.path().is_ident(REQUEST));
    let Some(attr) = attrs.next() else { return Ok(None) };
    if let Some(second) = attrs.next() {
        return Err(Error::new_spanned(second, format!("`{name}` has a request type already")));
    }
    match attr.meta {
        Meta::List(_) => attr.parse_args_with(request_type).map(Some),
        _ => Err(Error::new_spanned(attr, format!("`{name}` needs a request type: `#[request(<number>)]`"))),
    }
}

/// The largest request type; one more, which is what travels, does not fit 64 bits.
pub(super) const MAX_REQUEST_TYPE: u64 = u64::MAX - 1;

fn request_type(input: ParseStream<'_>) -> Result<(u64, Span)> {
    let wrong = format!("expected a request type, a plain number from 0 to {MAX_REQUEST_TYPE}");
    let literal: LitInt = input.parse().map_err(|error| Error::new(error.span(), &wrong))?;
    match plain(&literal) {
        Some(number @ 0..=MAX_REQUEST_TYPE) if input.is_empty() => Ok((number, literal.span())),
        Some(0..=MAX_REQUEST_TYPE) => Err(input.error(wrong)),
        _ => Err(Error::new(literal.span(), wrong)),
    }
}

/// The value of a number without a suffix.
pub(super) fn plain(literal: &LitInt) -> Option<u64> {
    literal.base10_parse().ok().filter(|_| literal.suffix().is_empty())
}

/// Refuses this crate's attributes at a place where they say nothing, and says what is right there. A silent
/// no-op would look like a setting that works.
pub(super) fn refuse(attrs: &[Attribute], names: &[&str], right: &str, errors: &mut Errors) {
    for attr in attrs {
        if let Some(name) = names.iter().find(|name| attr.path().is_ident(name)) {
            errors.add(Error::new_spanned(attr, format!("`{name}` has no meaning here; {right}")));
        }
    }
}

/// Refuses [`PACKETSTREAM`] inside a declaration.
pub(super) fn refuse_packetstream(attrs: &[Attribute], errors: &mut Errors) {
    refuse(attrs, &[PACKETSTREAM], "it goes in front of the struct or enum", errors);
}

/// Refuses the attribute that another derive's declarations have.
pub(super) fn refuse_other(attrs: &[Attribute], namespace: Namespace, errors: &mut Errors) {
    let right = format!("in {} write `{}`", namespace.holder(), namespace.name());
    refuse(attrs, &[namespace.other()], &right, errors);
}

/// Reads every `#[name(key, key = value, key(..), ..)]`; `read` takes what follows a `known` key.
pub(super) fn keys(
    attrs: &[Attribute],
    name: &str,
    known: &[&'static str],
    errors: &mut Errors,
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) {
    let mut seen = Vec::new();
    let mut key_and_value = |meta: &ParseNestedMeta<'_>| {
        let Some(key) = known.iter().find(|key| meta.path.is_ident(key)) else {
            return Err(meta.error(format!("unknown key, expected {}", list(known))));
        };
        if seen.contains(key) && *key != "assert" {
            return Err(meta.error(format!("`{key}` is given already")));
        }
        seen.push(key);
        let before = meta.input.cursor();
        read(key, meta)?;
        let has_value = meta.input.cursor() != before;
        if has_value || meta.input.is_empty() || meta.input.peek(Token![,]) {
            Ok(())
        } else {
            Err(meta.input.error(format!("`{key}` takes no value")))
        }
    };
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let all = attr.parse_nested_meta(|meta| match errors.collect(key_and_value(&meta)) {
            Some(()) => Ok(()),
            None => skip_value(meta.input),
        });
        errors.collect(all);
    }
}

/// What stands behind `key =`; anything else is not what was `expected`.
pub(super) fn value<T: Parse>(meta: &ParseNestedMeta<'_>, expected: &str) -> Result<T> {
    value_with(meta, expected, T::parse)
}

/// The path behind `key =`.
pub(super) fn path(meta: &ParseNestedMeta<'_>, expected: &str) -> Result<Path> {
    value_with(meta, expected, Path::parse_mod_style)
}

/// What `parse` makes of what stands behind `key =`.
pub(super) fn value_with<T>(
    meta: &ParseNestedMeta<'_>,
    expected: &str,
    parse: impl FnOnce(ParseStream<'_>) -> Result<T>,
) -> Result<T> {
    let value = meta.value().map_err(|_| Error::new_spanned(&meta.path, expected))?;
    parse(value).map_err(|error| Error::new(error.span(), expected))
}

/// Goes on to the next key, whose mistakes count too.
fn skip_value(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn list(keys: &[&str]) -> String {
    let quoted: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    match quoted.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => quoted.join(""),
    }
}
