//! `#[derive(Request)]`: a struct that is asked, what comes back, and what it may take.

use super::attr::{self, Namespace};
use super::fields::{Assert, Fields};
use super::payload::{Body, Payload, Struct, magic};
use crate::errors::Errors;
use std::time::Duration;
use syn::meta::ParseNestedMeta;
use syn::parse::Result;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Expr, ExprLit, Lit, LitStr, Type, parse_quote};

const KEYS: &[&str] = &[
    "reply",
    "error",
    "max_payload",
    "concurrency",
    "timeout",
    "ordered",
    "blocking",
    "idempotent",
    "magic",
    "assert",
];

/// A struct that is a request.
pub(crate) struct Request<'a> {
    pub(crate) payload: Payload<'a>,
    /// What comes back; `()` unless given.
    pub(crate) reply: Type,
    /// What comes back when its handler fails; words unless given.
    pub(crate) error: Option<Type>,
    pub(crate) contract: Contract,
}

/// What performing it may take.
#[derive(Default)]
pub(crate) struct Contract {
    pub(crate) max_payload: Option<Expr>,
    pub(crate) concurrency: Option<Expr>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) ordered: bool,
    pub(crate) blocking: bool,
    pub(crate) idempotent: bool,
}

impl Contract {
    pub(crate) const fn is_none(&self) -> bool {
        let Self { max_payload, concurrency, timeout, ordered, blocking, idempotent } = self;
        let limited = max_payload.is_some() || concurrency.is_some() || timeout.is_some();
        !(limited || *ordered || *blocking || *idempotent)
    }
}

impl<'a> Request<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let (mut reply, mut error, mut contract) = (None, None, Contract::default());
        let (mut body, mut timeout_at) = (Struct::default(), None);
        attr::keys(&input.attrs, Namespace::Request.name(), KEYS, errors, |key, meta| {
            match key {
                "reply" => reply = Some(attr::value(meta, "expected a type: `reply = Type`")?),
                "error" => error = Some(attr::value(meta, "expected a type: `error = Type`")?),
                "max_payload" => contract.max_payload = Some(positive(meta, "max_payload")?),
                "concurrency" => contract.concurrency = Some(positive(meta, "concurrency")?),
                "timeout" => {
                    contract.timeout = Some(timeout(meta)?);
                    timeout_at = Some(meta.path.span());
                }
                "ordered" => contract.ordered = true,
                "blocking" => contract.blocking = true,
                "idempotent" => contract.idempotent = true,
                "magic" => body.magic = Some(magic(meta)?),
                _ => body.asserts.push(Assert::read(meta)?),
            }
            Ok(())
        });
        if let (true, Some(timeout), None, false) =
            (contract.blocking, timeout_at, &contract.concurrency, contract.ordered)
        {
            let message = "a `blocking` request that is given up goes on: with `timeout` it needs a `concurrency`, or \
                           `ordered`";
            errors.add(Error::new(timeout, message));
        }
        attr::refuse_other(&input.attrs, Namespace::Request, errors);
        match &input.data {
            Data::Struct(data) => body.fields = Fields::read(&data.fields, Namespace::Request, errors),
            Data::Enum(data) => {
                let message = "a request is a struct; an enum of requests derives `Protocol`, one within a \
                               request `Payload`";
                errors.add(Error::new(data.enum_token.span, message));
            }
            Data::Union(data) => errors.add(Error::new(data.union_token.span, "a request is a struct")),
        }
        let payload = Payload::new(input, Body::Struct(body), errors);
        Self { payload, reply: reply.unwrap_or_else(|| parse_quote!(())), error, contract }
    }
}

/// Refuses a plain 0, with which nothing would ever be performed.
fn positive(meta: &ParseNestedMeta<'_>, key: &str) -> Result<Expr> {
    let expected = format!("expected a number of at least 1: `{key} = <number>`");
    let expr = attr::value(meta, &expected)?;
    match &expr {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) if literal.base10_digits() == "0" => {
            Err(Error::new(literal.span(), expected))
        }
        _ => Ok(expr),
    }
}

/// The time in `timeout = "5s"`.
fn timeout(meta: &ParseNestedMeta<'_>) -> Result<Duration> {
    let usage = "expected a time: a whole number and `ms`, `s`, `m` or `h`, as in \"500ms\" or \"5s\"";
    let literal: LitStr = attr::value(meta, usage)?;
    let text = literal.value();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok()).filter(|n| *n > 0);
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let time = number.zip(milliseconds).and_then(|(number, unit)| number.checked_mul(unit));
    time.map(Duration::from_millis).ok_or_else(|| Error::new(literal.span(), usage))
}
