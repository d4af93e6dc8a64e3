//! `Payload` with `Response`, `Variants` or `BaseRequest`.

use super::fields::{Code, at, checks, describe_docs, own};
use crate::ast::{Body, Bound, Choice, Contract, Payload, Request, Struct};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Generics, TypeParam, parse_quote};

/// `Payload` and `Response`, and `Variants` for an enum.
pub(crate) fn payload(payload: &Payload<'_>) -> TokenStream {
    let codec = match &payload.body {
        Body::Struct(body) => codec(payload, body),
        Body::Enum(choices) => choice_codec(payload, choices),
    };
    let response = response(payload);
    quote!(#codec #response)
}

/// `Payload` and `BaseRequest`.
pub(crate) fn request(request: &Request<'_>) -> TokenStream {
    let Body::Struct(body) = &request.payload.body else { return TokenStream::new() };
    let codec = codec(&request.payload, body);
    let base = base_request(request);
    quote!(#codec #base)
}

/// What `impl Payload` has in it.
pub(super) struct Codec {
    pub(super) parse: TokenStream,
    pub(super) transcribe: TokenStream,
    pub(super) encoding: TokenStream,
}

fn codec(payload: &Payload<'_>, body: &Struct<'_>) -> TokenStream {
    let Payload { krate, ident, docs, .. } = payload;
    let Struct { fields, is_delimited, magic, asserts } = body;
    let (reader, out, start) = (own("reader"), own("out"), own("start"));
    let owner = ident.unraw().to_string();
    let code = Code { krate, owner: owner.clone(), is_newtype: body.is_newtype(), fields };

    let starts = (!asserts.is_empty()).then(|| quote!(let #start = #reader.offset();));
    let constant = magic.as_ref().map(|magic| quote!(#reader.magic(#magic, #owner)?;));
    let (parse, members) = (code.parse(), code.members(|_| true));
    let checks = checks(asserts, &start, &owner);
    let parse = quote! {
        #starts
        #constant
        #parse
        #checks
        ::core::result::Result::Ok(Self { #members })
    };
    let constant = magic.as_ref().map(|magic| quote!(#out.bytes(#magic);));
    let transcribe = code.transcribe(|field| {
        let member = &field.member;
        quote!(&self.#member)
    });
    let transcribe = quote!(#constant #transcribe);

    let (parse, transcribe) = if *is_delimited {
        (
            quote!(#reader.delimited(#owner, |#reader| { #parse })),
            quote!(#out.delimited(|#out| { #transcribe });),
        )
    } else {
        (parse, transcribe)
    };
    let (docs, fields) = (describe_docs(docs), code.describe());
    let magic = magic.as_ref().map_or_else(|| quote!(b""), |magic| quote!(#magic));
    let encoding = quote! {
        #krate::description::Encoding::Struct(const {
            &#krate::description::Struct {
                name: #owner,
                docs: #docs,
                is_delimited: #is_delimited,
                magic: #magic,
                fields: #fields,
            }
        })
    };
    impl_payload(payload, &Codec { parse, transcribe, encoding })
}

fn choice_codec(payload: &Payload<'_>, choices: &[Choice<'_>]) -> TokenStream {
    let Payload { krate, ident, docs, .. } = payload;
    let (reader, out, id) = (own("reader"), own("out"), own("id"));
    let owner = ident.unraw().to_string();
    let described = choices.iter().map(|choice| {
        let Choice { ident, id, docs, .. } = choice;
        let name = ident.unraw().to_string();
        let (docs, fields) = (describe_docs(docs), choice_code(payload, choice).describe());
        quote!(#krate::description::Variant { id: #id, name: #name, docs: #docs, fields: #fields })
    });
    let docs = describe_docs(docs);
    let codec = impl_payload(
        payload,
        &Codec {
            parse: quote!(#reader.variant(#owner)),
            transcribe: quote! {
                #out.uint(#krate::Variants::id(self));
                #krate::Variants::transcribe_variant(self, #out);
            },
            encoding: quote! {
                #krate::description::Encoding::Enum(const {
                    &#krate::description::Enum { name: #owner, docs: #docs, variants: &[#(#described),*] }
                })
            },
        },
    );

    let parse = choices.iter().map(|choice| {
        let (Choice { ident, id, .. }, code) = (choice, choice_code(payload, choice));
        let (parse, members) = (code.parse(), code.members(|_| true));
        quote!(#id => { #parse ::core::result::Result::Ok(Self::#ident { #members }) })
    });
    let transcribe = choices.iter().map(|choice| {
        let (Choice { ident, fields, .. }, code) = (choice, choice_code(payload, choice));
        // A field that tells something of another one is not looked at.
        let is_wanted =
            |field: &crate::ast::Field<'_>| !field.is_skipped() && fields.told_by(&field.binding).is_none();
        let members = code.members(is_wanted);
        let comma = fields.0.iter().any(is_wanted).then(|| quote!(,));
        let transcribe = code.transcribe(|field| {
            let binding = &field.binding;
            quote!(#binding)
        });
        quote!(Self::#ident { #members #comma .. } => { #transcribe })
    });
    let ids = choices.iter().map(|Choice { ident, id, .. }| quote!(Self::#ident { .. } => #id));
    // A reference to an enum without variants is not known to be one to nothing.
    let this = if choices.is_empty() { quote!(*self) } else { quote!(self) };
    let variants = Variants {
        parse: quote! {
            match #id {
                #(#parse)*
                _ => ::core::result::Result::Err(#reader.unknown_variant(#id, #owner)),
            }
        },
        transcribe: quote!(match #this { #(#transcribe)* }),
        id: quote!(match #this { #(#ids,)* }),
    };
    let variants = impl_variants(payload, &variants);
    quote!(#codec #variants)
}

fn choice_code<'a>(payload: &'a Payload<'_>, choice: &'a Choice<'_>) -> Code<'a> {
    let owner = format!("{}::{}", payload.ident.unraw(), choice.ident.unraw());
    Code { krate: &payload.krate, owner, is_newtype: false, fields: &choice.fields }
}

/// What `impl Variants` has in it.
pub(super) struct Variants {
    pub(super) parse: TokenStream,
    pub(super) transcribe: TokenStream,
    pub(super) id: TokenStream,
}

/// `Payload` with these bodies.
pub(super) fn impl_payload(payload: &Payload<'_>, codec: &Codec) -> TokenStream {
    let Payload { krate, ident, .. } = payload;
    let Codec { parse, transcribe, encoding } = codec;
    let (reader, out) = (own("reader"), own("out"));
    let generics = bounded(payload);
    let (params, args, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params #krate::Payload for #ident #args #bounds {
            fn parse(
                #reader: &mut #krate::PayloadReader,
            ) -> ::core::result::Result<Self, #krate::PayloadError> {
                #parse
            }

            fn transcribe(&self, #out: &mut #krate::PayloadWriter) {
                #transcribe
            }

            fn encoding() -> #krate::description::Encoding {
                #encoding
            }
        }
    }
}

/// `Variants` with these bodies.
pub(super) fn impl_variants(payload: &Payload<'_>, variants: &Variants) -> TokenStream {
    let Payload { krate, ident, .. } = payload;
    let Variants { parse, transcribe, id: number } = variants;
    let (reader, out, id) = (own("reader"), own("out"), own("id"));
    let generics = bounded(payload);
    let (params, args, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params #krate::Variants for #ident #args #bounds {
            fn parse_variant(
                #id: u64,
                #reader: &mut #krate::PayloadReader,
            ) -> ::core::result::Result<Self, #krate::PayloadError> {
                #parse
            }

            fn transcribe_variant(&self, #out: &mut #krate::PayloadWriter) {
                #transcribe
            }

            fn id(&self) -> u64 {
                #number
            }
        }
    }
}

pub(super) fn response(payload: &Payload<'_>) -> TokenStream {
    let Payload { krate, ident, .. } = payload;
    let generics = bounded(payload);
    let (params, args, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params #krate::Response for #ident #args #bounds {
            fn into_reply(self) -> #krate::Reply {
                #krate::Reply::of(&self)
            }

            fn from_reply(
                reply: #krate::Reply,
            ) -> ::core::result::Result<Self, #krate::PayloadError> {
                reply.value()
            }

            fn reply_encoding() -> #krate::description::Reply {
                #krate::description::Reply::Value(<Self as #krate::Payload>::encoding)
            }
        }
    }
}

pub(super) fn base_request(request: &Request<'_>) -> TokenStream {
    let Request { payload, reply, error, contract } = request;
    let Payload { krate, ident, .. } = payload;
    let generics = bounded(payload);
    let (params, args, bounds) = generics.split_for_impl();
    let error = error.as_ref().map_or_else(|| quote!(#krate::Failure), |error| quote!(#error));
    let contract = (!contract.is_none()).then(|| {
        let contract = describe_contract(krate, contract);
        quote!(const CONTRACT: #krate::Contract = #contract;)
    });
    quote! {
        #[automatically_derived]
        impl #params #krate::BaseRequest for #ident #args #bounds {
            type Reply = #reply;
            type Error = #error;
            #contract
        }
    }
}

fn describe_contract(krate: &syn::Path, contract: &Contract) -> TokenStream {
    let Contract { max_payload, concurrency, timeout, ordered, blocking, idempotent } = contract;
    let mut settings = Vec::new();
    if let Some(max) = max_payload {
        settings.push(quote!(max_payload: ::core::option::Option::Some(#max)));
    }
    if let Some(most) = concurrency {
        settings.push(quote!(concurrency: ::core::option::Option::Some(#most)));
    }
    if let Some(time) = timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)) {
        let time = quote!(::core::time::Duration::from_millis(#time));
        settings.push(quote!(timeout: ::core::option::Option::Some(#time)));
    }
    if *ordered {
        settings.push(quote!(ordered: true));
    }
    if *blocking {
        settings.push(quote!(blocking: true));
    }
    if *idempotent {
        settings.push(quote!(idempotent: true));
    }
    // Nothing is left for a base once all is said, and clippy says so.
    let base = (settings.len() < 6).then(|| quote!(..#krate::Contract::NONE));
    quote!(#krate::Contract { #(#settings,)* #base })
}

/// The type's generics, each type that travels bound to be what its fields ask of it.
fn bounded(payload: &Payload<'_>) -> Generics {
    let krate = &payload.krate;
    let mut bounded = Generics::clone(payload.generics);
    let clause = bounded.make_where_clause();
    for (TypeParam { ident, .. }, bound) in payload.bounds() {
        // As the macro's own, so that no lint finds it to repeat what the author has written.
        let mut ident = ident.clone();
        ident.set_span(at(&ident));
        let bound = match bound {
            Bound::Payload => quote!(Payload),
            Bound::Fixed => quote!(Fixed),
        };
        clause.predicates.push(parse_quote!(#ident: #krate::#bound));
    }
    bounded
}
