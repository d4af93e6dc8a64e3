//! `Payload` with `Response`, or with `BaseRequest`.

use crate::ast::{Field, Payload, Request};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Generics, Member, parse_quote};

/// `Payload` and `Response`.
pub(crate) fn payload(payload: &Payload<'_>) -> TokenStream {
    let codec = codec(payload);
    let response = response(payload);
    quote!(#codec #response)
}

/// `Payload` and `BaseRequest`.
pub(crate) fn request(request: &Request<'_>) -> TokenStream {
    let codec = codec(&request.payload);
    let base = base_request(request);
    quote!(#codec #base)
}

fn codec(payload: &Payload<'_>) -> TokenStream {
    let krate = &payload.krate;
    let parse = payload.fields.iter().map(|Field { member, ty }| {
        let name = path(payload, member);
        // The braced form is right for tuple and unit structs, too.
        quote!(#member: reader.field::<#ty>(#name)?)
    });
    let transcribe = payload
        .fields
        .iter()
        .map(|Field { member, .. }| quote!(out.field(&self.#member);));
    impl_payload(payload, &quote!(::core::result::Result::Ok(Self { #(#parse),* })), &quote!(#(#transcribe)*))
}

/// Where an error is: `Struct.field`.
fn path(Payload { ident, .. }: &Payload<'_>, member: &Member) -> String {
    let ident = ident.unraw();
    match member {
        Member::Named(field) => format!("{ident}.{}", field.unraw()),
        Member::Unnamed(field) => format!("{ident}.{}", field.index),
    }
}

/// `Payload` with these bodies.
pub(super) fn impl_payload(
    payload: &Payload<'_>,
    parse: &TokenStream,
    transcribe: &TokenStream,
) -> TokenStream {
    let Payload { krate, ident, .. } = payload;
    let generics = bounded(payload);
    let (params, args, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params #krate::Payload for #ident #args #bounds {
            fn parse(
                reader: &mut #krate::PayloadReader,
            ) -> ::core::result::Result<Self, #krate::PayloadError> {
                #parse
            }

            fn transcribe(&self, out: &mut #krate::PayloadWriter) {
                #transcribe
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
        }
    }
}

pub(super) fn base_request(Request { payload, reply }: &Request<'_>) -> TokenStream {
    let Payload { krate, ident, .. } = payload;
    let generics = bounded(payload);
    let (params, args, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #params #krate::BaseRequest for #ident #args #bounds {
            type Reply = #reply;
            type Error = #krate::Failure;
        }
    }
}

/// The struct's generics, each type with a place in the payload itself.
fn bounded(Payload { krate, generics, .. }: &Payload<'_>) -> Generics {
    let mut bounded = Generics::clone(generics);
    let clause = bounded.make_where_clause();
    for param in generics.type_params() {
        let ident = &param.ident;
        clause.predicates.push(parse_quote!(#ident: #krate::Payload));
    }
    bounded
}
