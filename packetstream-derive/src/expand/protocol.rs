//! `Carries`, `From` and `TryFrom` for each request, `Protocol`, `Dispatch` and the client.

use super::client;
use super::fields::{at, describe_docs};
use crate::ast::{Carried, Protocol};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

pub(crate) fn protocol(protocol: &Protocol<'_>) -> TokenStream {
    let carries = protocol.requests.iter().map(|request| carries(protocol, request));
    let conversions = protocol.requests.iter().map(|request| conversions(protocol, request));
    let typed = typed(protocol);
    let dispatch = dispatch(protocol);
    let client = client::client(protocol);
    quote!(#(#carries #conversions)* #typed #dispatch #client)
}

fn carries(Protocol { krate, ident, .. }: &Protocol<'_>, request: &Carried<'_>) -> TokenStream {
    let Carried { ty, number, .. } = request;
    // A request listed twice is one that only the compiler can find: these impls conflict, there.
    quote_spanned! {at(ty)=>
        impl #krate::Carries<#ty> for #ident {
            const REQUEST_TYPE: u64 = #number;
        }
    }
}

/// The request to a value of the protocol, and back.
pub(super) fn conversions(
    Protocol { ident, requests, .. }: &Protocol<'_>,
    request: &Carried<'_>,
) -> TokenStream {
    let Carried { variant, ty, .. } = request;
    let variant = &variant.ident;
    let others = (requests.len() > 1).then(|| quote!(other => ::core::result::Result::Err(other),));
    quote_spanned! {at(ty)=>
        impl ::core::convert::From<#ty> for #ident {
            fn from(request: #ty) -> Self {
                Self::#variant(request)
            }
        }

        impl ::core::convert::TryFrom<#ident> for #ty {
            type Error = #ident;

            fn try_from(protocol: #ident) -> ::core::result::Result<Self, #ident> {
                match protocol {
                    #ident::#variant(request) => ::core::result::Result::Ok(request),
                    #others
                }
            }
        }
    }
}

/// `Protocol`: what there is, and how each request is read.
fn typed(Protocol { krate, ident, docs, requests, .. }: &Protocol<'_>) -> TokenStream {
    let name = ident.unraw().to_string();
    let docs = (!docs.is_empty()).then(|| {
        let docs = describe_docs(docs);
        quote!(const DOCS: #krate::description::Docs = #docs;)
    });
    let described = requests.iter().map(|Carried { variant, ty, number, docs }| {
        let (name, docs) = (variant.ident.unraw().to_string(), describe_docs(docs));
        quote!(#krate::description::Request::of::<#ty>(#number, #name, #docs))
    });
    let types = requests.iter().map(|request| request.ty);
    quote! {
        impl #krate::Protocol for #ident {
            const NAME: &'static str = #name;
            #docs
            const REQUESTS: &'static [#krate::description::Request] = &[#(#described),*];
            const PARSERS: &'static [#krate::Parser<Self>] = &[#(#krate::Parser::of::<#types>()),*];
        }
    }
}

fn dispatch(Protocol { krate, ident, requests, .. }: &Protocol<'_>) -> TokenStream {
    let types = requests.iter().map(|request| request.ty);
    let fulfil =
        requests.iter().map(|Carried { ty, number, .. }| quote!(#number => arrival.fulfil::<#ty>().await));
    // What performs requests can be shared by tasks; what performs none has to be, too.
    let bounds = if requests.is_empty() {
        quote!(::core::marker::Send + ::core::marker::Sync)
    } else {
        quote!(#(#krate::Fulfil<#types>)+*)
    };
    // The service's name is one that no request has: a type parameter hides what is called the same.
    quote! {
        impl<__S: #bounds> #krate::Dispatch<__S> for #ident {
            async fn dispatch(arrival: #krate::Arrival<'_, Self, __S>) -> #krate::Outcome {
                match arrival.rq_type() {
                    #(#fulfil,)*
                    _ => arrival.unknown(),
                }
            }
        }
    }
}
